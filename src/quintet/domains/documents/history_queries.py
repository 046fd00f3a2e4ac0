"""Statements about the past of documents: their operations, one by one, and the texts kept as snapshots.

Invariant: between the floor and the newest rev no operation is missing.
"""

from typing import NamedTuple
from uuid import UUID

import msgspec

from quintet.domains.documents.model import Change, Stored, change_of
from quintet.kernel.database import Tx

_OPERATIONS = msgspec.json.Decoder(list[Stored])


async def changes_between(tx: Tx, document_id: str, epoch: str, after: int, upto: int) -> list[Change]:
    """The document's changes after a rev, up to another one."""
    text = await tx.value("select documents.operations_between($1, $2, $3)", document_id, after, upto)
    return [change_of(document_id, epoch, stored) for stored in _OPERATIONS.decode(text)]


class Undoable(NamedTuple):
    """An operation, and the rev that took it back."""

    stored: Stored
    undone_by: int | None


async def operation(tx: Tx, document_id: str, op_id: UUID) -> Undoable | None:
    """The operation of that name, where it is kept still."""
    return await tx.maybe(
        lambda text, undone_by: Undoable(_OPERATIONS.decode(text)[0], undone_by),
        """
        select documents.operations_between(document_id, rev - 1, rev), undone_by
        from documents.operations
        where op_id = $2 and document_id = $1
        """,
        document_id,
        op_id,
    )


async def note_undone(tx: Tx, document_id: str, rev: int, by: int) -> None:
    """Remember which operation took this one back."""
    await tx.send(
        "update documents.operations set undone_by = $3 where document_id = $1 and rev = $2",
        document_id,
        rev,
        by,
    )


async def rev_at(tx: Tx, document_id: str, low: int, high: int, timestamp: int) -> int:
    """The last rev from `low` to `high` that is not newer than a server's timestamp; `low` where all are."""
    return await tx.value("select documents.rev_at($1, $2, $3, $4)", document_id, low, high, timestamp)


async def snapshot_before(tx: Tx, document_id: str, rev: int) -> tuple[int, str] | None:
    """The newest snapshot that is not newer than `rev`: its rev and its text."""
    return await tx.maybe(
        lambda at, content: (at, content),
        """
        select rev, content from documents.snapshots where document_id = $1 and rev <= $2
        order by rev desc
        limit 1
        """,
        document_id,
        rev,
    )


async def insert_snapshot(tx: Tx, document_id: str, rev: int, content: str) -> None:
    """Keep the text as it is at that rev."""
    await tx.send(
        "insert into documents.snapshots values ($1, $2, $3) on conflict do nothing",
        document_id,
        rev,
        content,
    )
