"""Documents: text that several people write at the same time, under ids `kind:object:field`."""

from quintet.domains.documents.routes import DOCUMENT_ROUTES
from quintet.kernel.parts import Part

PART = Part("documents", routes=DOCUMENT_ROUTES)

__all__ = ["PART"]
