"""Telling followers live: what somebody does comes into the `feed` of those who follow them.

Invariant: each follower hears the deeds of one person in their order, and none is lost: what is to be told
stands in a row until everybody was told. One node at a time passes on, whichever holds the lock.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from quintet.domains.social import telling_queries as queries
from quintet.kernel.actor import Actor
from quintet.kernel.database import Database, Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.live.hub import RoomKind
from quintet.kernel.live.log import Event, Published, body_of
from quintet.kernel.live.names import feed_room

MOST_AT_ONCE: Final = 500  # pairs of a deed and a follower; every one is a row of the log
_PAUSE_SECONDS: Final = 0.03  # however many commits there are, the database is asked so often at most
_LONGEST_SLEEP_SECONDS: Final = 0.5  # until another node's deeds are looked for


async def tell_followers(tx: Tx, author_id: UUID, event: Event) -> None:
    """Let those who follow the author hear of it in their `feed`, soon after this transaction's commit."""
    await queries.add_telling(tx, author_id, body_of(event).decode(), tx.now)


async def note_listener(tx: Tx, actor: Actor, _rest: str) -> None:
    """Everybody may hear their own feed; from now on it is written."""
    await queries.add_listener(tx, actor.id, tx.now)


async def pass_on(database: Database) -> int:
    """Pass the oldest deeds on, as many as fit into one transaction; to how many followers."""

    async def act(tx: Tx) -> int:
        if not await queries.take_turn(tx):
            return 0
        oldest = await queries.oldest_tellings(tx)
        if not oldest:
            return 0
        told = await queries.followers_to_tell(tx, [one.id for one in oldest], MOST_AT_ONCE)
        deeds = {one.id: one for one in oldest}
        for one in told:
            deed = deeds[one.telling_id]
            tx.pass_on(feed_room(one.follower_id), deed.body.encode(), deed.author_id)
        if len(told) == MOST_AT_ONCE:
            last = told[-1]
            await queries.note_told(tx, last.telling_id, last.follower_id)
            await queries.remove_tellings(tx, [one.id for one in oldest if one.id < last.telling_id])
        else:
            await queries.remove_tellings(tx, [one.id for one in oldest])
        return len(told)

    return await database.transact(act)


async def keep_passing_on(kernel: Kernel) -> None:
    """Pass on what is waiting: soon after a commit of this node, and twice a second whatever others did."""
    wake = asyncio.Event()

    def notice(_published: Sequence[Published]) -> None:
        wake.set()

    kernel.database.on_commit.append(notice)
    try:
        while True:
            async with kernel.database.statement() as tx:
                is_waiting = await queries.is_anything_waiting(tx)
            while is_waiting and await pass_on(kernel.database) == MOST_AT_ONCE:
                pass
            await asyncio.sleep(_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), _LONGEST_SLEEP_SECONDS)
            wake.clear()
    finally:
        kernel.database.on_commit.remove(notice)


FEED: Final = RoomKind(note_listener, shows_presence=False, hides_people=True)
