"""Undo: what an operation really did is inverted and moved over everything since.

Invariant: an operation is undone once, and only what it changed itself: of two who deleted the same words,
the one whose deletion was committed first brings them back.
"""

from typing import Final
from uuid import UUID

from quintet.domains.documents import history_queries, queries, rules
from quintet.domains.documents.access import check_may_read
from quintet.domains.documents.desk import Desks
from quintet.domains.documents.kinds import Kinds
from quintet.domains.documents.model import AlreadyUndone, Change, Stored, change_of
from quintet.domains.documents.opening import open_copy
from quintet.domains.documents.ot import Operation, transform
from quintet.kernel.actor import Access, Actor
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import Forbidden, NotFound

PAGE: Final = 500  # operations read at a time


async def undo_operation(tx: Tx, kernel: Kernel, actor: Actor, document_id: str, op_id: UUID) -> Change:
    """Take back an operation of one's own, or as a moderator anybody's; the operation that does so."""
    await check_may_read(tx, kernel.of_parts[Kinds], actor, document_id)
    found = await history_queries.operation(tx, document_id, op_id)
    if found is None:
        raise NotFound
    await _check_may_undo(tx, kernel, actor, document_id, found.stored)
    if found.undone_by is not None:
        raise AlreadyUndone
    op = rules.inverse(found.stored.op, found.stored.removed)
    rev = found.stored.rev
    # Long ago means much to move over: most of it before the lock, so that no writer waits for it.
    while True:
        page = await history_queries.changes_between(tx, document_id, "", rev, rev + PAGE)
        op, rev = _moved(op, page), rev + len(page)
        if len(page) < PAGE:
            break
    copy = await open_copy(tx, kernel, document_id, kernel.of_parts[Desks].known(document_id))
    if copy is None:
        raise NotFound
    found = await history_queries.operation(tx, document_id, op_id)  # as it is under the lock
    if found is None:
        raise NotFound
    if found.undone_by is not None:
        raise AlreadyUndone
    op = _moved(op, await history_queries.changes_between(tx, document_id, copy.epoch, rev, copy.rev))
    stored = copy.commit(
        Stored(0, new_id(), actor.id, None, op, None, "", None, 0, undoes=found.stored.rev), tx.now
    )
    change = change_of(document_id, copy.epoch, stored)
    await queries.write(tx, copy.document_id, copy.text, [change], {})
    await history_queries.note_undone(tx, document_id, found.stored.rev, stored.rev)
    tx.publish(change)
    return change


async def _check_may_undo(tx: Tx, kernel: Kernel, actor: Actor, document_id: str, stored: Stored) -> None:
    """Raise Forbidden unless the operation is the actor's, who may still write, or the actor moderates."""
    if actor.access >= Access.MODERATOR:
        return
    writers = await kernel.of_parts[Kinds].writers(tx, document_id, [actor.id])
    if stored.user_id != actor.id or not writers:
        raise Forbidden


def _moved(op: Operation, over: list[Change]) -> Operation:
    for change in over:
        op = transform(op, change.stored.op, later=True)
    return op
