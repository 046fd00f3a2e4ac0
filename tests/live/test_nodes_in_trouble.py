"""Nodes that come and go, wake-ups that are lost, a database that is killed: no silent gap."""

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.live.test_nodes import know_each_other, node, nodes
from tests.live.test_replay import come_back, emit, fresh_room, log_of
from tests.process import temporary_folder
from tests.sockets import PATIENCE_SECONDS, Message, connected
from tests.waiting import look_again, wait_until
from tests.world import Person, World
from websockets.exceptions import WebSocketException

from quintet.kernel.migrations import migrate
from quintet.kernel.postgres import Cluster
from quintet.kernel.refusals import Unavailable

__all__ = ["nodes"]  # the fixture


async def test_random_drops_restarts_and_lost_wake_ups(nodes: tuple[World, World], monkeypatch: Any) -> None:
    """Each client's log equals the server's."""
    one, two = nodes
    chance = random.Random(4)
    room, epoch = await fresh_room(one), one.kernel.epoch
    people = [await one.person() for _ in range(4)]
    for world in nodes:
        plain = world.kernel.wakeups._gathered  # noqa: SLF001
        monkeypatch.setattr(
            world.kernel.wakeups, "_gathered", lambda plain=plain: plain() if chance.random() < 0.5 else []
        )
    third: list[World] = []
    writing, drops, restarts = True, 0, 0

    async def come_and_go() -> None:
        nonlocal restarts
        while writing:
            async with node(one.dsn) as world:
                third[:] = [world]
                for _ in range(60):
                    await look_again()
                third.clear()
                restarts += 1

    async def write() -> None:
        for number in range(150):
            numbers = range(number * 10, number * 10 + chance.randint(1, 5))
            with suppress(Unavailable):  # a node that stops
                await emit(chance.choice([one, two, *third]), room, *numbers)
            await look_again()

    async def listen(person: Person) -> list[Message]:
        nonlocal drops
        log: list[Message] = []
        while True:
            is_last = not writing
            with suppress(OSError, WebSocketException):  # broken off, in one way or another
                async with connected(person, chance.choice([one, two, *third])) as socket:
                    told = await come_back(socket, room, len(log), epoch)
                    assert "reset" not in [message["type"] for message in told]
                    while not is_last and chance.random() < 0.97:
                        await socket.hear()
                    log += [message for message in socket.heard if message["type"] == "counted"]
                    drops += 1
                    if is_last:
                        return log

    life = asyncio.create_task(come_and_go())
    listeners = [asyncio.create_task(listen(person)) for person in people * 2]
    await asyncio.gather(write(), write())
    writing = False
    written = len(log_of(one, room))
    while not all(listener.done() for listener in listeners):  # who waits for something to happen gets it
        await emit(one, room, -1)
        await look_again()
    logs = [await listener for listener in listeners]
    await life
    expected = log_of(one, room)
    for log in logs:
        assert [message["seq"] for message in log] == list(range(1, len(log) + 1))
        assert [(message["seq"], message["number"]) for message in log] == expected[: len(log)]
        assert len(log) >= written
    print(f"{written} events, {len(logs)} clients, {drops} drops, {restarts} restarts: no gap, none doubled")


async def test_a_database_that_is_killed_leaves_sockets_open() -> None:
    with temporary_folder() as folder, Cluster.open(folder / "data") as cluster:
        migrate(cluster.dsn)
        async with node(cluster.dsn) as one, node(cluster.dsn) as two:
            await know_each_other(one, two)
            ada, ben = await one.person(), await one.person()
            room = await fresh_room(one)
            async with connected(ada, one) as here, connected(ben, two) as there:
                for socket in (here, there):
                    await socket.ask("subscribe", room=room)
                await emit(one, room, 1)
                await asyncio.to_thread(kill_postgres, cluster)
                refused = await here.ask("subscribe", room="title:other")
                assert (refused["code"], refused["retryable"]) == ("unavailable", True)
                assert (await there.ask("ping"))["type"] == "pong"
                await asyncio.to_thread(cluster.ensure_running)
                await until_it_takes(two, room)
                for socket in (here, there):
                    await socket.until(lambda told: told.get("seq") == 3 and told["type"] == "counted")
                    seqs = [told["seq"] for told in socket.heard if told["type"] == "counted"]
                    assert seqs == [1, 2, 3]
                    assert "reset" not in [told["type"] for told in socket.heard]
                async with asyncio.timeout(PATIENCE_SECONDS), connected(ada, two) as late:
                    # The lists of people come back as they were, though the crash has emptied them.
                    while (await late.ask("subscribe", room=room))["presence_total"] != 2:
                        await look_again()


async def until_it_takes(world: World, room: str) -> None:
    """Tell the room of two events, as soon as the database is back."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(Unavailable):
                return await emit(world, room, 2, 3)
            await look_again()


def kill_postgres(cluster: Cluster) -> None:
    """kill -9, and wait until it is gone."""
    stat = Path(f"/proc/{cluster.pid}/stat")
    os.kill(cluster.pid, signal.SIGKILL)
    wait_until(lambda: not stat.exists() or " Z " in stat.read_text(), "the database is gone")
