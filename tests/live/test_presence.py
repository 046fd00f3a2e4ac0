"""Presence: who is there, told at once and without anybody left behind."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import reachable, serving, settings_for_tests
from tests.sockets import PATIENCE_SECONDS, Message, Socket, connected
from tests.waiting import look_again
from tests.world import Person, World, new_title

from quintet.kernel.live.presence import Listed


async def a_room(world: World) -> str:
    return f"title:{await new_title(await world.person())}"


def of(person: Person, status: str, room: str | None = None) -> Callable[[Message], bool]:
    return lambda told: (
        told["type"] == "presence"
        and told["user_id"] == person.id
        and told["status"] == status
        and room in (None, told.get("room"))
    )


async def joined(socket: Socket, room: str) -> dict[str, dict[str, Any]]:
    """Join; who is there, by user."""
    told = await socket.ask("subscribe", room=room)
    assert told["type"] == "subscribed", told
    assert told["presence_total"] == len(told["presence"])
    return {one["user_id"]: one for one in told["presence"]}


async def test_coming_and_going_is_told_to_the_room(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    room, other = await a_room(live), await a_room(live)
    async with connected(ada) as watcher:
        await joined(watcher, room)
        await watcher.until(of(ada, "online", room))  # oneself, too
        async with connected(ben) as socket:
            assert (await joined(socket, room)).keys() >= {ada.id}
            told = await watcher.until(of(ben, "online"))
            fields = {"user_id", "status", "at"}
            assert told.keys() == {"type", "room", "payload"} | fields
            assert told["payload"] == {name: told[name] for name in fields}
            await joined(socket, other)
            await socket.ask("unsubscribe", room=room)
            assert (await watcher.until(of(ben, "offline")))["room"] == room
            await joined(socket, room)
            await watcher.until(of(ben, "online"))
        async with asyncio.timeout(1):
            await watcher.until(of(ben, "offline"))
        assert not [one for one in watcher.heard if one.get("room") == other]


async def written(world: World, room: str, person: Person, nodes: int) -> None:
    """So many nodes have written down that the person is in the room, soon after they said so."""
    asked = "select count(*) from kernel.presence where room = %s and user_id = %s"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while world.sql(asked, room, person.id) != [(nodes,)]:
            await look_again()


async def test_a_user_with_two_tabs_is_there_until_the_last_goes(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    room = await a_room(live)
    async with serving(settings_for_tests(), live.dsn) as other, reachable(other), connected(ada) as watcher:
        await joined(watcher, room)
        async with AsyncExitStack() as stack:
            tabs = [await stack.enter_async_context(connected(ben, world)) for world in (live, live, other)]
            for tab in tabs:
                await joined(tab, room)
            await watcher.until(of(ben, "online"))
            await written(live, room, ben, nodes=2)
            for tab in tabs[:2]:
                await tab.socket.close()
            await tabs[2].say("presence", status="in_studio", room=room)
            await watcher.until(of(ben, "in_studio"))
            assert not [one for one in watcher.heard if of(ben, "offline")(one)]
        await watcher.until(of(ben, "offline"))


async def test_status_and_mode_in_one_room_and_in_all(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    rooms = [await a_room(live) for _ in range(2)]
    async with connected(ada) as watcher, connected(ben) as socket:
        for room in rooms:
            await joined(watcher, room)
            await joined(socket, room)
            await watcher.until(of(ben, "online", room))
        await socket.say("presence", status="in_studio", room=rooms[0], mode="mixing")
        told = await watcher.until(of(ben, "in_studio"))
        assert (told["room"], told["mode"], told["payload"]["mode"]) == (rooms[0], "mixing", "mixing")
        async with connected(await live.person()) as late:
            there = await joined(late, rooms[0])
            assert there[ben.id] == {"user_id": ben.id, "status": "in_studio", "mode": "mixing"}
            assert (await joined(late, rooms[1]))[ben.id] == {"user_id": ben.id, "status": "online"}
        await socket.say("presence", status="in_studio", mode="x" * 32)
        told = await watcher.until(of(ben, "in_studio", rooms[1]))
        assert told["mode"] == "x" * 32
        await socket.say("presence", status="online", room=rooms[0])
        assert "mode" not in await watcher.until(of(ben, "online", rooms[0]))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "offline"}, "invalid_message"),
        ({"status": "away"}, "invalid_message"),
        ({}, "invalid_message"),
        ({"status": "online", "mode": 1}, "invalid_message"),
        ({"status": "online", "mode": "x" * 33}, "invalid_message"),
        ({"status": "online", "room": "title:not-joined"}, "not_subscribed"),
        ({"status": "online", "room": ""}, "not_subscribed"),
    ],
)
async def test_presence_that_is_refused(live: World, fields: Message, code: str) -> None:
    async with connected(await live.person()) as socket:
        assert (await socket.ask("presence", **fields))["code"] == code


async def test_of_many_people_two_hundred_are_listed_and_all_counted(live: World) -> None:
    room = await a_room(live)
    node = uuid4()
    live.sql("insert into kernel.nodes (id, seen_at) values (%s, now() + interval '1 minute')", node)
    live.sql(
        "insert into kernel.presence (room, user_id, node_id, status, connections, since)"
        " select %s, gen_random_uuid(), %s, 'online', 1, now() from generate_series(1, 250)",
        room,
        node,
    )
    try:
        async with connected(await live.person()) as socket:
            told = await socket.ask("subscribe", room=room)
            assert (len(told["presence"]), told["presence_total"]) == (200, 250)
    finally:
        live.sql("delete from kernel.nodes where id = %s", node)


async def test_who_comes_during_a_long_replay_is_in_the_list(live: World, monkeypatch: Any) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    room = await a_room(live)
    hub = live.kernel.hub
    asked, gate, plain = asyncio.Event(), asyncio.Event(), hub.missed

    async def slow(*given: Any) -> Any:
        asked.set()
        await gate.wait()
        return await plain(*given)

    async with connected(ada) as socket, connected(ben) as other:
        with monkeypatch.context() as patch:
            patch.setattr(hub, "missed", slow)
            await socket.say("subscribe", id=3, room=room, since=0, epoch=hub.epoch)
            await asked.wait()
        await joined(other, room)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while ben.id not in [str(one) for one in live.kernel.presence._listed[room].present]:
                await look_again()
        gate.set()
        told = await socket.until("subscribed")
        assert ben.id in [one["user_id"] for one in told["presence"]]


async def test_who_comes_while_the_list_is_being_read_is_told(live: World, monkeypatch: Any) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    room = await a_room(live)
    presence: Any = live.kernel.presence
    plain, has_read, gate = presence._read, asyncio.Event(), asyncio.Event()
    listed = presence._listed

    async def slow(rooms: list[str]) -> None:
        """Look, and tell of it late: as when the database's answer takes its time."""
        if rooms == [room] and not has_read.is_set():
            live.kernel.presence._read = plain  # type: ignore[method-assign]
            has_read.set()
            await gate.wait()
            listed[room] = Listed({}, 0)  # what it saw before anybody came
            return
        await plain(rooms)

    monkeypatch.setattr(presence, "_read", slow)
    async with connected(ada) as one:
        await one.say("subscribe", id=1, room=room)
        await has_read.wait()
        live.sql(
            "insert into kernel.presence (room, user_id, node_id, status, connections, since)"
            " values (%s, %s, %s, 'online', 1, now())",
            room,
            ben.id,
            live.kernel.wakeups.node_id,
        )
        presence.look_at([room])  # another node's hint
        gate.set()
        await one.until("subscribed")
        await one.until(of(ben, "online"))
        live.sql("delete from kernel.presence where room = %s and user_id = %s", room, ben.id)


