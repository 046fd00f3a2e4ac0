"""Readers that do not keep up: what they miss is told to them, and nobody waits for them."""

import asyncio
import socket
import time
from collections.abc import Generator
from typing import Any

import httpx2
import pytest
from tests.live.wire import Wire, noise, open_wire
from tests.process import ServerProcess, look_at, server_process
from tests.sockets import PATIENCE_SECONDS, connected
from tests.waiting import look_again
from tests.world import Person, World, new_title

from quintet.kernel.live.log import Event

SMALL = 16 * 1024


class NoiseMade(Event):
    """Something large, so that few of them fill what lies between two ends."""

    number: int
    noise: str


async def make_noise(world: World, room: str, number: int, size: int = 32_000, count: int = 10) -> None:
    """Tell the room of `count` large events in one transaction."""

    async def act(tx: Any) -> None:
        for nth in range(count):
            tx.emit(room, NoiseMade(number=number + nth, noise=noise(size)))

    await world.kernel.database.transact(act)


def wire_of(world: World, person: Person) -> Any:
    """The server's end of the person's socket, made to hold little."""
    connection = next(one for one in world.kernel.hub.members if str(one.user_id) == person.id)
    wire = connection.wire
    wire._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    return wire


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await look_again()


async def two_rooms(person: Person) -> list[str]:
    return [f"title:{await new_title(person)}" for _ in range(2)]


async def join_all(wire: Wire, rooms: list[str]) -> None:
    for number, room in enumerate(rooms):
        await wire.say(type="subscribe", id=number, room=room)
        while (await wire.hear()).get("id") != number:
            pass


async def hear_on(wire: Wire, last: int, room: str) -> list[dict[str, Any]]:
    """Everything up to the room's event `last`."""
    heard: list[dict[str, Any]] = []
    while True:
        message = await wire.hear()
        heard.append(message)
        if message.get("room") == room and message["type"] == "noise_made" and message["seq"] == last:
            return heard


async def test_a_slow_reader_is_told_to_read_anew_and_delays_nobody(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    rooms = await two_rooms(ada)
    shed_before = live.kernel.hub.figures.shed_readers
    async with open_wire(live.port, ben.access_token, receive_buffer=SMALL) as slow, connected(ada) as quick:
        await join_all(slow, rooms)
        await quick.ask("subscribe", room=rooms[0])
        wire = wire_of(live, ben)
        worst, told = 0.0, 0
        while not wire._is_shed:
            begun = time.monotonic()
            await make_noise(live, rooms[0], told)
            told += 10
            await quick.events_up_to(told, rooms[0])
            worst = max(worst, time.monotonic() - begun)
            assert wire._waiting_bytes <= 1024 * 1024 + 350_000
            assert told < 2000
        for _ in range(3):  # thrown away at once from now on
            await make_noise(live, rooms[0], told)
            told += 10
            assert wire._waiting_bytes == 0
        # Its own question waits, and its answer is not thrown away.
        await slow.say(type="ping", id="patient")
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1].get("id") != "patient":
            heard.append(await slow.hear())
        await make_noise(live, rooms[0], told, count=1)
        heard += await hear_on(slow, told + 1, rooms[0])
        resets = [one for one in heard if one["type"] == "reset"]
        assert sorted(one["room"] for one in resets) == sorted([*rooms, f"user:{ben.id}"])
        assert {one["epoch"] for one in resets} == {live.kernel.epoch}
        # No hole but where the reset stands.
        seqs = [one["seq"] for one in heard if one.get("room") == rooms[0] and "seq" in one]
        place = seqs.index(told)
        assert seqs[:place] == list(range(1, place + 1))
        assert seqs[place:] == [told, told + 1]
        assert live.kernel.hub.figures.shed_readers == shed_before + 1
        print(
            f"slow reader: {told + 1} events of 32 kB, it took {place}; others waited {worst:.3f} s at most"
        )
        assert worst < 1


