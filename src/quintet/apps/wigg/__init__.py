"""WIGG: when it gets good."""

from quintet.kernel.parts import Part

PART = Part("wigg")