async def test_nothing_stays_behind(live: World) -> None:
    people = [await live.person() for _ in range(5)]
    rooms = [await a_room(live) for _ in range(3)]

    async def visit(person: Person) -> None:
        async with connected(person) as socket:
            for room in rooms:
                await socket.ask("subscribe", room=room)
                await socket.say("presence", status="in_studio", room=room, mode="m")
            await socket.say("presence", status="in_studio", mode="m")
            await socket.ask("unsubscribe", room=rooms[0])
            await socket.ask("ping")

    async def vanish(person: Person) -> None:
        """Connect and break off, at whatever point of signing in or joining."""
        socket = await AsyncExitStack().enter_async_context(connected(person))
        await socket.say("subscribe", id=1, rooms=[{"room": room} for room in rooms])
        socket.socket.transport.abort()

    await asyncio.gather(*(act(person) for person in people * 3 for act in (visit, vanish)))
    presence: Any = live.kernel.presence

    def behind() -> list[Any]:
        written = live.sql("select * from kernel.presence where node_id = %s", live.kernel.wakeups.node_id)
        listed = presence._listed.keys() & set(rooms)
        here = live.kernel.hub.figures.connections
        return [one for one in (here, presence._changed, written, listed) if one]

    try:
        async with asyncio.timeout(2 * PATIENCE_SECONDS):
            while behind():
                await look_again()
    except TimeoutError:
        tasks = [task.get_stack(limit=1) for task in asyncio.all_tasks()]
        pytest.fail(f"left behind: {behind()}, arriving {dict(presence._arriving)}, at work {tasks}")
    assert (presence._connections, presence._said, presence._reading) == ({}, {}, {})
    assert not presence._arriving
    assert not live.kernel.hub.members
    for room in rooms:
        left = live.kernel.hub.rooms[room]
        assert (left.members, left.holders) == ({}, 0)
