"""Opening a document to write: the lock of its row, and this process's copy brought up to date under it.

Invariant: what comes out of here is the newest text, and stays so until the transaction ends.
"""

import asyncio
from collections.abc import Awaitable, Collection
from typing import TypeVar
from uuid import UUID

from quintet.domains.documents import history_queries, queries
from quintet.domains.documents.copies import Copy, SessionKey
from quintet.domains.documents.kinds import Kinds
from quintet.domains.documents.model import MOST_BEHIND, change_of
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel

T = TypeVar("T")
U = TypeVar("U")


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
        copy.remember(await history_queries.changes_between(tx, copy.document_id, copy.epoch, first, last))


async def rights_of(
    tx: Tx, kernel: Kernel, document_id: str, users: set[UUID]
) -> tuple[set[UUID], set[UUID]]:
    """Which of these users may write the document, and which of the others may read it."""
    kinds = kernel.of_parts[Kinds]
    writers = await kinds.writers(tx, document_id, users)
    others = users - writers
    return writers, await kinds.readers(tx, document_id, others) if others else set()


async def together(one: Awaitable[T], other: Awaitable[U]) -> tuple[T, U]:
    """Both answers; where one fails the other is waited for all the same: they share a connection."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    for found in (first, second):
        if isinstance(found, BaseException):
            raise found
    return first, second  # pyright: ignore[reportReturnType] (no exceptions, as the loop has seen)
