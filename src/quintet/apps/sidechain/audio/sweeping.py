"""Removing sounds that no post took, and ending the processes that hear when the server stops."""

import asyncio
from datetime import timedelta
from typing import Final

from quintet.apps.sidechain.audio import queries
from quintet.kernel.http.call import Kernel
from quintet.kernel.sound.listening import listener_of

KEPT_LOOSE: Final = timedelta(hours=24)
EVERY_SECONDS: Final = 300
_MOST_AT_ONCE: Final = 500


async def keep_sweeping(kernel: Kernel) -> None:
    """Every five minutes: remove what has been without a post for a day."""
    try:
        while True:
            await remove_loose(kernel)
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        await listener_of(kernel).workshop.close()


async def remove_loose(kernel: Kernel) -> None:
    """Remove what has been without a post for a day, with its files, a bounded part at a time."""
    removed = _MOST_AT_ONCE
    while removed == _MOST_AT_ONCE:
        async with kernel.database.statement() as tx:
            removed = await queries.remove_loose(tx, kernel.clock.now() - KEPT_LOOSE, _MOST_AT_ONCE)
