"""Removing what has run out: refresh tokens, sessions, addresses.

Invariant: only what can no longer decide anything is removed, a bounded part at a time.
"""

import asyncio
from typing import Final

from quintet.domains.accounts import queries, session_queries
from quintet.kernel.database import Database
from quintet.kernel.http.call import Kernel

EVERY_SECONDS: Final = 3600
MOST_ROWS: Final = 1000


async def accounts_upkeep(kernel: Kernel) -> None:
    """Once an hour: remove what has run out."""
    await remove_expired(kernel.database)
    await asyncio.sleep(EVERY_SECONDS)


async def remove_expired(database: Database, most: int = MOST_ROWS) -> None:
    """Remove everything that has run out, `most` rows in each transaction."""
    removals = (
        session_queries.remove_expired_tokens,
        session_queries.remove_expired_sessions,
        queries.remove_old_addresses,
    )
    for remove in removals:
        removed = most
        while removed == most:
            async with database.statement() as tx:
                removed = await remove(tx, most)
