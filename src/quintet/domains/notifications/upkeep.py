"""Removing notifications that are old: nothing has happened to them for 90 days.

Invariant: a bounded part at a time. That nobody keeps more than the newest thousand is seen to by
`notifications.fold`, whenever one is added.
"""

import asyncio
from datetime import timedelta
from typing import Final

from quintet.domains.notifications import preference_queries as queries
from quintet.kernel.clock import Instant
from quintet.kernel.database import Database
from quintet.kernel.http.call import Kernel

KEPT: Final = timedelta(days=90)
EVERY_SECONDS: Final = 3600
MOST_ROWS: Final = 1000


async def notifications_upkeep(kernel: Kernel) -> None:
    """Once an hour: remove what is old."""
    await remove_old(kernel.database, kernel.clock.now())
    await asyncio.sleep(EVERY_SECONDS)


async def remove_old(database: Database, now: Instant, most: int = MOST_ROWS) -> None:
    """Remove everything that is old, `most` rows in each transaction."""
    for remove in (queries.remove_old, queries.remove_old_announcements):
        removed = most
        while removed == most:
            async with database.statement() as tx:
                removed = await remove(tx, now - KEPT, most)
