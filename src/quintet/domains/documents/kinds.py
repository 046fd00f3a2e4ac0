"""The kinds of documents, each owned by an app that says who may read and write.

Invariant: nobody reads or writes a document without its kind's word, asked at that moment.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from quintet.domains.documents import queries
from quintet.domains.documents.model import MOST_OVERHEARD, DocumentKind, room_of
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.refusals import NotFound

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel


class Kinds:
    """The kinds that apps have registered."""

    def __init__(self) -> None:
        self._kinds: dict[str, DocumentKind] = {}

    def add(self, name: str, kind: DocumentKind) -> None:
        """Know this kind from now on."""
        self._kinds[name] = kind

    def ids_of(self, name: str, object_id: str) -> list[str]:
        """The documents that an object of this kind has."""
        return [f"{name}:{object_id}:{field}" for field in sorted(self._kinds[name].fields)]

    async def readers(self, tx: Tx, document_id: str, user_ids: Collection[UUID]) -> set[UUID]:
        """Which of these users may read the document; raises NotFound where no app knows of such."""
        kind, object_id = self._kind_of(document_id)
        return await kind.readers(tx, object_id, user_ids)

    async def writers(self, tx: Tx, document_id: str, user_ids: Collection[UUID]) -> set[UUID]:
        """Which of these users may write the document; raises NotFound where no app knows of such."""
        kind, object_id = self._kind_of(document_id)
        return await kind.writers(tx, object_id, user_ids)

    async def rooms_overheard(self, tx: Tx, user_id: UUID) -> list[str]:
        """The rooms of the documents that a user's connections hear without having asked."""
        found: list[str] = []
        for name, kind in self._kinds.items():
            if kind.heard_unasked is not None and len(found) < MOST_OVERHEARD:
                objects = await kind.heard_unasked(tx, UserId(user_id))
                if objects:
                    found += await queries.ids_of_objects(tx, name, objects, MOST_OVERHEARD - len(found))
        return [room_of(document_id) for document_id in found]

    def _kind_of(self, document_id: str) -> tuple[DocumentKind, str]:
        name, _, rest = document_id.partition(":")
        object_id, _, field = rest.partition(":")
        kind = self._kinds.get(name)
        if kind is None or field not in kind.fields or not object_id:
            raise NotFound
        return kind, object_id


def register_kind(kernel: "Kernel", name: str, kind: DocumentKind) -> None:
    """Let an app have documents `name:object_id:field`; to be called when the server begins."""
    kernel.of_parts[Kinds].add(name, kind)
