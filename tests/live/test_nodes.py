"""Several nodes on one database: what happens on one is heard on all, however the line between them fares."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from tests.conftest import clone_database, drop_database, reachable, serving, settings_for_tests
from tests.live.test_replay import emit, fresh_room
from tests.sockets import PATIENCE_SECONDS, connected
from tests.waiting import look_again
from tests.world import World

LISTENERS = "select pid from pg_stat_activity where query = 'listen quintet' and datname = current_database()"


@asynccontextmanager
async def node(dsn: str) -> AsyncGenerator[World]:
    async with serving(settings_for_tests(), dsn) as world, reachable(world):
        yield world


async def know_each_other(*worlds: World) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(world.kernel.wakeups.is_alone for world in worlds):
            await look_again()
        while len(worlds[0].sql(LISTENERS)) < len(worlds):
            await look_again()


@pytest.fixture(scope="module")
async def nodes(worker_name: str) -> AsyncGenerator[tuple[World, World]]:
    name = f"quintet_nodes_{worker_name}"
    dsn = clone_database(name)
    async with node(dsn) as one, node(dsn) as two:
        await know_each_other(one, two)
        yield one, two
    drop_database(name)


async def seconds_until_heard(socket: Any, room: str, seq: int) -> float:
    begun = time.monotonic()
    await socket.events_up_to(seq, room)
    return time.monotonic() - begun


async def test_events_cross_by_wake_up(nodes: tuple[World, World]) -> None:
    one, two = nodes
    room = await fresh_room(one)
    ada = await one.person()
    async with connected(ada, two) as socket:
        await socket.ask("subscribe", room=room)
        took: list[float] = []
        for number in range(1, 21):
            await emit(one, room, number)
            took.append(await seconds_until_heard(socket, room, number))
        took.sort()
        print(f"from node to node: {took[10] * 1000:.0f} ms, at most {took[-1] * 1000:.0f} ms")
        assert took[-2] < 0.2


async def test_without_the_line_polling_finds_it(nodes: tuple[World, World], monkeypatch: Any) -> None:
    one, two = nodes
    room = await fresh_room(one)
    ada = await one.person()
    async with connected(ada, two) as socket:
        await socket.ask("subscribe", room=room)
        with monkeypatch.context() as cut:
            cut.setattr(one.kernel.wakeups, "_gathered", list)
            cut.setattr(one.kernel.wakeups, "_take", lambda _: None)
            took: list[float] = []
            for number in range(1, 4):
                await emit(one, room, number)
                await emit(one, room, 10 + number)
                took.append(await seconds_until_heard(socket, room, number * 2))
            one.kernel.wakeups._seqs.clear()
        print(f"without wake-ups: at most {max(took):.2f} s")
        assert max(took) < 1.3


async def test_a_listener_that_is_cut_off_comes_back(nodes: tuple[World, World]) -> None:
    one, two = nodes
    room = await fresh_room(one)
    ada, ben = await one.person(), await one.person()
    async with connected(ada, two) as socket:
        await socket.ask("subscribe", room=room)
        before = {pid for (pid,) in one.sql(LISTENERS)}
        for pid in before:
            one.sql("select pg_terminate_backend(%s)", pid)
        await emit(one, room, 1)
        async with connected(ben, one) as other:  # a list of people changes while nobody listens
            await other.ask("subscribe", room=room)
            assert await seconds_until_heard(socket, room, 1) < 1.3
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len({pid for (pid,) in one.sql(LISTENERS)} - before) < 2:
                    await look_again()
                heard = [one_ for one_ in socket.heard if one_["type"] == "presence"]
                while ben.id not in [told["user_id"] for told in heard]:
                    heard.append(await socket.until("presence"))
        await emit(one, room, 2)
        assert await seconds_until_heard(socket, room, 2) < 0.3


async def test_a_node_that_dies_is_told_of_and_one_that_was_thought_dead_comes_back(
    nodes: tuple[World, World],
) -> None:
    one, two = nodes
    room = await fresh_room(one)
    ada, ben, cid = await one.person(), await one.person(), await one.person()
    dead = "00000000-0000-7000-8000-0000000dead0"
    one.sql("insert into kernel.nodes (id, seen_at) values (%s, now())", dead)
    for where in ("", room):
        one.sql(
            "insert into kernel.presence (room, user_id, node_id, status, connections, since)"
            " values (%s, %s, %s, 'online', 20, now())",
            where,
            cid.id,
            dead,
        )
    async with connected(ada, one) as here, connected(ben, two) as there:
        joined = await here.ask("subscribe", room=room)
        assert {"user_id": cid.id, "status": "online"} in joined["presence"]
        await there.ask("subscribe", room=room)
        async with AsyncExitStack() as stack:
            with pytest.raises(KeyError):  # no welcome: twenty connections already
                await stack.enter_async_context(connected(cid, one))
        begun = time.monotonic()
        one.sql("update kernel.nodes set seen_at = now() - interval '9.9 s' where id = %s", dead)
        for socket in (here, there):
            told = await socket.until(lambda m: m["type"] == "presence" and m["user_id"] == cid.id)
            assert (told["status"], told["room"]) == ("offline", room)
        took = time.monotonic() - begun + 9.9
        print(f"a dead node's people are told offline {took:.1f} s after it fell silent")
        assert time.monotonic() - begun < 5
        async with connected(cid, one) as back:
            await back.ask("ping")
        # A node that slept through its lease writes everybody down anew.
        two.sql("delete from kernel.nodes where id = %s", two.kernel.wakeups.node_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not two.sql("select 1 from kernel.presence where room = %s and user_id = %s", room, ben.id):
                await look_again()