async def test_ten_seconds_behind_is_behind_and_ten_more_are_the_end(live: World) -> None:
    ada = await live.person()
    rooms = await two_rooms(ada)
    async with open_wire(live.port, ada.access_token, receive_buffer=SMALL) as slow:
        await join_all(slow, rooms)
        wire = wire_of(live, ada)
        number = 0
        while not wire._is_blocked:
            await make_noise(live, rooms[0], number, count=2)
            number += 2
        assert not wire._is_shed
        live.clock.go(seconds=11)
        await until(lambda: wire._is_shed)
        live.clock.go(seconds=11)
        await until(lambda: wire._is_closing)
        await until(lambda: not [one for one in live.kernel.hub.members if str(one.user_id) == ada.id])
        code, said = await slow.closed()
        assert code == 1013
        seqs = [one["seq"] for one in said if one["type"] == "noise_made"]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_what_is_thrown_away_during_a_replay_is_no_silent_gap(live: World, monkeypatch: Any) -> None:
    ada = await live.person()
    rooms = await two_rooms(ada)
    for number in range(3):
        await make_noise(live, rooms[0], number, count=1)
    hub = live.kernel.hub
    async with open_wire(live.port, ada.access_token, receive_buffer=SMALL) as slow:
        await join_all(slow, rooms[1:])
        wire = wire_of(live, ada)
        plain, gate, asked = hub.missed, asyncio.Event(), asyncio.Event()

        async def one_by_one(room: Any, since: int) -> Any:
            if since == 1:
                asked.set()
                await gate.wait()
            return (await plain(room, since) or [])[:1]

        monkeypatch.setattr(hub, "missed", one_by_one)
        await slow.say(type="subscribe", id="late", room=rooms[0], since=0, epoch=hub.epoch)
        await asked.wait()
        number = 0
        while not wire._is_blocked:
            await make_noise(live, rooms[1], number)
            number += 10
        gate.set()  # the second event waits behind what is not taken
        for _ in range(10):
            await look_again()
        while not wire._is_shed:
            await make_noise(live, rooms[1], number)
            number += 10
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1].get("id") != "late":
            heard.append(await slow.hear())
        replayed = [one for one in heard if one.get("room") == rooms[0]]
        assert [(one["type"], one["seq"]) for one in replayed][-2:] == [("reset", 3), ("subscribed", 3)]
        assert [one["type"] for one in replayed].count("reset") == 1


@pytest.fixture(scope="module")
def process() -> Generator[ServerProcess]:
    with server_process() as running:
        yield running


MORE_NOISE = """
    with grown as (
        insert into kernel.rooms as r (room, seq) values (%(room)s, %(count)s)
        on conflict (room) do update set seq = r.seq + %(count)s returning seq
    )
    insert into kernel.room_events (room, seq, at, body)
    select %(room)s, seq - %(count)s + nth, now(),
           json_build_object('type', 'noise_made', 'noise', repeat('x', 64000))
    from grown, generate_series(1, %(count)s) as nth
"""


@pytest.mark.soak
async def test_under_the_real_server_it_is_the_same(process: ServerProcess) -> None:
    """There the loop is uvloop, whose transports are not those of the other tests."""
    async with httpx2.AsyncClient(base_url=process.url, timeout=30) as http:
        world = World(http, None, None, "", port=process.port)  # type: ignore[arg-type]
        ada, ben = await world.person(), await world.person()
        room = f"title:{await new_title(ada)}"
        async with (
            open_wire(process.port, ada.access_token, receive_buffer=SMALL) as slow,
            connected(ben, world) as quick,
        ):
            await join_all(slow, [room])
            last = (await quick.ask("subscribe", room=room))["seq"]
            with look_at(process) as database:
                for _ in range(4):
                    await asyncio.to_thread(database.execute, MORE_NOISE, {"room": room, "count": 100})
                    last += 100
                    assert (await quick.events_up_to(last, room))[-1]["seq"] == last
                await slow.say(type="ping", id="patient")
                heard: list[dict[str, Any]] = []
                while not heard or heard[-1].get("id") != "patient":
                    heard.append(await slow.hear())
                await asyncio.to_thread(database.execute, MORE_NOISE, {"room": room, "count": 1})
                heard += await hear_on(slow, last + 1, room)
        assert [one["seq"] for one in heard if one["type"] == "reset" and one["room"] == room] == [last]
        seqs = [one["seq"] for one in heard if one.get("room") == room and "seq" in one]
        assert seqs[:-2] == list(range(seqs[0], seqs[0] + len(seqs) - 2))
        assert seqs[-2:] == [last, last + 1]
        assert "Traceback" not in process.tail()
