"""What is just being written is overlooked by nobody: not by reading all, nor by a block."""

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from tests.domains.notifying import PATH, do, listed
from tests.sockets import PATIENCE_SECONDS
from tests.waiting import look_again
from tests.world import Person, World


@contextmanager
def writing(recipient: Person, actor: Person, object_id: str = "p") -> Generator[psycopg.Connection[Any]]:
    """A deed whose transaction is not over; it is committed at the end of the block, if not before."""
    with psycopg.connect(recipient.world.dsn) as connection:
        connection.execute(
            "select notifications.fold(gen_random_uuid(), %s, 'post_liked', %s, %s, '{}', now())",
            (recipient.id, object_id, actor.id),
        )
        yield connection


async def waits_for_it(world: World, act: Awaitable[Any]) -> asyncio.Future[Any]:
    """Begin to act; it stands waiting for a lock of the database."""
    task = asyncio.ensure_future(act)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not world.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        ):
            assert not task.done(), "it did not wait"
            await look_again()
    return task


async def test_reading_all_waits_for_what_is_being_written(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    with writing(ada, ben) as deed:
        reading = await waits_for_it(world, ada.put(f"{PATH}/read-all"))
        deed.commit()
        assert (await reading).json() == {"read": 1}
    assert [item["read"] for item in await listed(ada)] == [True]


async def test_a_block_takes_back_what_is_being_written(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    for one, other in ((ada, ben), (ben, ada)):
        with writing(ada, ben) as deed:
            blocking = await waits_for_it(world, one.put(f"/api/v1/users/{other.username}/block"))
            deed.commit()
            assert (await blocking).status_code == 204
        assert await listed(ada) == []
        await one.delete(f"/api/v1/users/{other.username}/block")


async def test_a_deed_waits_for_a_block_that_is_being_written(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    with psycopg.connect(world.dsn) as connection:
        connection.execute("insert into social.blocks values (%s, %s, now())", (ada.id, ben.id))
        connection.execute("select notifications.part(%s, %s)", (ada.id, ben.id))
        doing = await waits_for_it(world, do(ben, ada))
        connection.commit()
        await doing
    assert await listed(ada) == []


@pytest.mark.parametrize("verb", ["read", "withdraw"])
async def test_a_deed_begins_anew_when_what_it_would_fold_into_goes(world: World, verb: str) -> None:
    """Somebody reads it, or it is removed, between our look and our lock."""
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    await do(ben, ada, object_id="p")
    with psycopg.connect(world.dsn) as connection:
        if verb == "read":
            statement = "update notifications.notifications set read_at = now() where user_id = %s"
        else:
            statement = "delete from notifications.actors where actor_id = (select %s::uuid)"
        connection.execute(statement, (ada.id if verb == "read" else ben.id,))
        doing = await waits_for_it(world, do(cleo, ada, object_id="p"))
        connection.commit()
        await doing
    [newest, *rest] = await listed(ada)
    assert [one["id"] for one in newest["actors"]] == [cleo.id]
    assert not newest["read"]
    assert [item["read"] for item in rest] == [True] * (verb == "read")


async def test_two_deeds_at_once_begin_one(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    with writing(ada, ben) as deed:
        doing = await waits_for_it(world, do(cleo, ada, object_id="p"))
        deed.commit()
        await doing
    assert [item["actor_count"] for item in await listed(ada)] == [2]
