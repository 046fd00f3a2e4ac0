"""Telling followers what is never stored: that somebody is here, or plays something.

Invariant: it reaches those who follow somebody and listen to their feed now, on whatever node; each node asks
for its own listeners, once for all that gathered.
"""

import asyncio
from typing import Final
from uuid import UUID

import msgspec

from quintet.domains.social import transient_queries as queries
from quintet.kernel.http.call import Kernel
from quintet.kernel.live.names import FEED, FOLLOWERS, feed_room

PAUSE_SECONDS: Final = 0.05  # in which messages gather for one question
MOST_AT_ONCE: Final = 200  # messages in one question
MOST_WAITING: Final = 10_000  # beyond this they are lost, as such messages may be


class Waiting(msgspec.Struct, frozen=True):
    """A message for those who follow a user and, where it is about somebody else, see them."""

    user_id: UUID
    about_id: UUID
    text: bytes


async def keep_telling_followers(kernel: Kernel) -> None:
    """Bring what is said to followers into their feeds; for as long as the server runs."""
    waiting: list[Waiting] = []
    wake = asyncio.Event()

    def take(name: str, text: bytes) -> None:
        if len(waiting) < MOST_WAITING and kernel.hub.members:
            _, user_id, about_id = name.split(":")
            waiting.append(Waiting(UUID(user_id), UUID(about_id), text))
            wake.set()

    kernel.hub.audiences[FOLLOWERS] = take
    while True:
        await wake.wait()
        await asyncio.sleep(PAUSE_SECONDS)
        wake.clear()
        while waiting:
            told = waiting[:MOST_AT_ONCE]
            del waiting[:MOST_AT_ONCE]
            await _tell(kernel, told)


async def _tell(kernel: Kernel, told: list[Waiting]) -> None:
    prefix = f"{FEED}:"
    listeners = [
        name.removeprefix(prefix)
        for name, room in kernel.hub.rooms.items()
        if name.startswith(prefix) and room.members
    ]
    if not listeners:
        return
    async with kernel.database.statement() as tx:
        found = await queries.followers_among(
            tx, [one.user_id for one in told], [one.about_id for one in told], listeners
        )
    for nth, follower_id in found:
        kernel.hub.say(feed_room(follower_id), told[nth - 1].text, told[nth - 1].user_id)
