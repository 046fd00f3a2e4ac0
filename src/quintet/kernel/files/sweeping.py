"""Sweeping: removes bytes that no file names, a bounded part at a time.

Invariant: what is swept was doomed first, by a commit of its own: so it cannot become a file meanwhile.
"""

import asyncio
from datetime import timedelta
from typing import Final

from quintet.kernel.files import queries
from quintet.kernel.http.call import Kernel

EVERY_SECONDS: Final = 60
MOST_AT_ONCE: Final = 100
_AGAIN: Final = timedelta(minutes=10)  # after a sweep that was killed


async def sweep_files(kernel: Kernel) -> None:
    """Once a minute: remove what is due."""
    while await sweep_some(kernel) == MOST_AT_ONCE:
        pass
    await asyncio.sleep(EVERY_SECONDS)


async def sweep_some(kernel: Kernel) -> int:
    """Remove the bytes of up to a hundred leftovers; how many there were."""
    async with kernel.database.statement() as tx:
        due = await queries.doom_leftovers(tx, MOST_AT_ONCE, _AGAIN)
    if due:
        await kernel.files.storage.remove(due)
        async with kernel.database.statement() as tx:
            await queries.forget_leftovers(tx, due)
    return len(due)
