"""What the tests of rankings say again and again: titles, ranking them, reading the list."""

import itertools
from typing import Any
from uuid import uuid4

from tests.world import Person, World

BANDS = {"S": (9.0, 10.0), "A": (8.0, 9.0), "B": (7.0, 8.0), "C": (6.0, 7.0), "D": (0.0, 6.0)}
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_numbers = itertools.count(1)


def films(world: World, count: int, **columns: Any) -> list[str]:
    """So many new films in the catalogue; their ids."""
    ids = [f"film-{next(_numbers)}-{uuid4().hex[:6]}" for _ in range(count)]
    given = {"kind": "film", "title": "Heat", **columns}
    names = ", ".join(given)
    world.sql(
        f"insert into catalogue.works (id, {names}, created_at, updated_at)"
        f" select id, {', '.join(['%s'] * len(given))}, now(), now() from unnest(%s::text[]) as w(id)",
        *given.values(),
        ids,
    )
    return ids


async def rank(person: Person, media_id: str, tier: str = "A", **place: Any) -> dict[str, Any]:
    """Rank a title; the answer's body."""
    answer = await person.post("/rankings", json={"media_id": media_id, "tier": tier, **place})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def move(person: Person, ranking: dict[str, Any], **place: Any) -> dict[str, Any]:
    """Move a ranking; the answer's body."""
    answer = await person.patch(f"/rankings/{ranking['id']}/move", json=place)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def own_list(person: Person, query: str = "limit=1000") -> list[dict[str, Any]]:
    """One's own list."""
    answer = await person.get(f"/rankings/me?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def titles_in(person: Person, tier: str) -> list[str]:
    """The ids of the titles in a tier, best first."""
    return [item["media"]["id"] for item in await own_list(person, f"tier={tier}&limit=1000")]


def check_list(items: list[dict[str, Any]]) -> None:
    """What always holds of a whole list: order of tiers and ranks, keys, scores within their bands."""
    tiers = [item["tier"] for item in items]
    assert tiers == sorted(tiers, key="SABCD".index)
    for tier, (lo, hi) in BANDS.items():
        of_tier = [item for item in items if item["tier"] == tier]
        assert [item["rank"] for item in of_tier] == list(range(1, len(of_tier) + 1))
        keys = [item["position_key"] for item in of_tier]
        assert keys == sorted(set(keys))
        assert all(len(key) <= 48 for key in keys)
        scores = [item["score"] for item in of_tier]
        assert scores == sorted(set(scores), reverse=True)
        assert all(lo <= score < hi for score in scores)


def grown_keys(count: int) -> list[str]:
    """The first so many keys of an empty list: a0 … az, b00 … bzz, c000 …."""
    keys: list[str] = []
    for length, head in enumerate("abcd", 1):
        keys += [head + "".join(digits) for digits in itertools.product(DIGITS, repeat=length)][
            : count - len(keys)
        ]
        if len(keys) == count:
            break
    return keys
