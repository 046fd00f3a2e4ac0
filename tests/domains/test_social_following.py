"""Following, asking to follow, answering, blocking: through the front door."""

from typing import Any
from uuid import uuid4

from tests.world import Person, World, code_of


async def counts(person: Person) -> tuple[int, int, int]:
    """Followers, followed and requests, as the person is told; the counters agree with a slow count."""
    me = (await person.get("/social/me")).json()
    assert person.world.sql(
        "select (select count(*) from social.follows where followee_id = %s),"
        " (select count(*) from social.follows where follower_id = %s)",
        person.id,
        person.id,
    ) == [(me["followers"], me["following"])]
    return me["followers"], me["following"], me["requests"]


async def follow(person: Person, other: Person) -> Any:
    answer = await person.post(f"/social/follow/{other.id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


async def heard(person: Person) -> list[dict[str, Any]]:
    """The events of the person's own room; notifications are looked at elsewhere."""
    rows = person.world.sql(
        "select body from kernel.room_events where room = %s order by seq", f"user:{person.id}"
    )
    return [body for (body,) in rows if not body["type"].startswith("notification")]


async def names(person: Person, path: str) -> list[str]:
    return [item["user"]["username"] for item in (await person.get(path)).json()["items"]]


async def test_following_is_idempotent_and_told_once(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    assert [await follow(ben, ada) for _ in range(3)] == ["following"] * 3
    again = await ben.post(f"/api/v1/users/{ada.username.upper()}/follow")
    assert (again.status_code, again.json()) == (200, {"status": "following"})
    assert await counts(ada) == (1, 0, 0)
    assert await counts(ben) == (0, 1, 0)
    person = {"user_id": ben.id, "username": ben.username, "display_name": ben.username}
    assert await heard(ada) == [{"type": "new_follower", **person, "payload": person}]
    assert await names(ada, "/social/followers") == [ben.username]
    assert await names(ben, "/social/following") == [ada.username]
    for _ in range(2):
        assert (await ben.delete(f"/social/follow/{ada.id}")).status_code == 204
    assert (await ben.delete(f"/api/v1/users/{ada.username}/follow")).status_code == 204
    assert await counts(ada) == await counts(ben) == (0, 0, 0)
    assert len(await heard(ada)) == 1, "who is left is not told"
    assert await heard(ben) == [{"type": "unfollowed", "user_id": ada.id, "payload": {"user_id": ada.id}}]


async def test_what_cannot_be_followed(world: World) -> None:
    ada = await world.person("ada")
    for method in ("POST", "DELETE"):
        for path in (f"/social/follow/{ada.id}", f"/api/v1/users/{ada.username}/follow"):
            assert code_of(await ada.call(method, path)) == (422, "oneself")
        look_alike = ada.username.replace("-", "_")
        for path in (
            f"/social/follow/{uuid4()}",
            "/social/follow/ada",
            f"/api/v1/users/{look_alike}/follow",
            f"/api/v1/users/{'a' * 3000}/follow",
            "/api/v1/users/%F0%9F%8E%AC/follow",
        ):
            assert code_of(await ada.call(method, path)) == (404, "not_found")
    assert code_of(await ada.put(f"/api/v1/users/{ada.username}/block")) == (422, "oneself")
    assert code_of(await ada.put("/api/v1/users/nobody-at-all/block")) == (404, "not_found")
    assert code_of(await ada.patch("/social/me", json={})) == (422, "invalid_request")
    assert code_of(await ada.patch("/social/me", json={"private": "yes"})) == (422, "invalid_request")
    assert code_of(await ada.get("/social/followers?cursor=x")) == (400, "invalid_cursor")
    assert await counts(ada) == (0, 0, 0)


async def test_a_private_account_is_asked(world: World) -> None:
    ada, ben, cleo, dan = [await world.person(name) for name in ("ada", "ben", "cleo", "dan")]
    await follow(dan, ada)
    me = await ada.patch("/social/me", json={"private": True, "followers": 1})
    assert me.json() == {"private": True, "followers": 1, "following": 0, "requests": 0}
    assert [await follow(ben, ada), await follow(ben, ada)] == ["requested"] * 2
    assert await follow(cleo, ada) == "requested"
    assert await follow(dan, ada) == "following"
    assert await counts(ada) == (1, 0, 2)
    requests = (await ada.get("/api/v1/follow-requests")).json()["items"]
    assert [item["user"]["username"] for item in requests] == [cleo.username, ben.username]
    assert (await heard(ada))[-1] == {
        "type": "follow_requested", "request_id": requests[0]["id"], "user_id": cleo.id,
        "username": cleo.username, "display_name": cleo.username,
    }  # fmt: skip
    accept, decline = (
        f"/api/v1/follow-requests/{requests[n]['id']}/{verb}" for n, verb in ((1, "accept"), (0, "decline"))
    )
    assert code_of(await dan.post(accept)) == (404, "not_found")
    assert (await ada.post(accept)).status_code == 204
    assert (await ada.post(decline)).status_code == 204
    for path in (accept, decline):
        assert code_of(await ada.post(path)) == (404, "not_found")
    assert await counts(ada) == (2, 0, 0)
    person = {"user_id": ada.id, "username": ada.username, "display_name": ada.username}
    assert await heard(ben) == [{"type": "follow_request_accepted", **person, "payload": person}]
    assert await heard(cleo) == [], "who is declined is not told"
    assert await follow(cleo, ada) == "requested"
    assert (await cleo.delete(f"/social/follow/{ada.id}")).status_code == 204  # withdrawn
    assert await counts(ada) == (2, 0, 0)


async def test_opening_an_account_accepts_who_waits(world: World) -> None:
    ada, *fans = [await world.person(name) for name in ("ada", "ben", "cleo", "dan")]
    await ada.patch("/social/me", json={"private": True})
    for fan in fans:
        await follow(fan, ada)
    opened = await ada.patch("/social/me", json={"private": False})
    assert opened.json() == {"private": False, "followers": 3, "following": 0, "requests": 0}
    assert await counts(ada) == (3, 0, 0)
    for fan in fans:
        assert await counts(fan) == (0, 1, 0)
        assert [event["type"] for event in await heard(fan)] == ["follow_request_accepted"]
    assert (await ada.patch("/social/me", json={"private": False})).json()["followers"] == 3


async def test_a_block_ends_everything_and_hides_both(world: World) -> None:
    ada, cleo = await world.person("ada"), await world.person("cleo")
    await follow(ada, cleo)
    await follow(cleo, ada)
    told_before = await heard(cleo)
    for _ in range(2):
        assert (await ada.put(f"/api/v1/users/{cleo.username}/block")).status_code == 204
    assert await counts(ada) == await counts(cleo) == (0, 0, 0)
    assert await heard(cleo) == told_before, "who is blocked is not told"
    assert (await heard(ada))[-1]["type"] == "unfollowed"
    for one, other in ((ada, cleo), (cleo, ada)):
        for method in ("POST", "DELETE"):
            for path in (f"/social/follow/{other.id}", f"/api/v1/users/{other.username}/follow"):
                assert code_of(await one.call(method, path)) == (404, "not_found")
    assert await names(ada, "/api/v1/blocks") == [cleo.username]
    assert await names(cleo, "/api/v1/blocks") == []
    # The blocked may block in turn, and unblocking one's own undoes no other's.
    assert (await cleo.put(f"/api/v1/users/{ada.username}/block")).status_code == 204
    assert (await ada.delete(f"/api/v1/users/{cleo.username}/block")).status_code == 204
    assert code_of(await ada.post(f"/social/follow/{cleo.id}")) == (404, "not_found")
    assert (await cleo.delete(f"/api/v1/users/{ada.username}/block")).status_code == 204
    assert await follow(ada, cleo) == "following"


async def test_a_block_ends_requests(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    await ada.patch("/social/me", json={"private": True})
    await follow(ben, ada)
    request = (await ada.get("/api/v1/follow-requests")).json()["items"][0]["id"]
    await ben.put(f"/api/v1/users/{ada.username}/block")
    assert await counts(ada) == (0, 0, 0)
    assert code_of(await ada.post(f"/api/v1/follow-requests/{request}/accept")) == (404, "not_found")


async def test_lists_go_on_where_they_stopped(world: World) -> None:
    ada, *fans = [await world.person("fan") for _ in range(8)]
    for fan in fans:
        await follow(fan, ada)
        await follow(ada, fan)
    world.sql("update social.follows set since = now() where followee_id = %s", ada.id)  # many at one time
    for path in ("/social/followers", "/social/following"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await ada.get(f"{path}?limit=3" + (f"&cursor={cursor}" if cursor else ""))).json()
            seen += [item["user"]["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert sorted(seen) == sorted(fan.id for fan in fans)
        if path == "/social/following":
            assert seen == [fan.id for fan in reversed(fans)]


async def test_bounds(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    await ada.patch("/social/me", json={"private": True})
    await follow(ben, cleo)
    world.sql("update social.profiles set following = 9999 where user_id = %s", ben.id)
    assert await follow(ben, ada) == "requested"
    dan = await world.person("dan")
    assert code_of(await ben.post(f"/social/follow/{dan.id}")) == (409, "too_many_followed")
    assert await follow(ben, ada) == "requested"
    assert await follow(ben, cleo) == "following"
    world.sql(
        "with crowd as ("
        " insert into accounts.users (id, username, username_skeleton, display_name)"
        " select gen_random_uuid(), 'crowd', 'crowd ' || %s || n, '' from generate_series(1, 999) n"
        " returning id)"
        " insert into social.follow_requests select gen_random_uuid(), id, %s, now() from crowd",
        str(uuid4()),
        ada.id,
    )
    assert code_of(await cleo.post(f"/social/follow/{ada.id}")) == (409, "too_many_waiting")
    assert (await ada.patch("/social/me", json={"private": False})).json()["followers"] == 1000
    world.sql("delete from accounts.users where username = 'crowd'")
    assert (await ada.get("/social/me")).json()["followers"] == 1, "who goes is not counted any more"
