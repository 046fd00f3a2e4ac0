"""The log of the rooms of documents: an event's `seq` is the document's rev, the epoch the document's own.

Invariant: a document that does not exist is at rev 0 of no epoch, so one made later begins anew for all.
"""

from quintet.domains.documents import history_queries, queries
from quintet.domains.documents.model import document_of, room_of
from quintet.kernel import json
from quintet.kernel.database import Tx
from quintet.kernel.live.log import Place, Published


class DocumentLog:
    """Reads what documents' operations tell; they are written by the desk."""

    def __init__(self, server_epoch: str) -> None:
        self._server_epoch = server_epoch

    async def places(self, tx: Tx, rooms: list[str]) -> dict[str, Place]:
        """Where each of the rooms is."""
        found = await queries.places(tx, self._server_epoch, [document_of(room) for room in rooms])
        return dict.fromkeys(rooms, Place("", 0)) | {
            room_of(id_): Place(epoch, rev) for id_, epoch, rev in found
        }

    async def places_beyond(self, tx: Tx, known: dict[str, Place]) -> dict[str, Place]:
        """Where those of the rooms are that have come further, or count in another epoch."""
        text = json.encode([[document_of(room), *place] for room, place in known.items()]).decode()
        found = await queries.places_beyond(tx, self._server_epoch, text)
        return {room_of(id_): Place(epoch, rev) for id_, epoch, rev in found}

    async def events_since(self, tx: Tx, room: str, seq: int, most: int) -> list[Published]:
        """The document's operations after a rev."""
        document_id = document_of(room)
        [(_, epoch, rev)] = await queries.places(tx, self._server_epoch, [document_id]) or [("", "", 0)]
        upto = min(rev, seq + most)
        return [*await history_queries.changes_between(tx, document_id, epoch, seq, upto)]
