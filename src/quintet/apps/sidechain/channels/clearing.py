"""Clearing away what ended channels leave behind, beside the requests and a part at a time.

Invariant: a channel without members exists for nobody, so how long this takes is nobody's wait. So also
ends a channel whose last member's account was deleted.
"""

import asyncio
from typing import Final

from quintet.apps.sidechain.channels import clearing_queries as queries
from quintet.apps.sidechain.channels import documents
from quintet.domains.notifications import withdraw_object
from quintet.kernel.database import Database, Tx
from quintet.kernel.http.call import Kernel

PAUSE_SECONDS: Final = 5.0
POSTS_AT_ONCE: Final = 200  # each takes its likes, reactions and comments with it


async def clear_away(database: Database) -> bool:
    """Remove a part of what an ended channel left; False where there is nothing."""

    async def act(tx: Tx) -> bool:
        ended = await queries.lock_ended_channel(tx)
        if ended is None:
            return False
        removed = await queries.remove_posts(tx, ended, POSTS_AT_ONCE)
        for post_id in removed:
            await withdraw_object(tx, post_id)
        if len(removed) < POSTS_AT_ONCE:
            await documents.delete_documents(tx, ended)
            await queries.remove_channel(tx, ended)
        return True

    return await database.transact(act)


async def keep_clearing_away(kernel: Kernel) -> None:
    """Clear away whatever has ended; for as long as the server runs."""
    while True:
        while await clear_away(kernel.database):
            pass
        await asyncio.sleep(PAUSE_SECONDS)
