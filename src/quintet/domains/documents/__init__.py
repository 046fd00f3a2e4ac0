"""Documents: text that several people write at the same time, under ids `kind:object:field`.

An app that has documents says so when the server begins (`register_kind`), makes them with their object
(`create_documents`) and deletes them with it (`delete_documents`). It calls `tx.review` of `room_of` a
document when somebody may lose the right of reading it, and of the user's own room when there is more or less
for them to hear unasked.
"""

from quintet.domains.documents.actions import create_documents, delete_documents
from quintet.domains.documents.commands import COMMANDS
from quintet.domains.documents.kinds import register_kind
from quintet.domains.documents.model import DocumentKind, room_of
from quintet.domains.documents.routes import DOCUMENT_ROUTES
from quintet.domains.documents.starting import begin
from quintet.domains.documents.upkeep import collect_history, keep_documents
from quintet.kernel.parts import Part

PART = Part(
    "documents",
    routes=DOCUMENT_ROUTES,
    background=(keep_documents, collect_history),
    on_start=(begin,),
    commands=COMMANDS,
)

__all__ = ["PART", "DocumentKind", "create_documents", "delete_documents", "register_kind", "room_of"]
