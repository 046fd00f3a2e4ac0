"""Ranking titles, moving, noting and removing them, through the front door."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.apps.marquee.ranking import check_list, films, move, own_list, rank, titles_in
from tests.world import Person, World, code_of


async def ranked(person: Person, count: int, tier: str = "A") -> list[dict[str, Any]]:
    """So many titles in a tier, best first."""
    return [await rank(person, film, tier) for film in films(person.world, count)]


async def test_a_title_is_ranked_and_read_back(world: World) -> None:
    ada = await world.person()
    (film,) = films(world, 1, title="Amélie", genres=["comedy"], year=2001)
    answer = await ada.post("/rankings", json={"media_id": film, "tier": "S", "note": "<b>sweet</b>"})
    assert answer.status_code == 201
    placed = answer.json()
    assert answer.headers["location"] == f"/rankings/{placed['id']}"
    assert placed == {
        "id": placed["id"],
        "tier": "S",
        "rank": 1,
        "position_key": "a0",
        "score": 9.5,
        "note": "<b>sweet</b>",
        "media": {
            "id": film,
            "title": "Amélie",
            "original_title": "Amélie",
            "media_type": "MOVIE",
            "year": 2001,
            "poster_url": None,
            "overview": None,
            "genres": ["comedy"],
            "tmdb_id": None,
            "attributes": {},
            "source": "local",
        },
        "created_at": placed["created_at"],
        "updated_at": placed["created_at"],
    }
    page = (await ada.get("/rankings/me")).json()
    assert page == {"items": [placed], "limit": 20, "offset": 0, "total": 1}
    one = await ada.get(answer.headers["location"])
    assert one.json() == placed
    headers = {"If-None-Match": one.headers["etag"]}
    assert (await ada.get(answer.headers["location"], headers=headers)).status_code == 304


async def test_titles_stand_where_they_are_put(world: World) -> None:
    ada = await world.person()
    a, b, c, d, e, f, g = films(world, 7)
    first = await rank(ada, a)
    assert await titles_in(ada, "A") == [a]
    last = await rank(ada, b)  # the end
    assert (first["position_key"], last["position_key"]) == ("a0", "a1")
    between = await rank(ada, c, after_id=first["id"])
    assert (between["position_key"], between["score"], between["rank"]) == ("a0V", 8.375, 2)
    await rank(ada, d, before_id=first["id"])
    assert await titles_in(ada, "A") == [d, a, c, b]
    await rank(ada, e, rank=2)
    assert await titles_in(ada, "A") == [d, e, a, c, b]
    beyond = await rank(ada, f, rank=10**15)
    assert beyond["rank"] == 6
    await rank(ada, g, rank=6)
    assert await titles_in(ada, "A") == [d, e, a, c, b, g, f]
    check_list(await own_list(ada))


async def test_the_older_front_ends_names(world: World) -> None:
    ada = await world.person()
    a, b, c, d, e = films(world, 5)
    top = await rank(ada, a, prev_ranking_id=None, next_ranking_id=None, notes="old")
    assert top["note"] == "old"
    bottom = await rank(ada, b, prev_ranking_id=top["id"], next_ranking_id=None)
    # Both are one place: their gap, whatever came into it meanwhile.
    await rank(ada, c, prev_ranking_id=top["id"], next_ranking_id=bottom["id"])
    await rank(ada, d, prev_ranking_id=top["id"], next_ranking_id=bottom["id"])
    above = await rank(ada, e, next_ranking_id=top["id"])
    assert await titles_in(ada, "A") == [e, a, d, c, b]
    moved = await move(ada, above, prev_ranking_id=bottom["id"])
    assert moved["rank"] == 5
    path = f"/rankings/{above['id']}"
    wrong = {"prev_ranking_id": bottom["id"], "next_ranking_id": top["id"]}
    assert code_of(await ada.patch(f"{path}/move", json=wrong)) == (422, "wrong_neighbour")
    assert (await ada.patch(path, json={"notes": "newer"})).json()["note"] == "newer"


@pytest.mark.parametrize(
    "names",
    [
        ("before_id", "after_id"),
        ("before_id", "rank"),
        ("after_id", "rank"),
        ("before_id", "after_id", "rank"),
        ("prev_ranking_id", "after_id"),
        ("next_ranking_id", "rank"),
    ],
)
async def test_one_place_only(world: World, names: tuple[str, ...]) -> None:
    ada = await world.person()
    one, other = await ranked(ada, 2)
    place = {name: 1 if name == "rank" else other["id"] for name in names}
    body = {"media_id": films(world, 1)[0], "tier": "A", **place}
    assert code_of(await ada.post("/rankings", json=body)) == (422, "one_place")
    assert code_of(await ada.patch(f"/rankings/{one['id']}/move", json=place)) == (422, "one_place")


async def test_what_is_not_there_or_not_ones_own(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    (own,), (bens,) = await ranked(ada, 1), await ranked(ben, 1)
    (film,) = films(world, 1)
    (book,) = films(world, 1, kind="book")
    for media_id in ("no-such-film", book, "..", "ä", ""):
        body = {"media_id": media_id, "tier": "A"}
        assert code_of(await ada.post("/rankings", json=body)) == (404, "not_found")
    for neighbour in (bens["id"], str(uuid4())):
        for name in ("before_id", "after_id", "prev_ranking_id", "next_ranking_id"):
            body = {"media_id": film, "tier": "A", name: neighbour}
            assert code_of(await ada.post("/rankings", json=body)) == (404, "not_found")
            path = f"/rankings/{own['id']}/move"
            assert code_of(await ada.patch(path, json={name: neighbour})) == (404, "not_found")
    for id_ in (bens["id"], str(uuid4())):
        assert code_of(await ada.get(f"/rankings/{id_}")) == (404, "not_found")
        assert code_of(await ada.patch(f"/rankings/{id_}/move", json={"rank": 1})) == (404, "not_found")
        assert code_of(await ada.patch(f"/rankings/{id_}", json={"note": "x"})) == (404, "not_found")
        assert code_of(await ada.delete(f"/rankings/{id_}")) == (404, "not_found")
    assert await own_list(ben) == [bens]


async def test_a_neighbour_in_another_tier(world: World) -> None:
    ada = await world.person()
    (in_s,) = await ranked(ada, 1, "S")
    (in_a,) = await ranked(ada, 1, "A")
    body = {"media_id": films(world, 1)[0], "tier": "A", "before_id": in_s["id"]}
    assert code_of(await ada.post("/rankings", json=body)) == (422, "wrong_neighbour")
    path = f"/rankings/{in_a['id']}/move"
    assert code_of(await ada.patch(path, json={"after_id": in_s["id"]})) == (422, "wrong_neighbour")
    own = {"tier": "S", "after_id": in_a["id"]}  # itself, in the tier it would leave
    assert code_of(await ada.patch(path, json=own)) == (422, "wrong_neighbour")
    assert (await move(ada, in_a, tier="S", after_id=in_s["id"]))["rank"] == 2


async def test_a_title_is_ranked_once(world: World) -> None:
    ada = await world.person()
    (there,) = await ranked(ada, 1, "B")
    answer = await ada.post("/rankings", json={"media_id": there["media"]["id"], "tier": "S", "rank": 1})
    assert code_of(answer) == (409, "already_ranked")
    assert answer.json()["ranking"] == there
    (film,) = films(world, 1)
    answers = await asyncio.gather(
        *(ada.post("/rankings", json={"media_id": film, "tier": tier}) for tier in "SABCD" * 4)
    )
    assert sorted(one.status_code for one in answers) == [201] + [409] * 19
    assert len(await own_list(ada)) == 2


async def test_moves(world: World) -> None:
    ada = await world.person()
    a, b, c, d = await ranked(ada, 4)
    ids = [one["media"]["id"] for one in (a, b, c, d)]
    await ada.patch(f"/rankings/{d['id']}", json={"note": "kept"})
    moved = await move(ada, d, before_id=b["id"])
    assert (moved["id"], moved["rank"], moved["note"]) == (d["id"], 2, "kept")
    assert moved["created_at"] == d["created_at"]
    assert moved["updated_at"] > d["updated_at"]
    assert await titles_in(ada, "A") == [ids[0], ids[3], ids[1], ids[2]]
    assert (await move(ada, a, rank=3))["rank"] == 3
    assert await titles_in(ada, "A") == [ids[3], ids[1], ids[0], ids[2]]
    assert (await move(ada, d, tier="A"))["rank"] == 4  # a tier without a place: its end
    crossed = await move(ada, b, tier="S")
    assert (crossed["tier"], crossed["rank"], crossed["score"], crossed["position_key"]) == (
        "S",
        1,
        9.5,
        "a0",
    )
    back = await move(ada, b, tier="A", rank=1)
    assert (back["tier"], back["rank"]) == ("A", 1)
    assert await titles_in(ada, "S") == []
    check_list(await own_list(ada))
    counts = world.sql("select tier, titles from marquee.tiers where user_id = %s", ada.id)
    assert dict(counts) == {"S": 0, "A": 4}


async def test_a_move_to_where_it_stands_changes_nothing(world: World) -> None:
    ada = await world.person()
    a, b, c = await ranked(ada, 3)
    before = await ada.get("/rankings/me")
    for ranking, place in (
        (a, {"rank": 1}),
        (a, {"before_id": b["id"]}),
        (b, {"rank": 2}),
        (b, {"after_id": a["id"]}),
        (b, {"before_id": c["id"]}),
        (b, {"tier": "A", "before_id": c["id"]}),
        (b, {"prev_ranking_id": a["id"], "next_ranking_id": c["id"]}),
        (b, {"before_id": b["id"]}),
        (b, {"after_id": b["id"]}),
        (c, {"tier": "A"}),
        (c, {"rank": 3}),
        (c, {"rank": 99}),
        (c, {"after_id": b["id"]}),
    ):
        assert await move(ada, ranking, **place) == ranking
    after = await ada.get("/rankings/me")
    assert after.headers["room-seq"] == before.headers["room-seq"]  # nothing was told
    assert after.headers["etag"] == before.headers["etag"]


async def test_notes(world: World) -> None:
    ada = await world.person()
    (one,) = await ranked(ada, 1)
    path = f"/rankings/{one['id']}"
    noted = (await ada.patch(path, json={"note": "  <i>raw</i>\n "})).json()
    assert noted["note"] == "  <i>raw</i>\n "
    assert noted["updated_at"] > one["updated_at"]
    assert (await ada.patch(path, json={"note": noted["note"]})).json() == noted
    whole = (await ada.patch(path, json={**noted, "note": "whole"})).json()  # as front ends send it back
    assert whole["note"] == "whole"
    assert (await ada.patch(path, json={"note": None})).json()["note"] is None
    assert (await ada.patch(path, json={"note": "n" * 5000})).status_code == 200
    for wrong in ({}, {"note": "n" * 5001}, {"note": 1}, {"note": "a", "notes": "b"}, {"stars": 5}):
        assert code_of(await ada.patch(path, json=wrong)) == (422, "invalid_request")


async def test_removing(world: World) -> None:
    ada = await world.person()
    a, b, c = await ranked(ada, 3)
    assert (await ada.delete(f"/rankings/{b['id']}")).status_code == 204
    assert code_of(await ada.delete(f"/rankings/{b['id']}")) == (404, "not_found")
    assert [(item["id"], item["rank"]) for item in await own_list(ada)] == [(a["id"], 1), (c["id"], 2)]
    assert (await rank(ada, b["media"]["id"]))["rank"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tier": "A"},
        {"media_id": "m"},
        {"media_id": "m", "tier": "E"},
        {"media_id": "m", "tier": "a"},
        {"media_id": 1, "tier": "A"},
        {"media_id": "m", "tier": "A", "rank": 0},
        {"media_id": "m", "tier": "A", "rank": 1.5},
        {"media_id": "m", "tier": "A", "rank": "1"},
        {"media_id": "m", "tier": "A", "before_id": "x"},
        {"media_id": "m", "tier": "A", "note": "n" * 5001},
        {"media_id": "m", "tier": "A", "note": "a", "notes": "b"},
        {"media_id": "m", "tier": "A", "score": 10},
    ],
)
async def test_what_cannot_be_ranked_so(world: World, body: dict[str, Any]) -> None:
    ada = await world.person()
    assert code_of(await ada.post("/rankings", json=body)) == (422, "invalid_request")


async def test_a_move_says_something(world: World) -> None:
    ada = await world.person()
    (one,) = await ranked(ada, 1)
    for body in ({}, {"tier": None}, {"tier": None, "rank": None}, {"position_key": "a9"}, {"rank": -1}):
        answer = await ada.patch(f"/rankings/{one['id']}/move", json=body)
        assert code_of(answer) == (422, "invalid_request")


async def test_a_key_repeated_ranks_once(world: World) -> None:
    ada = await world.person()
    (film,) = films(world, 1)
    body, headers = {"media_id": film, "tier": "A"}, {"Idempotency-Key": "once"}
    first = await ada.post("/rankings", json=body, headers=headers)
    again = await ada.post("/rankings", json=body, headers=headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]


async def test_a_full_tier(world: World) -> None:
    ada = await world.person()
    (one,) = await ranked(ada, 1, "D")
    (inside,) = await ranked(ada, 1, "C")
    world.sql("update marquee.tiers set titles = 10000 where user_id = %s and tier = 'D'", ada.id)
    body = {"media_id": films(world, 1)[0], "tier": "D", "rank": 1}
    assert code_of(await ada.post("/rankings", json=body)) == (409, "tier_full")
    crossing = await ada.patch(f"/rankings/{inside['id']}/move", json={"tier": "D"})
    assert code_of(crossing) == (409, "tier_full")
    assert (await ada.patch(f"/rankings/{one['id']}", json={"note": "still mine"})).status_code == 200
    assert await move(ada, one, rank=1)
