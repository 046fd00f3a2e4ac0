"""Hot answers: never older than what this node has written, nor than a second."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import serving, settings_for_tests
from tests.waiting import look_again
from tests.world import World, mark, new_title

from quintet.apps.wigg import routes
from quintet.kernel.cache import _OVERHEAD_BYTES, HotAnswer, HotAnswers
from quintet.kernel.database import Tx
from quintet.kernel.live.log import Event, room_seq


class ThingChanged(Event, frozen=True):
    """Something for these tests."""

    by: str = ""


@pytest.fixture
def hot(world: World) -> Any:
    """A memory of its own on the world's database."""
    made = HotAnswers(world.kernel.database, most_bytes=100_000)
    yield made
    world.kernel.database.on_commit.remove(made._take_notice)


class Reader:
    """Reads a room's seq as its answer, and counts; may be held up after reading."""

    def __init__(self, world: World, room: str, size: int = 10) -> None:
        self.world, self.room, self.size = world, room, size
        self.reads = 0
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def __call__(self) -> HotAnswer:
        self.reads += 1
        async with self.world.kernel.database.reading() as tx:
            seq = await room_seq(tx, self.room)
        self.has_read.set()
        await self.go_on.wait()
        return HotAnswer(b"x" * self.size, str(seq), seq)


async def change(world: World, room: str) -> int:
    """Change something in the room; the seq of that change."""
    by = str(uuid4())

    async def act(tx: Tx) -> None:
        tx.emit(room, ThingChanged(by=by))

    await world.kernel.database.transact(act)
    async with world.kernel.database.statement() as tx:
        return await tx.value(
            "select seq from kernel.room_events where room = $1 and body->>'by' = $2", room, by
        )


async def test_many_who_ask_at_once_cost_one_read(world: World, hot: HotAnswers) -> None:
    read = Reader(world, f"test:{uuid4()}")
    read.go_on.clear()
    asking = [asyncio.create_task(hot.get(read.room, "k", read)) for _ in range(50)]
    await asyncio.wait_for(read.has_read.wait(), 10)
    read.go_on.set()
    assert {answer.seq for answer in await asyncio.gather(*asking)} == {0}
    for _ in range(20):
        await hot.get(read.room, "k", read)
    assert read.reads == 1
    await hot.get(read.room, "another key", read)
    assert read.reads == 2


async def test_one_who_gives_up_spoils_nothing(world: World, hot: HotAnswers) -> None:
    read = Reader(world, f"test:{uuid4()}")
    read.go_on.clear()
    asking = [asyncio.create_task(hot.get(read.room, "k", read)) for _ in range(3)]
    await asyncio.wait_for(read.has_read.wait(), 10)
    asking[0].cancel()
    read.go_on.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError)
    assert [one.seq for one in told[1:] if isinstance(one, HotAnswer)] == [0, 0]
    assert read.reads == 1


async def test_a_failed_read_is_told_to_all_and_not_remembered(world: World, hot: HotAnswers) -> None:
    room = f"test:{uuid4()}"

    async def broken() -> HotAnswer:
        raise ZeroDivisionError

    told = await asyncio.gather(*(hot.get(room, "k", broken) for _ in range(3)), return_exceptions=True)
    assert {type(one) for one in told} == {ZeroDivisionError}
    assert (await hot.get(room, "k", Reader(world, room))).seq == 0


@pytest.mark.parametrize("known_before", [True, False])
async def test_a_change_made_during_a_read_is_seen_by_the_next(
    world: World,
    hot: HotAnswers,
    known_before: bool,
) -> None:
    """The read began before the change and ends after it: its answer is old, and is not served again."""
    read = Reader(world, f"test:{uuid4()}")
    if known_before:
        await hot.get(read.room, "other", read)
        read.has_read.clear()
    read.go_on.clear()
    early = asyncio.create_task(hot.get(read.room, "k", read))
    await asyncio.wait_for(read.has_read.wait(), 10)
    await change(world, read.room)
    late = asyncio.create_task(hot.get(read.room, "k", Reader(world, read.room)))  # while the early one reads
    assert (await late).seq == 1
    read.go_on.set()
    assert (await early).seq == 0  # asked before the change
    assert (await hot.get(read.room, "k", Reader(world, read.room))).seq == 1


