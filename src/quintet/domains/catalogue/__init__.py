"""The catalogue: works that several products speak of."""

from quintet.kernel.parts import Part

PART = Part("catalogue")
