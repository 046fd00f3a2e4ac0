"""The web pages served by the server itself."""

from quintet.console import reference, stage
from quintet.kernel.parts import Part

PART = Part("console", routes=(*reference.ROUTES, *stage.ROUTES))

__all__ = ["PART"]
