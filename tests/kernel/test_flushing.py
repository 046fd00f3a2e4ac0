"""Much behind something slow, in one pipeline: all of it arrives, and who gives up leaves nothing behind."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.sockets import PATIENCE_SECONDS
from tests.waiting import look_again
from tests.world import World

SLOW = "select count(*) from generate_series(1, 300000)"
LARGE = "x" * 5_000_000  # more than a socket takes while nobody reads at its other end


async def test_a_large_commit_behind_a_slow_statement_arrives(world: World) -> None:
    async def act(tx: Any) -> None:
        await tx.send(SLOW)
        for _ in range(20):
            tx.pass_on("title:large", b'{"type":"sung","words":"%s"}' % LARGE[:200_000].encode(), uuid4())

    async with asyncio.timeout(PATIENCE_SECONDS):
        await world.kernel.database.transact(act)
    assert world.sql("select seq from kernel.rooms where room = 'title:large'") == [(20,)]


async def test_one_that_is_cancelled_meanwhile_leaves_the_pool_whole(world: World) -> None:
    begun = asyncio.Event()

    async def act(tx: Any) -> None:
        begun.set()
        await tx.send(SLOW)
        await tx.value("select length($1) from generate_series(1, 100000000)", LARGE)

    task = asyncio.create_task(world.kernel.database.transact(act))
    await begun.wait()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await look_again()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with world.kernel.database.statement() as tx:
            assert await tx.value("select 1") == 1
