"""Films of TMDB: completed when first looked at, refreshed when old, kept when gone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.apps.marquee.tmdb_service import STALL, Film, TmdbService, Trouble, heal, tmdb_world
from tests.conftest import serving
from tests.waiting import look_again
from tests.world import World, new_title

from quintet.domains.catalogue import WantedWork, find_or_enter_films, refresh_due
from quintet.domains.catalogue.tmdb.model import ATTRIBUTION
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


@pytest.fixture(scope="module")
async def pair(worker_name: str) -> AsyncIterator[tuple[World, TmdbService]]:
    async with tmdb_world(f"tmdb_completing_{worker_name}") as made:
        yield made


@pytest.fixture
def tmdb(pair: tuple[World, TmdbService]) -> TmdbService:
    heal(*pair)
    pair[1].know(
        Film(
            680, "Pulp Fiction", "1994-09-10", poster="/p.jpg", overview="Two hit men.", popularity=60,
            genre_ids=[53, 80], directors=["Quentin Tarantino", "Q. T.", "Quentin Tarantino"],
            others=["Schundroman", "  ", "Tarantinos Schund", "Schundroman"], runtime=154,
        )
    )  # fmt: skip
    return pair[1]


@pytest.fixture
def here(pair: tuple[World, TmdbService]) -> World:
    return pair[0]


async def found(world: World, query: str = "pulp fiction") -> str:
    items = (await world.get("/media/search", params={"q": query})).json()["items"]
    return items[0]["id"]


async def read(world: World, media_id: str) -> Any:
    answer = await world.get(f"/media/{media_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until_title(world: World, media_id: str, title: str) -> None:
    while (await read(world, media_id))["title"] != title:
        await look_again()


async def test_a_film_is_completed_when_first_looked_at(here: World, tmdb: TmdbService) -> None:
    film = await found(here)
    told = await asyncio.gather(*(read(here, film) for _ in range(10)))
    assert all(one == told[0] for one in told)
    assert told[0] == {
        "id": film, "title": "Pulp Fiction", "original_title": "Pulp Fiction", "media_type": "MOVIE",
        "year": 1994, "poster_url": "https://image.tmdb.org/t/p/w500/p.jpg", "overview": "Two hit men.",
        "genres": ["Thriller", "Crime"], "tmdb_id": 680, "source": "tmdb",
        "attributes": {"genres": ["Thriller", "Crime"], "director": "Quentin Tarantino, Q. T."},
        "attribution": ATTRIBUTION, "gone_at": None,
    }  # fmt: skip
    assert [one.path for one in tmdb.asked] == ["/3/search/movie", "/3/movie/680"]
    assert tmdb.asked[1].query == {"append_to_response": "credits,alternative_titles"}
    # Its other names are searched, and WIGG knows how long it lasts.
    assert await found(here, "schundroman") == film
    assert (await here.get(f"/api/titles/{film}")).json()["total_length_seconds"] == 154 * 60
    here.clock.go(minutes=5)
    await read(here, film)
    assert [one.path for one in tmdb.asked].count("/3/movie/680") == 1


async def test_what_is_known_is_answered_while_tmdb_is_away(here: World, tmdb: TmdbService) -> None:
    film = await found(here)
    tmdb.always = Trouble(500)
    told = await read(here, film)
    assert (told["title"], told["attributes"]) == ("Pulp Fiction", {"genres": ["Thriller", "Crime"]})
    tmdb.always = None
    here.clock.go(seconds=10)
    assert (await read(here, film))["attributes"]["director"]


async def test_a_film_entered_by_hand_only_gains_what_it_lacks(here: World, tmdb: TmdbService) -> None:
    assert 680 in tmdb.films
    ada = await here.person()
    mine = await new_title(
        ada, title="PULP FICTION", year=1994, total_length_seconds=9000, attributes={"director": "me"}
    )
    assert await found(here) == mine
    told = await read(here, mine)
    assert (told["title"], told["source"], told["tmdb_id"]) == ("PULP FICTION", "local", 680)
    assert told["attributes"] == {"director": "me", "genres": ["Thriller", "Crime"]}
    assert told["genres"] == ["Thriller", "Crime"]
    assert told["attribution"] == ATTRIBUTION
    assert (await here.get(f"/api/titles/{mine}")).json()["total_length_seconds"] == 9000
    assert await found(here, "schundroman") == mine


async def test_an_old_one_is_answered_at_once_and_refreshed_behind(here: World, tmdb: TmdbService) -> None:
    film = await found(here)
    etag = (await here.get(f"/media/{film}")).headers["etag"]
    tmdb.films[680].title = "Pulp Fiction II"
    here.clock.go(days=29)
    await read(here, film)
    assert tmdb.calls == 2
    here.clock.go(days=2)
    tmdb.always = STALL
    assert (await read(here, film))["title"] == "Pulp Fiction"
    while tmdb.calls < 3:
        await look_again()
    tmdb.always = None
    tmdb.release()
    await until_title(here, film, "Pulp Fiction II")
    assert (await here.get(f"/media/{film}", headers={"If-None-Match": etag})).status_code == 200
    events = "select body->>'type' from kernel.room_events where room = %s order by seq"
    assert here.sql(events, f"title:{film}")[-1] == ("title_changed",)


async def test_refreshing_what_has_not_changed_tells_nobody(here: World, tmdb: TmdbService) -> None:
    film = await found(here)
    version = (await read(here, film), await here.get(f"/api/titles/{film}"))[1].json()["version"]
    tmdb.films[680].popularity = 61.0
    here.clock.go(days=151)
    assert await refresh_due(here.kernel) == 1
    assert tmdb.calls == 3
    assert (await here.get(f"/api/titles/{film}")).json()["version"] == version
    assert here.sql("select popularity from catalogue.works where id = %s", film) == [(61,)]


async def test_a_search_changes_nothing_of_what_is_complete(here: World, tmdb: TmdbService) -> None:
    film = await found(here)
    before = await read(here, film)
    tmdb.films[680].title = "Pulp Fiction, as a search says"
    here.clock.go(days=2)
    assert await found(here) == film
    assert tmdb.calls == 3
    assert await read(here, film) == before


async def test_nothing_older_than_half_a_year_stays(here: World, tmdb: TmdbService) -> None:
    """However many nodes look for what is due, each film is asked about once; one that fails comes again."""
    tmdb.finds = lambda _film, _query: True
    tmdb.know(*(Film(n, f"Old {n}", "1950-01-01") for n in range(1, 16)))
    await found(here, "old")
    assert await refresh_due(here.kernel) == 0
    here.clock.go(days=180)
    asked = tmdb.calls
    tmdb.troubles.append(Trouble(500))
    async with serving(here.kernel.settings, here.dsn, here.clock) as other:
        while here.sql("select count(*) from catalogue.tmdb_films where is_complete") != [(15,)]:
            await asyncio.gather(refresh_due(here.kernel), refresh_due(other.kernel))
    paths = [one.path for one in tmdb.asked[asked:]]
    assert len(paths) == len(set(paths)) == 16
    here.clock.go(hours=2)
    assert await refresh_due(here.kernel) == 1
    assert here.sql("select count(*) from catalogue.tmdb_films where is_complete") == [(16,)]


async def test_what_is_gone_at_tmdb_is_kept_and_marked(here: World, tmdb: TmdbService) -> None:
    film, now = await found(here), here.clock.now()
    before = await read(here, film)
    del tmdb.films[680]
    here.clock.go(days=31)
    await read(here, film)
    while (told := await read(here, film))["gone_at"] is None:
        await look_again()
    assert told == before | {"gone_at": told["gone_at"]}
    assert told["gone_at"] > str(now)
    calls = tmdb.calls
    here.clock.go(minutes=1)
    await read(here, film)
    assert tmdb.calls == calls
    # Never completed and gone: known from the search alone, and asked about no more.
    tmdb.know(Film(7, "Vanishing", "1990-01-01"))
    gone = await found(here, "vanishing")
    del tmdb.films[7]
    assert (await read(here, gone))["gone_at"]
    here.clock.go(minutes=1)
    calls = tmdb.calls
    assert (await read(here, gone))["title"] == "Vanishing"
    assert tmdb.calls == calls


async def test_hearsay_is_put_right(here: World, tmdb: TmdbService) -> None:
    """A list somebody imported names a film wrongly: TMDB's own words replace it when somebody looks."""
    ada = await here.person()
    actor = Actor(UUID(ada.id), uuid4(), "user")

    async def act(tx: Tx) -> str:
        return (await find_or_enter_films(tx, actor, [WantedWork("Lies", 2000, "film", 680)]))[0][0]

    film = await here.kernel.database.transact(act)
    tmdb.troubles.append(Trouble(500))
    told = await read(here, film)
    assert (told["title"], told["attribution"]) == ("Lies", None)
    assert await found(here) == film
    here.clock.go(seconds=10)
    told = await read(here, film)
    assert (told["title"], told["year"], told["attribution"]) == ("Pulp Fiction", 1994, ATTRIBUTION)


async def test_old_answers_are_forgotten(here: World, tmdb: TmdbService) -> None:
    await found(here)
    here.clock.go(days=31)
    await refresh_due(here.kernel)
    assert here.sql("select count(*) from catalogue.tmdb_answers") == [(0,)]
    assert tmdb.calls == 1