async def test_one_reads_ones_own_writes(world: World, hot: HotAnswers) -> None:
    room = f"test:{uuid4()}"

    async def write_and_read() -> None:
        for _ in range(8):
            own = await change(world, room)
            assert (await hot.get(room, "k", Reader(world, room))).seq >= own

    await asyncio.gather(*(write_and_read() for _ in range(8)))
    assert (await hot.get(room, "k", Reader(world, room))).seq == 64


async def test_one_reads_ones_own_marks_through_the_door(world: World) -> None:
    people = [await world.person() for _ in range(4)]
    title = await new_title(people[0])
    path = f"/api/titles/{title}/progress"

    async def write_and_read(person: Any, lane: int) -> None:
        for step in range(8):
            await mark(person, title, lane * 25 + step * 3 + 0.1)
            for who in (person, world):
                answer = (await who.get(path)).json()
                index = int((lane * 25 + step * 3 + 0.1) // 5)
                assert answer["segments"][index]["sample_size"] >= 1, "one's own mark is missing"

    await asyncio.gather(*(write_and_read(person, lane) for lane, person in enumerate(people)))


async def test_another_node_sees_a_change_within_a_second(dsn: str) -> None:
    async with serving(settings_for_tests(), dsn) as one, serving(settings_for_tests(), dsn) as two:
        ada = await one.person()
        title = await new_title(ada)
        path = f"/api/titles/{title}/progress"
        assert (await two.get(path)).json()["version"] == 0
        await mark(ada, title, 50)
        committed = time.monotonic()
        while (await two.get(path)).json()["version"] == 0:
            assert time.monotonic() - committed < 2, "the other node tells old news for too long"
            await look_again()
        waited = time.monotonic() - committed
        print(f"the other node told the change after {waited:.2f} s")
        # And until then it asked nobody: that is what the second is for.
        assert two.kernel.hot.fresh(f"title:{title}", "progress 20 ") is not None


async def test_an_old_check_is_made_again_before_serving(world: World, hot: HotAnswers) -> None:
    read = Reader(world, f"test:{uuid4()}")
    await hot.get(read.room, "k", read)
    hot._rooms[read.room].checked_at -= 1.0
    assert hot.fresh(read.room, "k") is None
    assert (await hot.get(read.room, "k", read)).seq == 0
    assert read.reads == 1, "nothing changed: checking the seq is enough"
    # Somebody else's change, whose notice never came.
    world.sql("insert into kernel.rooms (room, seq) values (%s, 5)", read.room)
    assert (await hot.get(read.room, "k", read)).seq == 0
    hot._rooms[read.room].checked_at -= 1.0
    assert (await hot.get(read.room, "k", read)).seq == 5


async def test_the_memory_is_bounded(world: World, hot: HotAnswers) -> None:
    room = f"test:{uuid4()}"
    read = Reader(world, room, size=2_000)
    for number in range(100):
        await hot.get(room, f"k{number}", read)
        await hot.get(room, "k0", read)  # asked for all the time: it stays
        assert hot._bytes <= 100_000
    assert hot._bytes == sum(2_000 + _OVERHEAD_BYTES for _ in hot._answers)
    assert 35 <= len(hot._answers) <= 100_000 // 2_000
    assert read.reads == 100
    assert hot.fresh(room, "k1") is None
    # One that is larger than everything is answered and not kept.
    huge = Reader(world, room, size=200_000)
    assert len((await hot.get(room, "huge", huge)).body) == 200_000
    assert hot._bytes <= 100_000


async def test_hot_reads_through_the_door_are_counted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    title = await new_title(ada)
    reads = 0
    progress_of = routes.progress_of

    async def counting(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await progress_of(*args)

    monkeypatch.setattr(routes, "progress_of", counting)
    path = f"/api/titles/{title}/progress"
    answers = await asyncio.gather(*(world.get(path) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert reads == 1
    await mark(ada, title, 10)
    assert len({answer.text for answer in await asyncio.gather(*(world.get(path) for _ in range(20)))}) == 1
    assert reads == 2
