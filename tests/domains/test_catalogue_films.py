"""Works named by somebody's list: found where they are here, entered once where not."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from tests.world import Person, World, new_title

from quintet.domains.catalogue import WantedWork, WorkId, find_or_enter_films
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


async def enter(world: World, who: Person, *wanted: WantedWork) -> list[tuple[WorkId, bool]]:
    actor = Actor(UUID(who.id), uuid4(), "user")

    async def act(tx: Tx) -> list[tuple[WorkId, bool]]:
        return await find_or_enter_films(tx, actor, list(wanted))

    return await world.kernel.database.transact(act)


async def media(world: World, work_id: str) -> Any:
    return (await world.get(f"/media/{work_id}")).json()


async def test_what_is_here_is_found_in_the_order_asked(world: World) -> None:
    ada = await world.person()
    tag = uuid4().hex[:8]
    old = await new_title(ada, title=f"Düne {tag}", year=1984)
    new = await new_title(ada, title=f"Dune {tag}", year=2021)
    play = await new_title(ada, title=f"Dune {tag}", year=2021, kind="play")
    undated = await new_title(ada, title=f"Undated {tag}")
    title = f"DUNE {tag}"
    assert await enter(
        world, ada, WantedWork(title, 2021), WantedWork(title, 1984), WantedWork(title, 2021, "play"),
        WantedWork(f"undated {tag}", 1999), WantedWork(f"undated {tag}"), WantedWork(title, 2021),
    ) == [(WorkId(one), False) for one in (new, old, play, undated, undated, new)]  # fmt: skip
    world.sql("update catalogue.works set popularity = 5 where id = %s", new)
    assert await enter(world, ada, WantedWork(title)) == [(new, False)]


async def test_what_is_missing_is_entered_once(world: World) -> None:
    ada = await world.person()
    tag, tmdb_id = uuid4().hex[:8], uuid4().int % 10**9
    poster = "https://image.tmdb.org/t/p/w500/x.jpg"
    film = WantedWork(
        f"Arrakis {tag}", 2021, "film", tmdb_id, poster, ["Drama", "Drama", "x" * 61], {"director": "D"}
    )
    stub = WantedWork(f"Stub {tag}", None, "play", None, "https://tracker.example/x.gif")
    twice = await enter(world, ada, film, stub, film, stub, WantedWork(f"stub  {tag} ", None, "play"))
    (first, second) = twice[:2]
    assert twice == [first, second, (first[0], False), (second[0], False), (second[0], False)]
    assert (first[1], second[1]) == (True, True)
    assert await enter(world, ada, stub, film) == [(second[0], False), (first[0], False)]
    told = await media(world, first[0])
    assert (told["source"], told["tmdb_id"], told["genres"]) == ("tmdb", tmdb_id, ["Drama"])
    assert (told["poster_url"], told["attributes"]) == (poster, {"director": "D"})
    told = await media(world, second[0])
    assert (told["source"], told["tmdb_id"], told["poster_url"]) == ("stub", None, None)
    assert world.sql("select created_by from catalogue.works where id = %s", second[0]) == [(UUID(ada.id),)]


async def test_a_list_proves_no_tmdb_id(world: World) -> None:
    """Who claims another film's id for a title of their own harms nobody else's list."""
    ada, ben = await world.person("ada"), await world.person("ben")
    tag, tmdb_id = uuid4().hex[:8], uuid4().int % 10**9
    ((claimed, _),) = await enter(world, ada, WantedWork(f"Lie {tag}", 2000, "film", tmdb_id))
    ((right, entered),) = await enter(world, ben, WantedWork(f"Truth {tag}", 1999, "film", tmdb_id))
    assert (right != claimed, entered) == (True, True)
    assert (await media(world, right))["tmdb_id"] is None
    # Once TMDB has told of it, the id decides.
    world.sql("update catalogue.tmdb_films set refreshed_at = now() where work_id = %s", claimed)
    assert await enter(world, ben, WantedWork(f"Other {tag}", 1999, "film", tmdb_id)) == [(claimed, False)]


async def test_remakes_with_one_title_stay_apart(world: World) -> None:
    ada = await world.person()
    tag, tmdb_id = uuid4().hex[:8], uuid4().int % 10**9
    films = [
        WantedWork(f"Remake {tag}", 1990, "film", tmdb_id),
        WantedWork(f"Remake {tag}", 1990, "film", tmdb_id + 1),
        WantedWork(f"Remake {tag}", 2020),
    ]  # fmt: skip
    entered = await enter(world, ada, *films)
    assert len({one for one, _ in entered}) == 3
    assert await enter(world, ada, *films) == [(one, False) for one, _ in entered]


async def test_nonsense_within_bounds(world: World) -> None:
    ada = await world.person()
    tag = uuid4().hex
    odd = WantedWork(tag + "x" * 400, 99999, "film", -5, None, [" "], {"x": "y" * 17000})
    ((work, entered),) = await enter(world, ada, odd)
    told = await media(world, work)
    assert (entered, len(told["title"]), told["year"], told["tmdb_id"], told["attributes"]) == (
        True, 300, None, None, {},
    )  # fmt: skip
    assert await enter(world, ada) == []


async def test_many_lists_at_once_enter_a_film_once(world: World) -> None:
    ada = await world.person()
    tag = uuid4().hex[:8]
    films = [WantedWork(f"Race {n} {tag}", 2000 + n) for n in range(20)]
    told = await asyncio.gather(*(enter(world, ada, *films[n:], *films[:n]) for n in range(8)))
    ids = {one for lists in told for one, _ in lists}
    created = sum(entered for lists in told for _, entered in lists)
    assert (len(ids), created) == (20, 20)
