"""Opening a document to write: the lock of its row, and this process's copy brought up to date under it.

Invariant: what comes out of here is the newest text, and stays so until the transaction ends.
"""

from collections.abc import Collection
from uuid import UUID

from quintet.domains.documents import queries
from quintet.domains.documents.judging import Copy, SessionKey
from quintet.domains.documents.kinds import Kinds
from quintet.domains.documents.model import MOST_BEHIND, change_of
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel


async def open_copy(
    tx: Tx, kernel: Kernel, document_id: str, known: Copy | None, sessions: Collection[SessionKey] = ()
) -> Copy | None:
    """The document, locked, as of its newest rev; `known` stays as it is. None where there is none."""
    place = (known.epoch, known.rev) if known else ("", 0)
    opened = await queries.open_to_write(tx, document_id, kernel.epoch, place, [*sessions])
    if opened is None:
        return None
    if opened.content is not None or known is None:
        text = opened.content or ""
        copy = Copy(document_id, opened.epoch, opened.rev, text, opened.server_timestamp)
    else:
        copy = known.branch()
        for stored in opened.changes:
            copy.take(change_of(document_id, opened.epoch, stored))
    copy.floor_rev = opened.floor_rev
    copy.sessions = dict(opened.sessions)
    return copy


async def remember_since(tx: Tx, copy: Copy, rev: int) -> None:
    """Let the copy know the changes after `rev`, as far as anybody may still build on them."""
    lowest = max(rev, copy.floor_rev, copy.rev - MOST_BEHIND)
    if lowest < copy.first_rev:
        first, last = lowest, copy.first_rev
        copy.remember(await queries.changes_between(tx, copy.document_id, copy.epoch, first, last))


async def learn_rights(tx: Tx, kernel: Kernel, copy: Copy, users: set[UUID]) -> None:
    """Ask the document's kind which of these users may write it, and which of the others may read it."""
    kinds = kernel.of_parts[Kinds]
    copy.writers = await kinds.writers(tx, copy.document_id, users)
    others = users - copy.writers
    copy.readers = await kinds.readers(tx, copy.document_id, others) if others else set()
