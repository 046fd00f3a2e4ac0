"""Hot answers about a subject: never older than this node's last touch, nor than a second."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.world import World

from quintet.kernel.cache import HotAnswers
from quintet.kernel.database import Tx


@pytest.fixture
def hot(world: World) -> Any:
    """A memory of its own on the world's database."""
    made = HotAnswers(world.kernel.database, most_bytes=100_000)
    yield made
    world.kernel.database.on_commit.remove(made._take_notice)
    world.kernel.database.on_touch.remove(made._note_touched)


class Counting:
    """Answers how often it was asked; may be held up, and tells how many read at once."""

    def __init__(self) -> None:
        self.reads = self.now = self.most = 0
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def __call__(self) -> tuple[bytes, str]:
        self.reads, self.now = self.reads + 1, self.now + 1
        self.most = max(self.most, self.now)
        number = self.reads
        self.has_read.set()
        await self.go_on.wait()
        self.now -= 1
        return b"%d" % number, str(number)


async def touch(world: World, subject: str, *, fails: bool = False) -> None:
    async def act(tx: Tx) -> None:
        tx.touch(subject)
        if fails:
            raise ZeroDivisionError

    await world.kernel.database.transact(act)


async def test_an_answer_lives_until_its_subject_is_touched(world: World, hot: HotAnswers) -> None:
    read, subject = Counting(), str(uuid4())
    for _ in range(3):
        assert (await hot.of_subject(subject, "k", read)).body == b"1"
    with pytest.raises(ZeroDivisionError):
        await touch(world, subject, fails=True)
    await touch(world, "another subject")
    assert (await hot.of_subject(subject, "k", read)).body == b"1"
    await touch(world, subject)
    assert (await hot.of_subject(subject, "k", read)).body == b"2"
    assert (await hot.of_subject(subject, "another key", read)).body == b"3"


async def test_an_answer_lives_for_a_second(hot: HotAnswers) -> None:
    read, subject = Counting(), str(uuid4())
    await hot.of_subject(subject, "k", read)
    hot._answers[subject, "k"].read_at -= 1.0
    assert (await hot.of_subject(subject, "k", read)).body == b"2"


async def test_a_touch_during_a_read_is_seen_by_whoever_asks_after_it(world: World, hot: HotAnswers) -> None:
    read, subject = Counting(), str(uuid4())
    read.go_on.clear()
    early = [asyncio.create_task(hot.of_subject(subject, "k", read)) for _ in range(20)]
    await asyncio.wait_for(read.has_read.wait(), 10)
    await touch(world, subject)
    late = [asyncio.create_task(hot.of_subject(subject, "k", read)) for _ in range(20)]
    read.go_on.set()
    assert [answer.body for answer in await asyncio.gather(*late)] == [b"2"] * 20
    assert (await asyncio.gather(*early))[0].body == b"1"
    assert (read.reads, read.most) == (2, 1), "one reading for all who asked before it, one after the other"


async def test_one_who_gives_up_or_fails_spoils_nothing(hot: HotAnswers) -> None:
    read, subject = Counting(), str(uuid4())
    read.go_on.clear()
    asking = [asyncio.create_task(hot.of_subject(subject, "k", read)) for _ in range(3)]
    await asyncio.wait_for(read.has_read.wait(), 10)
    asking[0].cancel()
    read.go_on.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError)
    assert {one.body for one in told[1:] if not isinstance(one, BaseException)} == {b"2"}

    async def broken() -> tuple[bytes, str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await hot.of_subject(subject, "broken", broken)
    assert (await hot.of_subject(subject, "broken", read)).body == b"3"
