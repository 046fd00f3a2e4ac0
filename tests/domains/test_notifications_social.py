"""What following, asking and blocking do to notifications: and nobody learns that they were left."""

from typing import Any

from tests.domains.notifying import do, listed, read, texts
from tests.sockets import connected
from tests.world import Person, World


async def follow(person: Person, other: Person) -> None:
    assert (await person.post(f"/social/follow/{other.id}")).status_code == 200


async def events(person: Person) -> list[str]:
    """The types of the person's events so far."""
    rows = person.world.sql(
        "select body->>'type' from kernel.room_events where room = %s order by seq", f"user:{person.id}"
    )
    return [kind for (kind,) in rows]


async def test_followers_fold_and_go_without_a_word(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    await follow(ben, ada)
    await follow(cleo, ada)
    await follow(cleo, ada)
    assert await texts(ada) == [f"{cleo.username} and {ben.username} started following you"]
    told = await events(ada)
    assert told == ["new_follower", "notification"] * 2
    await cleo.delete(f"/social/follow/{ada.id}")
    assert await texts(ada) == [f"{ben.username} started following you"]
    await ben.delete(f"/social/follow/{ada.id}")
    assert await listed(ada) == []
    assert await events(ada) == told


async def request_of(owner: Person) -> str:
    return (await owner.get("/api/v1/follow-requests")).json()["items"][0]["id"]


async def test_requests_are_told_and_answered(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    await ada.patch("/social/me", json={"private": True})
    await follow(cleo, ada)
    await follow(ben, ada)
    assert await texts(ada) == [f"{ben.username} and {cleo.username} asked to follow you"]
    await ada.post(f"/api/v1/follow-requests/{await request_of(ada)}/accept")
    assert await texts(ada) == [f"{cleo.username} asked to follow you"]
    assert await texts(ben) == [f"{ada.username} let you follow them"]
    before = await events(cleo)
    await ada.post(f"/api/v1/follow-requests/{await request_of(ada)}/decline")
    assert await listed(ada) == []
    assert await listed(cleo) == []
    assert await events(cleo) == before, "who is declined is not told"
    await follow(cleo, ada)
    told = await events(ada)
    await cleo.delete(f"/social/follow/{ada.id}")
    assert await listed(ada) == []
    assert await events(ada) == told, "who withdraws is not told of"
    await ben.delete(f"/social/follow/{ada.id}")
    assert await listed(ben) == [], "what ben left is his to know"


async def test_opening_an_account_answers_all_requests(world: World) -> None:
    ada, *fans = [await world.person() for _ in range(5)]
    await ada.patch("/social/me", json={"private": True})
    for fan in fans:
        await follow(fan, ada)
    await ada.patch("/social/me", json={"private": False})
    assert await listed(ada) == [], "she let them in herself"
    for fan in fans:
        assert await texts(fan) == [f"{ada.username} let you follow them"]


async def test_nobody_is_notified_across_a_block(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    for one, other in ((ben, ada), (ada, ben)):
        await do(one, other, object_id="p")
        await do(cleo, other, object_id="p")
        await do(one, other, "mention")
        for item in await listed(other, "&unread=true"):
            if item["kind"] == "mention":
                await read(other, item)
    before = await events(ben)
    await ada.put(f"/api/v1/users/{ben.username}/block")
    for one, other in ((ben, ada), (ada, ben)):
        assert await texts(other) == [f"{cleo.username} liked your post"], "also what was read is gone"
        await do(one, other, object_id="p")
        await do(one, other, "mention")
        assert await texts(other) == [f"{cleo.username} liked your post"]
    assert await events(ben) == before
    await ada.delete(f"/api/v1/users/{ben.username}/block")
    await do(ben, ada, object_id="p")
    assert await texts(ada) == [f"{ben.username} and {cleo.username} liked your post"]


async def counts(socket: Any, kind: str, field: str) -> list[int]:
    return [one["payload"][field] for one in await socket.settle() if one["type"] == kind]


async def test_follower_counts_are_told_to_their_owner(live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    async with connected(ada) as hers, connected(ben) as his:

        async def until(followers: int) -> None:
            told = await hers.until(
                lambda one: one["type"] == "follower_count_update" and one["followers"] == followers
            )
            fields = {"user_id": ada.id, "followers": followers}
            assert told == {
                "type": "follower_count_update", "room": f"user:{ada.id}", **fields, "payload": fields,
            }  # fmt: skip

        await follow(ben, ada)
        await until(1)
        await follow(cleo, ada)
        await until(2)
        await ben.delete(f"/social/follow/{ada.id}")
        await until(1)
        await ada.put(f"/api/v1/users/{cleo.username}/block")
        await until(0)
        assert await counts(his, "follower_count_update", "followers") == []
