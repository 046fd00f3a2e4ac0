"""Nodes that come and go, wake-ups that are lost, a database that is killed: no silent gap."""

import asyncio
import os
import random
import signal
from contextlib import suppress
from typing import Any

import pytest
from tests.live.test_nodes import know_each_other, node, nodes
from tests.live.test_replay import Log, come_back, emit, fresh_room, log_of
from tests.process import is_running, temporary_folder
from tests.sockets import PATIENCE_SECONDS, connected
from tests.waiting import look_again, wait_until
from tests.world import Person, World
from websockets.exceptions import WebSocketException

from quintet.kernel.migrations import migrate
from quintet.kernel.postgres import Cluster
from quintet.kernel.refusals import Unavailable

__all__ = ["nodes"]  # the fixture


class Story:
    """Clients that come and go on nodes that come and go, while others write."""

    def __init__(self, nodes: tuple[World, World], room: str) -> None:
        self.nodes = list(nodes)
        self.room = room
        self.chance = random.Random(4)
        self.is_over = False
        self.drops = self.restarts = 0

    async def restart_a_node(self) -> None:
        while not self.is_over:
            async with node(self.nodes[0].dsn) as third:
                self.nodes.append(third)
                for _ in range(60):
                    await look_again()
                self.nodes.remove(third)
            self.restarts += 1

    async def write(self) -> None:
        for number in range(150):
            numbers = range(number * 10, number * 10 + self.chance.randint(1, 5))
            with suppress(Unavailable):  # a node that stops
                await emit(self.chance.choice(self.nodes), self.room, *numbers)
            await look_again()

    async def listen(self, person: Person) -> Log:
        log, is_last = Log(), False
        while not is_last:
            is_last = self.is_over
            with suppress(OSError, WebSocketException):  # broken off, in one way or another
                async with connected(person, self.chance.choice(self.nodes)) as socket:
                    await come_back(socket, self.room, len(log), self.nodes[0].kernel.epoch)
                    while not is_last and self.chance.random() < 0.97:
                        await socket.hear()
                    log.note(socket.heard, was_inside=False)
                    self.drops += 1
        return log


@pytest.mark.soak
async def test_random_drops_restarts_and_lost_wake_ups(nodes: tuple[World, World], monkeypatch: Any) -> None:
    """Each client's log equals the server's."""
    one = nodes[0]
    people = [await one.person() for _ in range(4)]
    story = Story(nodes, await fresh_room(one))
    for world in nodes:
        plain = world.kernel.wakeups._gathered
        monkeypatch.setattr(
            world.kernel.wakeups,
            "_gathered",
            lambda plain=plain: plain() if story.chance.random() < 0.5 else plain()[:0],
        )
    life = asyncio.create_task(story.restart_a_node())
    listeners = [asyncio.create_task(story.listen(person)) for person in people * 2]
    await asyncio.gather(story.write(), story.write())
    story.is_over = True
    written = len(log_of(one, story.room))
    while not all(listener.done() for listener in listeners):  # who waits for something to happen gets it
        await emit(one, story.room, -1)
        await look_again()
    await life
    expected = log_of(one, story.room)
    for listener in listeners:
        (log := await listener).check(expected)
        assert len(log) >= written
    print(
        f"{written} events, {len(listeners)} clients, {story.drops} drops, {story.restarts} restarts: no gap"
    )


@pytest.mark.soak
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
    pid = cluster.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid), "the database is gone")
