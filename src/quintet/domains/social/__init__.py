"""Social: who follows whom, who asked to, and who blocked whom."""

from quintet.domains.social.routes import SOCIAL_ROUTES
from quintet.kernel.parts import Part

PART = Part("social", routes=SOCIAL_ROUTES)

__all__ = ["PART"]
