"""Reading lists: filters, pages, tags; who may read whose."""

from typing import Any

import pytest
from tests.apps.marquee.ranking import films, own_list, rank
from tests.world import Person, World, code_of

ATTRIBUTES = (
    '{"company": "RSC", "cast": ["Judi Dench", "Ian McKellen"], "acts": 5, "length": 2.5, "revival": true,'
    ' "genres": ["Tragedy"], "venue": {"city": "London"}}'
)


async def library(world: World, ada: Person) -> dict[str, str]:
    """A film in S, two plays in A, a film in D; names of titles by their ids."""
    (heat,) = films(world, 1, title="Heat", genres=["Crime", "Drama"])
    (macbeth,) = films(world, 1, title="Macbeth", kind="play", attributes=ATTRIBUTES)
    (noises,) = films(
        world, 1, title="Noises Off", kind="play", attributes='{"acts": [3], "genres": "farce"}'
    )
    (cats,) = films(world, 1, title="Cats", attributes='{"genres": ["drama", 1, null]}')
    await rank(ada, cats, "D")
    await rank(ada, noises, "A")
    await rank(ada, macbeth, "A", rank=1)
    await rank(ada, heat, "S")
    return {heat: "Heat", macbeth: "Macbeth", noises: "Noises Off", cats: "Cats"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "S1 Heat, A1 Macbeth, A2 Noises Off, D1 Cats"),
        ("tier=A", "A1 Macbeth, A2 Noises Off"),
        ("tier=B", ""),
        ("media_type=PLAY", "A1 Macbeth, A2 Noises Off"),
        ("media_type=MOVIE&tier=D", "D1 Cats"),
        ("genre=drama", "S1 Heat, D1 Cats"),
        ("genre=TRAGEDY", "A1 Macbeth"),
        ("genre=farce", ""),  # a text where a list belongs
        ("genre=dram", ""),
        ("genre=%25", ""),
        ("attribute.company=RSC", "A1 Macbeth"),
        ("attribute.company=rsc", ""),
        ("attribute.cast=Judi%20Dench", "A1 Macbeth"),
        ("attribute.cast=Judi%20Dench&attribute.cast=Ian%20McKellen", "A1 Macbeth"),
        ("attribute.cast=Judi%20Dench&attribute.cast=Somebody", ""),
        ("attribute.acts=5", "A1 Macbeth"),
        ("attribute.acts=3", "A2 Noises Off"),
        ("attribute.acts=05", ""),
        ("attribute.length=2.5", "A1 Macbeth"),
        ("attribute.length=1e999", ""),
        ("attribute.revival=true", "A1 Macbeth"),
        ("attribute.venue=London", ""),
        ("attribute.acts=5&attribute.company=RSC&genre=tragedy&media_type=PLAY&tier=A", "A1 Macbeth"),
        ("attribute.%22%7D=%5C", ""),
        ("limit=2", "S1 Heat, A1 Macbeth"),
        ("limit=2&offset=1", "A1 Macbeth, A2 Noises Off"),
        ("genre=drama&offset=1", "D1 Cats"),
        ("unknown=1&attributes=2", "S1 Heat, A1 Macbeth, A2 Noises Off, D1 Cats"),
    ],
)
async def test_a_list_narrowed(world: World, query: str, found: str) -> None:
    ada = await world.person()
    names = await library(world, ada)
    items = await own_list(ada, query)
    assert ", ".join(f"{i['tier']}{i['rank']} {names[i['media']['id']]}" for i in items) == found


async def test_pages_tell_the_total(world: World) -> None:
    ada = await world.person()
    await library(world, ada)
    for query, counted in (
        ("", (20, 0, 4)),
        ("limit=1000&offset=2", (1000, 2, 4)),
        ("offset=4", (20, 4, 4)),
        ("offset=100&tier=A", (20, 100, 2)),
        ("offset=1&tier=C", (20, 1, 0)),
        ("genre=drama&limit=1", (1, 0, 2)),
    ):
        page = (await ada.get(f"/rankings/me?{query}")).json()
        assert (page["limit"], page["offset"], page["total"]) == counted


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "offset=-1",
        "tier=E",
        "media_type=GAME",
        "genre=" + "g" * 61,
        "attribute.=x",
        "attribute.x=" + "y" * 301,
        f"attribute.{'x' * 101}=y",
        "&".join(f"attribute.a{n}=1" for n in range(11)),
        "attribute.a=%00",
    ],
)
async def test_what_cannot_be_asked_for(world: World, query: str) -> None:
    ada = await world.person()
    for path in ("/rankings/me", f"/rankings/of/{ada.id}"):
        assert code_of(await ada.get(f"{path}?{query}")) == (422, "invalid_request")


async def test_the_tag_covers_what_is_shown(world: World) -> None:
    ada = await world.person()
    names = await library(world, ada)
    first = await ada.get("/rankings/me")
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    assert (await ada.get("/rankings/me", headers=known)).status_code == 304
    # A title changes, though no ranking does.
    world.sql("update catalogue.works set title = 'HEAT' where id = %s", next(iter(names)))
    assert (await ada.get("/rankings/me", headers=known)).status_code == 200


async def test_who_may_read_whose_list(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    await library(world, ada)
    path = f"/rankings/of/{ada.id}"
    page = (await ben.get(path)).json()
    assert page["items"] == await own_list(ada)
    assert (page["limit"], page["offset"], page["total"]) == (20, 0, 4)
    narrowed = (await ben.get(f"{path}?attribute.company=RSC")).json()
    assert [item["media"]["title"] for item in narrowed["items"]] == ["Macbeth"]
    assert (await ada.put(f"/api/v1/users/{cleo.username}/block")).status_code == 204
    assert code_of(await cleo.get(path)) == (404, "not_found")
    assert code_of(await ada.get(f"/rankings/of/{cleo.id}")) == (404, "not_found")
    assert code_of(await ben.get(f"/rankings/of/{'0' * 8}-0000-7000-8000-{'0' * 12}")) == (404, "not_found")
    assert (await ben.post(f"/social/follow/{ada.id}")).status_code == 200
    assert (await ada.patch("/social/me", json={"private": True})).status_code == 200
    assert (await ben.get(path)).status_code == 200  # who followed before goes on
    dan = await world.person("dan")
    assert code_of(await dan.get(path)) == (404, "not_found")
    assert (await ada.get(path)).status_code == 200


async def test_a_list_of_thousands(world: World) -> None:
    ada = await world.person()
    ids = films(world, 1500)
    world.sql("insert into marquee.tiers values (%s, 'C', 1500)", ada.id)
    world.sql(
        "insert into marquee.user_rankings select gen_random_uuid(), %s, id, 'C', key, 7 - n / 1501.0, null,"
        " now(), now() from unnest(%s::text[], marquee.keys_between(null, null, 1500))"
        " with ordinality as r(id, key, n)",
        ada.id,
        ids,
    )
    first, second = [(await ada.get(f"/rankings/me?limit=1000&offset={at}")).json() for at in (0, 1000)]
    items: list[dict[str, Any]] = first["items"] + second["items"]
    assert (len(first["items"]), len(second["items"]), second["total"]) == (1000, 500, 1500)
    assert [item["media"]["id"] for item in items] == ids
    assert [item["rank"] for item in items] == list(range(1, 1501))
    world.sql("delete from marquee.user_rankings where user_id = %s", ada.id)  # others count them all
