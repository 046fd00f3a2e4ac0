"""Keeping files: bytes first, then the row, in the transaction of the change that they belong to.

Invariant: a file with a row has its bytes. Whatever a crash leaves without a row is swept.
"""

from datetime import timedelta
from typing import BinaryIO, Final
from uuid import UUID

import msgspec

from quintet.kernel.clock import Instant
from quintet.kernel.database import Database, Tx
from quintet.kernel.files import queries
from quintet.kernel.files.signing import expiry_from, signed_address
from quintet.kernel.files.storage import Storage
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import Unavailable
from quintet.kernel.secrets import Secrets

# Far longer than storing the bytes and committing the change can take.
PATIENCE: Final = timedelta(hours=1)


class Arrival(msgspec.Struct, frozen=True):
    """A file that has arrived whole."""

    file: BinaryIO
    size_bytes: int
    sha256: bytes


class Kept(msgspec.Struct, frozen=True):
    """Bytes in the storage that are no file yet."""

    id: UUID
    size_bytes: int
    sha256: bytes


class Files:
    """The files of this server."""

    def __init__(self, database: Database, storage: Storage, secrets: Secrets, base: str) -> None:
        self.storage = storage
        self._database = database
        self._secrets = secrets
        self._base = base

    async def put(self, arrival: Arrival) -> Kept:
        """Store what has arrived, before the transaction that makes a file of it; raises Unavailable."""
        kept = Kept(new_id(), arrival.size_bytes, arrival.sha256)
        async with self._database.statement() as tx:
            await queries.expect_leftover(tx, kept.id, PATIENCE)
        await self.storage.put(kept.id, arrival.file)
        return kept

    async def add(self, tx: Tx, kept: Kept, content_type: str, owner_id: UUID) -> None:
        """Make a file of what was stored; raises Unavailable where that was so long ago that it was swept."""
        if not await queries.keep_leftover(tx, kept.id):
            raise Unavailable
        await queries.add_file(tx, kept.id, content_type, kept.size_bytes, kept.sha256, owner_id)

    async def discard(self, kept: Kept) -> None:
        """Remove what was stored for nothing, at once; what became a file stays."""
        async with self._database.statement() as tx:
            if not await queries.doom_leftover(tx, kept.id):
                return
        await self.storage.remove([kept.id])
        async with self._database.statement() as tx:
            await queries.forget_leftovers(tx, [kept.id])

    async def remove(self, tx: Tx, file_ids: list[UUID]) -> None:
        """Remove files with this transaction: nobody can read them after it; the bytes go within minutes."""
        await queries.remove_files(tx, file_ids)

    def address(self, file_id: UUID, now: Instant) -> str:
        """Where whoever is told so can read the file, for six to seven hours."""
        return signed_address(self._secrets, self._base, file_id, expiry_from(now))
