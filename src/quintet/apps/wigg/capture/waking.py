"""Waking captures up when they come to a milestone.

Invariant: what is to be told stands in the captures' rows (`wakes_at`), never here; so any node may wake any
capture, and a node that dies leaves nothing untold.
"""

import asyncio
from typing import Final

from quintet.apps.wigg.capture import wake_queries as queries
from quintet.apps.wigg.capture.actions import MOST_AT_ONCE, wake_due
from quintet.kernel.http.call import Kernel

_LONGEST_SLEEP_SECONDS: Final = 1.0
_SHORTEST_SLEEP_SECONDS: Final = 0.02  # what is due but taken by another node needs no haste


async def keep_waking(kernel: Kernel) -> None:
    """Sleep until the earliest wake-up (a second at most: another node may have planned an earlier one)."""
    while True:
        async with kernel.database.statement() as tx:
            earliest, now = await queries.next_wake_up(tx), tx.now
        wait = _LONGEST_SLEEP_SECONDS if earliest is None else (earliest - now).total_seconds()
        if wait <= 0:
            woken = await wake_due(kernel.database)
            wait = 0 if woken == MOST_AT_ONCE else _SHORTEST_SLEEP_SECONDS
        await asyncio.sleep(min(wait, _LONGEST_SLEEP_SECONDS))
