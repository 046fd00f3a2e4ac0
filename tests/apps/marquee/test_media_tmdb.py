"""Searching with TMDB: what it knows appears, and whatever becomes of it, what is here is answered."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog
from tests.apps.marquee.tmdb_service import (
    STALL,
    TOKEN,
    V3_KEY,
    Film,
    TmdbService,
    Trouble,
    heal,
    tmdb_world,
)
from tests.conftest import serving
from tests.waiting import look_again
from tests.world import World, new_title

from quintet.domains.catalogue.tmdb import asking
from quintet.domains.catalogue.tmdb.asking import Tmdb

HEAT = Film(
    949,
    "Heat",
    "1995-12-15",
    poster="/heat.jpg",
    overview="A heist.",
    popularity=40.5,
    genre_ids=[80, 18, 999],
)


@pytest.fixture(scope="module")
async def pair(worker_name: str) -> AsyncIterator[tuple[World, TmdbService]]:
    async with tmdb_world(f"tmdb_search_{worker_name}") as made:
        yield made


@pytest.fixture
def tmdb(pair: tuple[World, TmdbService]) -> TmdbService:
    heal(*pair)
    return pair[1]


@pytest.fixture
def here(pair: tuple[World, TmdbService]) -> World:
    return pair[0]


async def search(world: World, query: str, **filters: object) -> Any:
    answer = await world.get("/media/search", params={"q": query, **filters})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(world: World, query: str, **filters: object) -> list[int]:
    return [item["tmdb_id"] for item in (await search(world, query, **filters))["items"]]


async def test_what_tmdb_knows_appears_and_is_remembered(here: World, tmdb: TmdbService) -> None:
    tmdb.know(HEAT, Film(1, "Heatwave"))
    body = await search(here, " Heat")
    assert (body["external"], body["total"]) == ("ok", 2)
    first, second = body["items"]
    assert first | {"id": ""} == {
        "id": "", "title": "Heat", "original_title": "Heat", "media_type": "MOVIE", "year": 1995,
        "poster_url": "https://image.tmdb.org/t/p/w500/heat.jpg", "overview": "A heist.",
        "genres": ["Crime", "Drama"], "tmdb_id": 949, "attributes": {"genres": ["Crime", "Drama"]},
        "source": "tmdb",
    }  # fmt: skip
    assert [second[name] for name in ("year", "poster_url", "overview")] == [None, None, None]
    (asked,) = tmdb.asked
    assert asked.query == {"query": "heat", "include_adult": "false", "page": "1"}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    # The same, however it is written, for a day.
    for query in ("HEAT", "héat", "heat "):
        assert await search(here, query) == body | {"external": "ok"}
    assert tmdb.calls == 1
    here.clock.go(hours=24)
    assert (await search(here, "heat"))["external"] == "ok"
    assert tmdb.calls == 2
    assert here.sql("select count(*) from catalogue.works") == [(2,)]


async def test_a_film_that_nothing_here_resembles_appears(here: World, tmdb: TmdbService) -> None:
    """TMDB knows more names than it lists: what it found is shown, behind what fits better."""
    tmdb.finds = lambda _film, _query: True
    tmdb.know(Film(129, "Spirited Away", "2001-07-20", original="千と千尋の神隠し"), Film(2, "Chihiros"))
    assert await ids(here, "chihiro") == [2, 129]
    assert await ids(here, "千と千尋") == [129, 2]
    # On later pages, too, without asking.
    calls = tmdb.calls
    page = await search(here, "chihiro", limit=1, offset=1)
    assert (page["items"][0]["tmdb_id"], page["total"], page["external"]) == (129, 2, "not_asked")
    assert tmdb.calls == calls


async def test_nothing_is_remembered_too(here: World, tmdb: TmdbService) -> None:
    for _ in range(3):
        assert await search(here, "nothing") == {
            "items": [], "limit": 20, "offset": 0, "total": 0, "external": "ok",
        }  # fmt: skip
    assert tmdb.calls == 1


async def test_nobody_is_asked_in_vain(here: World, tmdb: TmdbService) -> None:
    ada = await here.person()
    for number in range(5):
        await new_title(ada, title=f"Heat {number}")
    for filters in ({}, {"media_type": "PLAY"}, {"offset": 20}, {"limit": 1}):
        assert (await search(here, "heat", **filters))["external"] == "not_asked"
    assert (await search(here, "haet", media_type="MOVIE"))["external"] == "ok"
    assert (await search(here, "  "))["external"] == "not_asked"
    assert [one.query["query"] for one in tmdb.asked] == ["haet"]


async def test_only_the_first_page_and_nothing_for_adults(here: World, tmdb: TmdbService) -> None:
    tmdb.finds = lambda _film, _query: True
    tmdb.know(*(Film(n, f"Heat {n:02}") for n in range(1, 30)), Film(30, "Heat", adult=True))
    tmdb.films[3].title = "  "
    body = await search(here, "heat", limit=100)
    assert sorted(item["tmdb_id"] for item in body["items"]) == [n for n in range(1, 21) if n != 3]
    assert tmdb.calls == 1


async def test_odd_letters_are_taken_over(here: World, tmdb: TmdbService) -> None:
    tmdb.finds = lambda _film, _query: True
    tmdb.know(
        Film(1, "Amélie", "2001-04-25", original="Le Fabuleux Destin d'Amélie Poulain"),
        Film(2, "a\0b" * 150),
        Film(3, "千と千尋の神隠し", "200"), Film(4, "Up", "0000-00-00", poster="//evil.example/x"),
        Film(5, "It", poster="/a/../b", popularity=-1),
    )  # fmt: skip
    items = {item["tmdb_id"]: item for item in (await search(here, "amelie"))["items"]}
    assert items[1]["original_title"] == "Le Fabuleux Destin d'Amélie Poulain"
    assert len(items[2]["title"]) == 300
    assert [(items[n]["year"], items[n]["poster_url"]) for n in (3, 4, 5)] == [(None, None)] * 3
    assert (await ids(here, "fabuleux destin"))[0] == 1


async def test_many_identical_callers_ask_once(here: World, tmdb: TmdbService) -> None:
    tmdb.know(HEAT)
    tmdb.always = STALL
    callers = [asyncio.create_task(search(here, q)) for q in ("heat", "Heat", "HEAT ", "hEat") * 10]
    hasty = callers[0]
    while not tmdb.calls:
        await look_again()
    hasty.cancel()  # who hangs up does not take the answer from the others
    tmdb.always = None
    tmdb.release()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    told = [one for one in answers if isinstance(one, dict)]
    assert len(told) == 39
    assert all((one["external"], one["total"]) == ("ok", 1) for one in told)
    assert tmdb.calls == 1
    print(f"{len(callers)} callers, {tmdb.calls} question")


TROUBLES = {
    "500": Trouble(500),
    "broken": Trouble(200, {}, b'{"results": ['),
    "another shape": Trouble(200, {}, b'{"results": [{"id": "x"}]}'),
    "no JSON": Trouble(200, {}, b"<html>"),
    "deep": Trouble(200, {}, b"[" * 100_000),
    "endless": Trouble(200, {}, b'{"results": []}' + b" " * (3 * 1024 * 1024)),
    "elsewhere": Trouble(302, {"location": "http://127.0.0.1:1/"}),
    "unknown": Trouble(404),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_trouble_shows_what_is_here_and_is_not_remembered(
    here: World, tmdb: TmdbService, trouble: Trouble
) -> None:
    ada = await here.person()
    mine = await new_title(ada, title="Heat")
    tmdb.know(Film(1, "Heatwave"))
    tmdb.troubles.append(trouble)
    body = await search(here, "heat")
    assert ([item["id"] for item in body["items"]], body["external"]) == ([mine], "unavailable")
    body = await search(here, "heat")
    assert (body["total"], body["external"], tmdb.calls) == (2, "ok", 2)


async def test_an_old_answer_serves_while_tmdb_is_away(here: World, tmdb: TmdbService) -> None:
    tmdb.finds = lambda _film, _query: True
    tmdb.know(HEAT)
    assert await ids(here, "la chaleur") == [949]
    here.clock.go(days=2)
    tmdb.always = Trouble(503)
    body = await search(here, "la chaleur")
    assert ([item["tmdb_id"] for item in body["items"]], body["external"]) == ([949], "unavailable")


async def test_a_slow_tmdb_is_not_waited_for(here: World, tmdb: TmdbService) -> None:
    tmdb.always = STALL
    began = time.monotonic()
    assert (await search(here, "heat"))["external"] == "unavailable"
    took = time.monotonic() - began
    assert 1.9 < took < 3


async def unavailable_until(world: World, tmdb: TmdbService, **rest: float) -> None:
    """TMDB, well again, is left alone all that time and then asked."""
    tmdb.always = None
    calls = tmdb.calls
    assert (await search(world, str(uuid4())))["external"] == "unavailable"
    world.clock.go(seconds=timedelta(**rest).total_seconds() - 1)
    assert (await search(world, str(uuid4())))["external"] == "unavailable"
    assert tmdb.calls == calls
    world.clock.go(seconds=1)
    assert (await search(world, str(uuid4())))["external"] == "ok"


async def test_after_401_it_rests_five_minutes(here: World, tmdb: TmdbService) -> None:
    tmdb.troubles.append(Trouble(401))
    assert (await search(here, "a401"))["external"] == "unavailable"
    await unavailable_until(here, tmdb, minutes=5)


async def test_after_429_it_rests_as_long_as_asked(here: World, tmdb: TmdbService) -> None:
    tmdb.troubles.append(Trouble(429, {"retry-after": "17"}))
    assert (await search(here, "a429"))["external"] == "unavailable"
    await unavailable_until(here, tmdb, seconds=17)


async def test_after_three_failures_it_rests_half_a_minute(here: World, tmdb: TmdbService) -> None:
    bad = Trouble(500)
    # A success between them begins the count anew.
    for expected, trouble in (("unavailable", bad), ("unavailable", bad), ("ok", None)) * 2:
        tmdb.always = trouble
        assert (await search(here, str(uuid4())))["external"] == expected
    tmdb.always = bad
    for _ in range(3):
        assert (await search(here, str(uuid4())))["external"] == "unavailable"
    await unavailable_until(here, tmdb, seconds=30)
    # Another node knows of the rest, too.
    here.sql("update catalogue.tmdb_breaker set failures = 2")
    tmdb.always = bad
    await search(here, str(uuid4()))
    calls = tmdb.calls
    async with serving(here.kernel.settings, here.dsn, here.clock) as other:
        assert (await search(other, str(uuid4())))["external"] == "unavailable"
    assert tmdb.calls == calls


async def test_never_more_than_forty_questions_a_second_by_all_nodes(here: World, tmdb: TmdbService) -> None:
    async with serving(here.kernel.settings, here.dsn, here.clock) as other:
        answers = await asyncio.gather(
            *(search(world, f"question {n} {world is here}") for n in range(45) for world in (here, other))
        )
    at = sorted(one.at for one in tmdb.asked)
    most = max(sum(begin <= one < begin + 1 for one in at) for begin in at)
    told = sum(answer["external"] == "ok" for answer in answers)
    print(
        f"{len(answers)} callers of two nodes: {len(at)} questions, at most {most} in a second, {told} told"
    )
    assert most <= 40
    assert told >= 20
    # Those who waited in vain are no failure of TMDB's.
    assert here.sql("select failures, rests_until from catalogue.tmdb_breaker") == [(0, None)]


async def test_a_crowd_is_turned_away_at_once(
    here: World, tmdb: TmdbService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_QUESTIONS", 3)
    tmdb.always = STALL
    waiting = [asyncio.create_task(search(here, f"crowd {n}")) for n in range(3)]
    while tmdb.calls < 3:
        await look_again()
    assert (await search(here, "one more"))["external"] == "unavailable"
    assert tmdb.calls == 3
    tmdb.always = None
    tmdb.release()
    assert {one["external"] for one in await asyncio.gather(*waiting)} == {"ok"}


async def test_a_film_entered_by_hand_is_the_same_work(here: World, tmdb: TmdbService) -> None:
    ada = await here.person()
    mine = await new_title(ada, title="HÉAT", year=1995, genres=["heist"], attributes={"genres": ["heist"]})
    other = await new_title(ada, title="Heat", year=1986)
    path = f"/api/titles/{mine}"
    assert (await here.get(f"/media/{mine}")).json()["tmdb_id"] is None
    tmdb.know(HEAT, Film(2, "Heat", "1995-01-01", popularity=2), Film(3, "Heat", "1972-01-01"))
    items = {item["tmdb_id"]: item for item in (await search(here, "heat"))["items"]}
    assert set(items) == {None, 949, 2, 3}
    adopted = items[949]
    assert (adopted["id"], adopted["title"], adopted["source"]) == (mine, "HÉAT", "local")
    assert (adopted["genres"], adopted["attributes"]) == (["heist"], {"genres": ["heist"]})
    assert adopted["overview"] == "A heist."
    assert items[None]["id"] == other
    # Its room has heard of it, and both apps show it at once.
    assert (await here.get(path)).json()["version"] == 2
    assert (await here.get(f"/media/{mine}")).json()["tmdb_id"] == 949
    told = here.sql("select body->>'type' from kernel.room_events where room = %s", f"title:{mine}")
    assert told[0] == ("title_changed",)
    # Its maker may go on mending it.
    assert (await ada.patch(path, json={"year": 1994})).status_code == 200


async def test_a_key_of_the_third_version(worker_name: str) -> None:
    async with tmdb_world(f"tmdb_key_{worker_name}", V3_KEY) as (world, service):
        service.know(HEAT)
        with structlog.testing.capture_logs() as lines:
            assert (await search(world, "heat"))["external"] == "ok"
            service.always = Trouble(500)
            await search(world, "more")
            service.always = Trouble(401)
            await search(world, "even more")
        assert service.asked[0].query["api_key"] == V3_KEY
        assert "authorization" not in service.asked[0].headers
        assert [line["reason"] for line in lines if line["event"] == "tmdb_rests"] == ["Refused"]
        assert V3_KEY not in str(lines)


async def test_what_is_under_way_ends_with_the_server(here: World, tmdb: TmdbService) -> None:
    tmdb.always = STALL
    async with serving(here.kernel.settings, here.dsn, here.clock) as other:
        asked = asyncio.create_task(other.kernel.of_parts[Tmdb].search("endless"))
        while not tmdb.calls:
            await look_again()
    with pytest.raises(asyncio.CancelledError):
        await asked
