"""Numbers that change many times a second: told at most four times a second, and the last value always."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.clock import Stopwatch
from tests.live.test_nodes import LISTENERS, know_each_other, nodes
from tests.sockets import PATIENCE_SECONDS, Socket, connected
from tests.waiting import look_again
from tests.world import Person, World

from quintet.kernel.live.counts import APART_SECONDS, CountKind, Counts
from quintet.kernel.live.names import user_room
from quintet.kernel.refusals import Unavailable

__all__ = ["nodes"]  # the fixture
KIND = "wave_count"


class StandingClock(Stopwatch):
    """Time passes when a test says so."""

    def monotonic(self) -> float:
        return self._ahead.total_seconds()


class Sea:
    """Waves at people's feet: the numbers, how often they were read, and what happens during a reading."""

    def __init__(self) -> None:
        self.waves: dict[str, int] = {}
        self.readings: list[list[str]] = []
        self.during: Callable[[], None] = lambda: None

    async def read(self, _tx: Any, ids: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
        self.readings.append(ids)
        read = [(f"user:{id_}", KIND, {"user_id": id_, "waves": self.waves.get(id_, 0)}) for id_ in ids]
        self.during()
        return read


class Beach:
    """A node's counts in the hands of a test: its clock stands, its rounds are made one by one."""

    def __init__(self, world: World) -> None:
        self.sea = Sea()
        self.clock = StandingClock()
        kernel = world.kernel
        database = kernel.database
        before = list(database.on_count)
        self.counts = Counts(database, self.clock, kernel.hub, kernel.wakeups, {KIND: self.sea.read})
        database.on_count[:] = before

    def wave(self, *ids: str) -> None:
        for id_ in ids:
            self.sea.waves[id_] = self.sea.waves.get(id_, 0) + 1
        self.counts.note([(KIND, id_) for id_ in ids])


@asynccontextmanager
async def beach_of(world: World) -> AsyncGenerator[tuple[Beach, Person, Socket]]:
    ada = await world.person()
    async with connected(ada) as socket:
        yield Beach(world), ada, socket


async def waves_heard(socket: Socket) -> list[int]:
    return [told["waves"] for told in await socket.settle() if told["type"] == KIND]


async def test_the_first_at_once_then_apart_and_the_last_always(live: World) -> None:
    async with beach_of(live) as (beach, ada, socket):
        told = 0
        for step in range(100):  # a change every 10 ms, for a second
            beach.wave(ada.id)
            await beach.counts.tell_due()
            if step == 0:
                assert await waves_heard(socket) == [1]
                told += 1
            beach.clock.go(milliseconds=10)
        heard = await waves_heard(socket)
        assert len(heard) == 3
        assert (rest := await beach.counts.tell_due()) is None or rest <= APART_SECONDS
        beach.clock.go(seconds=APART_SECONDS)
        assert await beach.counts.tell_due() is None
        assert await waves_heard(socket) == [100]
        beach.clock.go(seconds=10)
        assert await beach.counts.tell_due() is None
        assert await waves_heard(socket) == [], "nothing changed"
        print(f"100 changes in a second: {1 + len(heard) + 1} messages, the last says 100")


async def test_fields_stand_twice_and_there_is_no_seq(live: World) -> None:
    async with beach_of(live) as (beach, ada, socket):
        beach.wave(ada.id)
        await beach.counts.tell_due()
        fields = {"user_id": ada.id, "waves": 1}
        told = await socket.until(KIND)
        assert told == {"type": KIND, "room": f"user:{ada.id}", **fields, "payload": fields}


async def test_a_change_during_the_reading_is_told_later(live: World) -> None:
    async with beach_of(live) as (beach, ada, socket):
        beach.sea.during = lambda: beach.wave(ada.id)
        beach.wave(ada.id)
        assert await beach.counts.tell_due() == APART_SECONDS
        beach.sea.during = lambda: None
        assert await waves_heard(socket) == [1]
        beach.clock.go(seconds=APART_SECONDS)
        assert await beach.counts.tell_due() is None
        assert await waves_heard(socket) == [2]


@pytest.mark.parametrize("failure", [Unavailable, RuntimeError, asyncio.CancelledError])
async def test_what_could_not_be_read_is_told_when_it_can(live: World, failure: type[BaseException]) -> None:
    async with beach_of(live) as (beach, ada, socket):

        def fail() -> None:
            raise failure

        beach.sea.during = fail
        beach.wave(ada.id)
        for _ in range(3):
            with pytest.raises(failure):
                await beach.counts.tell_due()
        beach.sea.during = lambda: None
        await beach.counts.tell_due()
        assert await waves_heard(socket) == [1]


async def test_a_kind_that_cannot_be_read_costs_the_others_no_message(live: World) -> None:
    async with beach_of(live) as (beach, ada, socket):

        async def broken(*_: Any) -> Any:
            raise RuntimeError

        beach.counts._ready.clear()
        beach.counts.add("broken", broken)  # comes first
        beach.counts.add(KIND, beach.sea.read)
        beach.counts.note([("broken", "1")])
        beach.wave(ada.id)
        with pytest.raises(RuntimeError):
            await beach.counts.tell_due()
        assert await waves_heard(socket) == [1]


async def test_an_object_that_breaks_its_kind_does_not_silence_it_for_ever(live: World) -> None:
    async with beach_of(live) as (beach, ada, socket):

        def fail() -> None:
            if "broken" in beach.sea.readings[-1]:
                raise ValueError

        beach.sea.during = fail
        beach.wave("broken")
        for _ in range(5):
            with pytest.raises(ValueError):
                await beach.counts.tell_due()
        beach.wave(ada.id)
        await beach.counts.tell_due()
        assert await waves_heard(socket) == [1]
        assert beach.counts.waiting == 0


async def test_a_storm_of_many_objects_is_read_in_parts_and_bounded(live: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("quintet.kernel.live.counts.MOST_WAITING", 1200)
    async with beach_of(live) as (beach, ada, socket):
        beach.wave(ada.id, *(str(number) for number in range(5000)))
        assert beach.counts.waiting == 1200
        while await beach.counts.tell_due() == 0:
            pass
        assert [len(ids) for ids in beach.sea.readings] == [500, 500, 200]
        assert await waves_heard(socket) == [1]
        beach.clock.go(seconds=1)
        await beach.counts.tell_due()
        assert (beach.counts.waiting, len(beach.counts._resting)) == (0, 0), "nothing is kept"


async def test_nothing_is_read_for_nobody(live: World) -> None:
    beach = Beach(live)
    async with beach_of(live) as (_, ada, socket):
        await socket.settle()
        beach.counts.add(KIND, CountKind(beach.sea.read, user_room))
        ben = await live.person("ben")  # not connected
        beach.wave(ben.id)
        beach.counts.note([("a kind of a newer node", ada.id)])
        await beach.counts.tell_due()
        assert beach.sea.readings == []
        beach.wave(ada.id)
        await beach.counts.tell_due()
        assert beach.sea.readings == [[ada.id]]
    silent = Beach(live)
    members, live.kernel.hub.members = live.kernel.hub.members, set()
    try:
        silent.wave(ada.id)
    finally:
        live.kernel.hub.members = members
    assert silent.counts.waiting == 0


def let_waves_count(world: World, sea: Sea) -> None:
    world.kernel.counts.add(KIND, sea.read)


async def test_two_nodes_tell_their_own_members_after_the_commit(nodes: tuple[World, World]) -> None:
    one, two = nodes
    await know_each_other(one, two)
    ada = await one.person()
    sea = Sea()
    for world in nodes:
        let_waves_count(world, sea)
    async with connected(ada, one) as here, connected(ada, two) as there:
        begun = asyncio.get_running_loop().time()

        async def wave(world: World) -> None:
            async def act(tx: Any) -> None:
                tx.count(KIND, ada.id)
                await tx.value("select 1")
                sea.waves[ada.id] = sea.waves.get(ada.id, 0) + 1

            await world.kernel.database.transact(act)

        for _ in range(10):
            await asyncio.gather(*(wave(world) for world in nodes for _ in range(10)))
        for socket in (here, there):
            await socket.until(lambda told: told["type"] == KIND and told["waves"] == 200)
        seconds = asyncio.get_running_loop().time() - begun
        heard = [[told["waves"] for told in socket.heard if told["type"] == KIND] for socket in (here, there)]
        for waves in heard:
            assert waves == sorted(waves)
            assert len(waves) <= seconds / APART_SECONDS + 1
        print(f"200 commits on two nodes in {seconds:.2f} s: heard {heard}")


async def test_what_is_rolled_back_counts_nothing(live: World) -> None:
    sea = Sea()
    let_waves_count(live, sea)

    async def act(tx: Any) -> None:
        tx.count(KIND, "x")
        raise Unavailable

    ada = await live.person()
    async with connected(ada), asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Unavailable):
            await live.kernel.database.transact(act)
    assert live.kernel.counts.waiting == 0
    assert sea.readings == []


async def test_what_changed_while_the_line_was_broken_is_told_when_it_is_mended(
    nodes: tuple[World, World],
) -> None:
    one, two = nodes
    await know_each_other(one, two)
    ada = await one.person()
    sea = Sea()
    for world in nodes:
        let_waves_count(world, sea)
    async with connected(ada, two) as there, asyncio.timeout(PATIENCE_SECONDS):
        line = two.kernel.wakeups
        hears, line.on_wakeup = line.on_wakeup, []
        sea.waves[ada.id] = 7

        async def wave(tx: Any) -> None:
            tx.count(KIND, ada.id)

        await one.kernel.database.transact(wave)
        while one.kernel.wakeups._counts:
            await look_again()
        line.on_wakeup = hears
        before = {pid for (pid,) in one.sql(LISTENERS)}
        for pid in before:
            one.sql("select pg_terminate_backend(%s)", pid)
        await there.until(lambda told: told["type"] == KIND and told["waves"] == 7)
