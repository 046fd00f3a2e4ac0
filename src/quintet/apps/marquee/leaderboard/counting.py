"""Keeping the counters in step with what happens elsewhere: accounts that close or open, days that pass.

Invariant: what a private account ranks is in no public counter from the commit that closes it on.
"""

import asyncio
from datetime import timedelta
from typing import Final

from quintet.apps.marquee.leaderboard import day_queries
from quintet.apps.marquee.leaderboard.model import LEADERBOARD
from quintet.apps.marquee.leaderboard.rules import DAYS_KEPT
from quintet.domains.social import PrivacyChanged
from quintet.kernel.database import Database, Tx
from quintet.kernel.http.call import Kernel

_EVERY_SECONDS: Final = 3600
_MOST_ROWS: Final = 10_000


async def follow_privacy(tx: Tx, changed: PrivacyChanged) -> None:
    """Take somebody's rankings out of what everybody sees, or put them in."""
    await day_queries.set_private(tx, changed.user_id, is_private=changed.is_private)
    tx.touch(LEADERBOARD)


async def keep_few_days(kernel: Kernel) -> None:
    """Once an hour: remove the counters of days that nobody asks for any more."""
    await remove_old_days(kernel.database)
    await asyncio.sleep(_EVERY_SECONDS)


async def remove_old_days(database: Database, most: int = _MOST_ROWS) -> None:
    """Remove old counters, `most` rows in each transaction."""
    oldest = database.clock.now().date() - timedelta(days=DAYS_KEPT)
    for remove in (day_queries.remove_media_days, day_queries.remove_ranker_days):
        removed = most
        while removed == most:
            async with database.statement() as tx:
                removed = await remove(tx, oldest, most)
