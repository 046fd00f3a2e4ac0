"""Reading a document's history: its operations, and the text as it was.

Invariant: whatever lies above the history's floor can be read: the text at the floor is kept as a snapshot.
"""

import asyncio

from quintet.domains.documents import history_queries
from quintet.domains.documents.model import Change, HistoryCollected
from quintet.domains.documents.ot import apply
from quintet.domains.documents.queries import Document
from quintet.kernel.database import Tx
from quintet.kernel.refusals import NotFound


async def text_at(tx: Tx, document_id: str, found: Document, rev: int) -> str:
    """The text as it was at `rev`; raises NotFound above the newest rev, HistoryCollected below the floor."""
    if rev > found.rev:
        raise NotFound
    if rev < found.floor_rev:
        raise HistoryCollected
    snapshot = await history_queries.snapshot_before(tx, document_id, rev)
    at, text = snapshot or (0, "")
    changes = await history_queries.changes_between(tx, document_id, found.epoch, at, rev)
    # Hundreds of changes of a long text take a while: not in the loop's time.
    return await asyncio.to_thread(_led_to, text, changes)


def _led_to(text: str, changes: list[Change]) -> str:
    for change in changes:
        text = apply(text, change.stored.op)
    return text
