"""What documents keep in each process, and what their rooms are.

Invariant: there is one desk for a document in a process, and any number of processes.
"""

from typing import TYPE_CHECKING

from quintet.domains.documents import queries
from quintet.domains.documents.access import check_may_read
from quintet.domains.documents.actions import DocumentsWanted
from quintet.domains.documents.desk import Desks
from quintet.domains.documents.kinds import Kinds
from quintet.domains.documents.log import DocumentLog
from quintet.domains.documents.model import ROOM
from quintet.domains.documents.voice import DocumentVoice
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.live.hub import RoomKind

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel


async def begin(kernel: "Kernel") -> None:
    """Be ready for kinds to be registered, and for operations to be handed in."""
    kinds = Kinds()

    async def check_may_join(tx: Tx, actor: Actor, document_id: str) -> None:
        await check_may_read(tx, kinds, actor, document_id)

    async def make(tx: Tx, wanted: DocumentsWanted) -> None:
        ids = kinds.ids_of(wanted.kind, wanted.object_id)
        await queries.insert_documents(tx, wanted.kind, wanted.object_id, ids)

    kernel.of_parts[Kinds] = kinds
    kernel.of_parts[Desks] = Desks(kernel)
    kernel.overhears.append(kinds.rooms_overheard)
    kernel.database.listeners[DocumentsWanted].append(make)
    log, voice = DocumentLog(kernel.epoch), DocumentVoice()
    kernel.hub.add_kind(ROOM, RoomKind(check_may_join, log=log, voice=voice))
