"""What happens to documents besides being written: they are made, deleted, read as they were, and undone.

Invariant: documents begin and end with their object, in its transaction.
"""

import msgspec

from quintet.domains.documents import queries
from quintet.domains.documents.model import room_of
from quintet.kernel.database import Tx


class DocumentsWanted(msgspec.Struct, frozen=True):
    """An object of this kind is being made, and its documents with it."""

    kind: str
    object_id: str


async def create_documents(tx: Tx, kind: str, object_id: str) -> None:
    """Begin the documents that an object of this kind has: empty, at rev 0."""
    await tx.announce(DocumentsWanted(kind, object_id))


async def delete_documents(tx: Tx, kind: str, object_id: str) -> None:
    """Delete the documents of an object with all their history; who hears them is put out."""
    for document_id in await queries.delete_documents(tx, kind, object_id):
        tx.review(room_of(document_id))
