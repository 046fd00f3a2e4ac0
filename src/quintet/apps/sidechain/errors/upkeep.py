"""Removing error reports that are 90 days old.

Invariant: a bounded part at a time, each its own transaction, so that nobody who reports waits for it.
"""

import asyncio
from datetime import timedelta
from typing import Final

from quintet.apps.sidechain.errors import upkeep_queries as queries
from quintet.kernel.clock import Instant
from quintet.kernel.database import Database
from quintet.kernel.http.call import Kernel

EVERY_SECONDS: Final = 3600
KEPT: Final = timedelta(days=90)
MOST_ROWS: Final = 1000


async def errors_upkeep(kernel: Kernel) -> None:
    """Once an hour: remove what is older than 90 days."""
    await remove_old(kernel.database, kernel.clock.now())
    await asyncio.sleep(EVERY_SECONDS)


async def remove_old(database: Database, now: Instant, most: int = MOST_ROWS) -> None:
    """Remove what is 90 days old at that time, `most` rows in each transaction; rows before groups."""
    before = Instant.at(now - KEPT)
    removals = (
        (queries.remove_old_errors, before),
        (queries.remove_old_hours, before),
        (queries.remove_old_groups, before),
        (queries.remove_old_releases, before),
        (queries.remove_idle_reporters, Instant.at(now - timedelta(days=1))),
    )
    for remove, limit in removals:
        removed = most
        while removed == most:
            async with database.statement() as tx:
                removed = await remove(tx, limit, most)
