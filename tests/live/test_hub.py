"""The hub itself: one member's trouble is no other's, and nothing is kept for nobody."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.live.test_rooms import own_event
from tests.sockets import connected
from tests.waiting import look_again
from tests.world import World, mark, new_title

from quintet.kernel.refusals import Unavailable


async def test_a_bug_at_one_member_costs_the_others_nothing(live: World) -> None:
    ada = await live.person()
    title = await new_title(ada)
    room = f"title:{title}"
    async with connected(ada) as broken, connected(ada) as good:
        await broken.ask("subscribe", room=room)
        first = next(iter(live.kernel.hub.rooms[room].members))
        await good.ask("subscribe", room=room)

        def hear(*_: Any) -> None:
            raise RuntimeError

        first.hear = hear  # type: ignore[method-assign]
        await mark(ada, title, 50)
        await own_event(good, room)
        assert await broken.closed() == 1011


async def test_rooms_nobody_hears_are_forgotten(live: World) -> None:
    ada = await live.person()
    rooms = [f"title:{await new_title(ada)}" for _ in range(5)]
    async with AsyncExitStack() as stack:
        for room in rooms:
            socket = await stack.enter_async_context(connected(ada))
            await socket.ask("subscribe", room=room)
    hub = live.kernel.hub

    async def away(*_: Any) -> None:
        raise Unavailable

    plain, hub._learn = hub._learn, away  # type: ignore[method-assign]
    try:
        with pytest.raises(Unavailable):
            async with hub.holding("title:never-learnt"):
                pass
    finally:
        hub._learn = plain  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        while any(room in hub.rooms for room in [*rooms, "title:never-learnt", f"user:{ada.id}"]):
            live.clock.go(seconds=31)
            await look_again()
