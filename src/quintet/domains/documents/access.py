"""From a caller's document id to a document: who may not read it does not learn whether there is one."""

from quintet.domains.documents import queries
from quintet.domains.documents.kinds import Kinds
from quintet.domains.documents.queries import Document
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import NotFound


async def document_to_read(tx: Tx, kernel: Kernel, actor: Actor, document_id: str) -> Document:
    """The document, which the actor may read; raises NotFound."""
    await check_may_read(tx, kernel.of_parts[Kinds], actor, document_id)
    found = await queries.document(tx, document_id, kernel.epoch)
    if found is None:
        raise NotFound
    return found


async def check_may_read(tx: Tx, kinds: Kinds, actor: Actor, document_id: str) -> None:
    """Raise NotFound where the actor may not read the document, or there is none."""
    if "\0" in document_id or not await kinds.readers(tx, document_id, [actor.id]):
        raise NotFound
    if not await queries.is_there(tx, document_id):
        raise NotFound
