"""The kernel's statements about files.

Invariant: every stored byte belongs to a row: of a file, or of a leftover that the sweep will find.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array


class FileRow(msgspec.Struct, frozen=True):
    """What is known of a file."""

    id: UUID
    content_type: str
    size_bytes: int
    sha256: bytes
    owner_id: UUID
    created_at: Instant


async def expect_leftover(tx: Tx, file_id: UUID, patience: timedelta) -> None:
    """Note that bytes are about to be stored that nobody may ever come to name."""
    await tx.run(
        """
        insert into kernel.file_leftovers (file_id, due_at, is_doomed)
        values ($1, now() + $2, false)
        """,
        file_id,
        patience,
    )


async def keep_leftover(tx: Tx, file_id: UUID) -> bool:
    """Whether the bytes are there to be named by a file; then they are no leftover any more."""
    return await tx.run("delete from kernel.file_leftovers where file_id = $1 and not is_doomed", file_id) > 0


async def add_file(
    tx: Tx, file_id: UUID, content_type: str, size: int, sha256: bytes, owner_id: UUID
) -> None:
    """Write what is known of a file."""
    await tx.send(
        """
        insert into kernel.files (id, content_type, bytes, sha256, owner_id, created_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        file_id,
        content_type,
        size,
        sha256,
        owner_id,
        tx.now,
    )


async def remove_files(tx: Tx, file_ids: list[UUID]) -> None:
    """Remove files; their bytes become leftovers."""
    await tx.send("select kernel.remove_files($1::uuid[])", array(file_ids))


async def file(tx: Tx, file_id: UUID) -> FileRow | None:
    """What is known of a file, or None."""
    return await tx.maybe(
        _file,
        "select id, content_type, bytes, sha256, owner_id, created_at from kernel.files where id = $1",
        file_id,
    )


def _file(
    file_id: UUID, content_type: str, size: int, sha256: bytes, owner_id: UUID, created_at: Instant
) -> FileRow:
    return FileRow(file_id, content_type, size, bytes(sha256), owner_id, created_at)


async def doom_leftovers(tx: Tx, most: int, again: timedelta) -> list[UUID]:
    """Up to `most` leftovers that are due, doomed from now on; due again should this sweep not finish."""
    """Up to `most` leftovers that are due, doomed from now on; due again if this sweep does not end."""
    # takes as many again.
    return await tx.all(
        lambda file_id: file_id,
        """
        with due as materialized (
            select file_id from kernel.file_leftovers where due_at <= now() order by due_at limit $1
            for update skip locked
        )
        update kernel.file_leftovers set is_doomed = true, due_at = now() + $2
        where file_id in (select file_id from due)
        returning file_id
        """,
        most,
        again,
    )


async def forget_leftovers(tx: Tx, file_ids: list[UUID]) -> None:
    """Their bytes are gone."""
    await tx.run("delete from kernel.file_leftovers where file_id = any($1::uuid[])", array(file_ids))


async def doom_leftover(tx: Tx, file_id: UUID) -> bool:
    """Whether the bytes are no file's; then they never will be."""
    return await tx.run("update kernel.file_leftovers set is_doomed = true where file_id = $1", file_id) > 0
