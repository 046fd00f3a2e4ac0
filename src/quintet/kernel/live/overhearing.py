"""Rooms that a connection hears without having asked, until its first `subscribe`: for clients that never do.

Invariant: what somebody overhears they may read; it is looked up when they sign in, and again whenever their
own room is reviewed.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from quintet.kernel.live.room import Room

if TYPE_CHECKING:
    from quintet.kernel.live.connection import Connection


async def overhear(connection: "Connection") -> None:
    """Enter the rooms that there are to overhear now, and leave those that are not any more."""
    if connection.overhears:
        async with overheard_rooms(connection) as rooms:
            enter_overheard(connection, rooms)


@asynccontextmanager
async def overheard_rooms(connection: "Connection") -> AsyncGenerator[list[Room]]:
    """The rooms that there are to overhear, held while the block lasts."""
    kernel, actor = connection.kernel, connection.actor
    async with AsyncExitStack() as stack:
        if actor is None or not connection.overhears:
            yield []
            return
        async with kernel.database.statement() as tx:
            names = [name for look in kernel.overhears for name in await look(tx, actor.id)]
        holding = [stack.enter_async_context(kernel.hub.holding(name)) for name in names]
        yield list(await asyncio.gather(*holding))


def enter_overheard(connection: "Connection", rooms: list[Room]) -> None:
    """Hear these rooms, and of those that were not asked for no others."""
    if connection.closed or not connection.overhears:
        return
    connection.stop_overhearing(but={room.name for room in rooms})
    for room in rooms:
        if room.name not in connection.overheard and room.name not in connection.rooms:
            connection.overheard[room.name] = room
            connection.hub.enter(room, connection)
            if room.voice is not None:
                room.voice.begins(connection, room, None)
