"""What moderators announce, to one or to everybody."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from tests.domains.notifying import PATH, do, listed, read
from tests.live.test_nodes import know_each_other, nodes
from tests.sockets import connected
from tests.world import Person, World, code_of

__all__ = ["nodes"]  # the fixture
HELLO = {"title": "Hello", "text": "We are open."}


async def announce(moderator: Person, **more: Any) -> dict[str, Any]:
    answer = await moderator.post(PATH, json=HELLO | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def mo(world: World) -> Person:
    """A moderator, in whose world nothing was announced before."""
    world.sql("delete from notifications.announcements")
    return await world.person("mo", role="moderator")


async def test_everybody_who_is_here_has_it(world: World, mo: Person) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    await do(ben, ada)
    made = await announce(mo, all=True)
    await do(ben, ada, "mention")
    late = await world.person("late")
    for person, kinds in (
        (ada, ["announcement", "mention", "post_liked"]),
        (ben, ["announcement"]),
        (mo, ["announcement"]),
        (late, []),
    ):
        items = await listed(person)
        assert sorted(item["kind"] for item in items) == kinds
        assert [item for item in items if item["kind"] == "announcement"] == [made] * bool(kinds)
    assert (made["title"], made["text"], made["actors"], made["read"]) == (*HELLO.values(), [], False)
    assert world.sql("select count(*) from notifications.announcements") == [(1,)]


async def test_each_reads_for_themselves(world: World, mo: Person) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    made = [await announce(mo, all=True, title=str(number)) for number in range(4)]
    first = await read(ada, made[2])
    assert first["read"]
    assert await read(ada, made[2]) == first
    assert [item["read"] for item in await listed(ada)] == [False, True, False, False]
    assert (await ada.put(f"{PATH}/read-all")).json() == {"read": 3}
    assert [item["read"] for item in await listed(ada)] == [True] * 4
    assert world.sql("select count(*) from notifications.announcement_reads where user_id = %s", ada.id) == [
        (0,)
    ]
    await announce(mo, all=True)
    assert [item["read"] for item in await listed(ada)] == [False, *[True] * 4]
    assert [item["read"] for item in await listed(ben)] == [False] * 5


async def test_one_person_is_told_alone(live: World) -> None:
    mo = await live.person("mo", role="moderator")
    ada, ben = await live.person("ada"), await live.person("ben")
    await ada.put(f"/api/v1/users/{mo.username}/block")
    async with connected(ada) as hers:
        made = await announce(mo, user_id=ada.id)
        told = await hers.until("notification")
        assert told["payload"] == made
        assert told["seq"] == 1
        await hers.until(lambda one: one["type"] == "notification_count" and one["unread"] == 1)
    assert made in await listed(ada)
    assert made not in await listed(ben)
    assert code_of(await ben.put(f"{PATH}/{made['id']}/read")) == (404, "not_found")
    assert (await read(ada, made))["read"]


async def test_who_may_announce_and_what(world: World, mo: Person) -> None:
    ada = await world.person("ada")
    assert code_of(await ada.post(PATH, json={**HELLO, "all": True})) == (403, "forbidden")
    for body, code in (
        (HELLO, (422, "invalid_request")),
        ({**HELLO, "all": True, "user_id": ada.id}, (422, "invalid_request")),
        ({**HELLO, "user_id": str(uuid4())}, (404, "not_found")),
        ({**HELLO, "all": True, "title": " "}, (422, "invalid_request")),
        ({**HELLO, "all": True, "text": "x" * 2001}, (422, "invalid_request")),
        ({**HELLO, "all": True, "to": "all"}, (422, "invalid_request")),
    ):
        assert code_of(await mo.post(PATH, json=body)) == code
    assert await listed(ada) == []
    key = {"Idempotency-Key": str(uuid4())}
    answers = [await mo.post(PATH, json={**HELLO, "all": True}, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await listed(ada)) == 1


async def test_read_up_to_overlooks_none_that_is_just_being_written(world: World, mo: Person) -> None:
    ada = await world.person("ada")

    async def read_now_and_then() -> None:
        for _ in range(6):
            await ada.put(f"{PATH}/read-all")

    made, _ = await asyncio.gather(
        asyncio.gather(*(announce(mo, all=True) for _ in range(12))), read_now_and_then()
    )
    times = world.sql("select at from notifications.announcements order by at")
    assert len(set(times)) == len(made) == 12
    [(read_up_to,)] = world.sql(
        "select max(read_up_to) from notifications.readers where user_id = %s", ada.id
    )
    for item in await listed(ada):
        assert item["read"] == (read_up_to is not None and item["read_at"] is not None)


async def test_all_nodes_tell_their_members_at_once(nodes: tuple[World, World]) -> None:
    one, two = nodes
    await know_each_other(one, two)
    mo = await one.person("mo", role="moderator")
    ada, ben, quiet = [await one.person(name) for name in ("ada", "ben", "quiet")]
    await quiet.put(f"{PATH}/preferences", json={"preferences": {"announcement": {"live": False}}})
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connected(person, world))
            for person, world in ((ada, one), (ben, two), (quiet, two))
        ]
        for socket in sockets:
            await socket.settle()
        made = await announce(mo, all=True)
        for socket in sockets[:2]:
            told = await socket.until("notification")
            assert told["payload"] == made
            assert "seq" not in told
        for socket in sockets:
            await socket.until(lambda one: one["type"] == "notification_count" and one["unread"] == 1)
        assert not [told for told in sockets[2].heard if told["type"] == "notification"]
