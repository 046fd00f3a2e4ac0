"""The web pages served by the server itself."""

from quintet.console.reference import ROUTES
from quintet.kernel.parts import Part

PART = Part("console", routes=ROUTES)

__all__ = ["PART"]
