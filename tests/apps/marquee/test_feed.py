"""The feed: what the followed did, newest first, whoever they are and however many."""

import asyncio
import random
from typing import Any

import pytest
from tests.apps.marquee.ranking import films, move, rank
from tests.world import Person, World, code_of

from quintet.apps.marquee.feed import reading


async def feed(person: Person, query: str = "limit=100") -> list[dict[str, Any]]:
    answer = await person.get(f"/social/feed?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def whole_feed(person: Person, limit: int) -> list[dict[str, Any]]:
    """Every page of it, one after the other."""
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await person.get(f"/social/feed?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert len(answer.json()["items"]) <= limit
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    return items


def later(world: World, minutes: int) -> None:
    """Let time pass for all that was done; the clock stays, since tokens run out by it."""
    world.sql("update marquee.activities set at = at - make_interval(mins => %s)", minutes)


async def followed(world: World) -> tuple[Person, Person]:
    """Somebody, and somebody else who follows them."""
    ada, ben = await world.person("ada"), await world.person("ben")
    await ben.post(f"/social/follow/{ada.id}")
    return ada, ben


async def test_what_an_item_tells(world: World) -> None:
    ada, ben = await followed(world)
    [film] = films(world, 1, title="Heat")
    ranking = await rank(ada, film, "A", note="that coffee")
    moved = await move(ada, ranking, tier="S")
    noted, told, first = await feed(ben) if await note(ada, ranking, "better the second time") else []
    user = {"id": ada.id, "username": ada.username, "display_name": ada.username}
    of_all = {"user": user, "ranking_id": ranking["id"], "media": ranking["media"], "count": 1}
    now = "better the second time"
    assert first == of_all | {
        "id": first["id"], "kind": "ranked", "tier": "A", "at": ranking["created_at"], "note": now,
    }  # fmt: skip
    assert told == of_all | {
        "id": told["id"], "kind": "moved", "tier": "S", "from_tier": "A", "at": moved["updated_at"],
        "note": now,
    }  # fmt: skip
    assert noted == of_all | {
        "id": noted["id"], "kind": "noted", "tier": "S", "at": noted["at"], "note": now,
    }  # fmt: skip
    assert await feed(ada) == [], "one's own doings are not news"
    assert code_of(await world.get("/social/feed")) == (401, "not_signed_in")
    assert code_of(await ben.get("/social/feed?limit=101")) == (422, "invalid_request")
    assert code_of(await ben.get("/social/feed?cursor=x")) == (400, "invalid_cursor")


async def note(person: Person, ranking: dict[str, Any], text: str | None) -> bool:
    answer = await person.patch(f"/rankings/{ranking['id']}", json={"note": text})
    assert answer.status_code == 200, answer.text
    return True


async def test_moves_within_half_an_hour_are_one(world: World) -> None:
    ada, ben = await followed(world)
    one, other = [await rank(ada, film, "A") for film in films(world, 2)]
    later(world, 5)
    await move(ada, one, tier="B")
    later(world, 29)
    first = (await feed(ben))[0]
    await move(ada, other, tier="S")
    await move(ada, one, tier="C")
    folded, *_ = await feed(ben)
    assert folded["id"] == first["id"]
    assert folded["at"] > first["at"]
    assert (folded["count"], folded["from_tier"], folded["tier"]) == (2, "A", "C")
    later(world, 31)
    await move(ada, one, tier="A")
    items = await feed(ben)
    assert [(item["kind"], item["count"]) for item in items] == [
        ("moved", 1), ("moved", 2), ("moved", 1), ("ranked", 1), ("ranked", 1),
    ]  # fmt: skip
    assert (items[0]["from_tier"], items[0]["tier"]) == ("C", "A")
    before = await feed(ben)
    assert (await ada.patch(f"/rankings/{one['id']}/move", json={"rank": 1})).status_code == 200
    assert await feed(ben) == before, "what changes nothing is no news"


async def test_what_is_taken_back_is_told_no_more(world: World) -> None:
    ada, ben = await followed(world)
    ranking = await rank(ada, films(world, 1)[0])
    await note(ada, ranking, "something I regret")
    await note(ada, ranking, "something wiser")
    items = await feed(ben)
    assert [(item["kind"], item["count"], item["note"]) for item in items] == [
        ("noted", 2, "something wiser"), ("ranked", 1, "something wiser"),
    ]  # fmt: skip
    await note(ada, ranking, None)
    [item] = await feed(ben)
    assert "note" not in item
    await ada.delete(f"/rankings/{ranking['id']}")
    assert await feed(ben) == []


async def test_who_is_left_or_blocked_vanishes(world: World) -> None:
    ada, ben = await followed(world)
    await ada.patch("/social/me", json={"private": True})
    await rank(ada, films(world, 1)[0])
    assert len(await feed(ben)) == 1
    await ben.delete(f"/social/follow/{ada.id}")
    assert await feed(ben) == []
    await ben.post(f"/social/follow/{ada.id}")
    assert await feed(ben) == [], "who asks does not follow yet"
    await ada.patch("/social/me", json={"private": False})
    assert len(await feed(ben)) == 1
    await ada.put(f"/api/v1/users/{ben.username}/block")
    assert await feed(ben) == []


@pytest.mark.parametrize("among", [1, 7, 300])
async def test_pages_are_the_slow_obvious_ones(
    world: World, monkeypatch: pytest.MonkeyPatch, among: int
) -> None:
    """Among few deeds of everybody or many: page after page is what the followed did, in order."""
    monkeypatch.setattr(reading, "AMONG", among)
    chance = random.Random(among)
    people = [await world.person("doer") for _ in range(5)]
    ben = await world.person("ben")
    for person in people[:3]:
        await ben.post(f"/social/follow/{person.id}")
    titles = films(world, 6)
    for _ in range(50):
        person, film = chance.choice(people), chance.choice(titles)
        await person.post("/rankings", json={"media_id": film, "tier": chance.choice("SABCD")})
        later(world, chance.choice((0, 0, 1, 40)))
    # Many at one moment: the id decides.
    world.sql("update marquee.activities set at = date_trunc('hour', at) where user_id = any(%s)",
              [person.id for person in people])  # fmt: skip
    due = world.sql(
        "select id::text from marquee.activities where user_id = any(%s::uuid[]) order by at desc, id desc",
        [person.id for person in people[:3]],
    )
    for limit in (1, 4, 100):
        assert [item["id"] for item in await whole_feed(ben, limit)] == [id_ for (id_,) in due]
    assert len(due) > 10


async def test_moves_at_once_fold_into_one(world: World) -> None:
    ada, ben = await followed(world)
    ranking = await rank(ada, films(world, 1)[0], "D")
    await asyncio.gather(
        *(ada.patch(f"/rankings/{ranking['id']}/move", json={"tier": tier}) for tier in "SABC" * 3)
    )
    moved, ranked = await feed(ben)
    assert (ranked["kind"], moved["kind"], moved["from_tier"]) == ("ranked", "moved", "D")
    assert moved["count"] >= 4
    now = (await ada.get(f"/rankings/{ranking['id']}")).json()
    assert moved["tier"] == now["tier"]


async def test_a_title_that_is_none_any_more_is_passed_over(world: World) -> None:
    ada, ben = await followed(world)
    titles = films(world, 4)
    for film in titles:
        await rank(ada, film)
        later(world, 1)
    world.sql("update catalogue.works set kind = 'game' where id = any(%s)", [titles[1], titles[3]])
    assert [item["media"]["id"] for item in await whole_feed(ben, 1)] == [titles[2], titles[0]]
