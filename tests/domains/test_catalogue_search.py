"""Search over the catalogue: the contract's typo table, ranking, names, and what must not cost too much."""

import json

import pytest
from tests.world import World, empty_catalogue, new_title

CHIHIRO = "千と千尋の神隠し"
# What is asked, and what must come first, among thousands of others.
TYPOS = [
    ("hamelt", "Hamlet"), ("starwars", "Star Wars"), ("amelie", "Amélie"), ("godfahter", "The Godfather"),
    ("the godfahter", "The Godfather"), ("the hamelt", "Hamlet"), ("hamle", "Hamlet"), ("AMÉLIE", "Amélie"),
    ("star wras", "Star Wars"), ("wars", "Star Wars"), ("jwas", "Jaws"), ("alein", "Alien"),
    ("Intersteller", "Interstellar"), ("spiderman", "Spider-Man"), ("spider man", "Spider-Man"),
    ("oceans eleven", "Ocean's Eleven"), ("ocean\u2019s elevn", "Ocean's Eleven"), ("100%", "100% Wolf"),
    ("a_b", "a_b tests"), ("千と千尋", CHIHIRO), ("千", CHIHIRO), ("神隠し", CHIHIRO),
    ("chihiro", CHIHIRO), ("spirited awya", CHIHIRO), ("ØSTERS", "Østers"),
    ("erstella", "Interstellar"), ("strasse", "Die Straße"), ("\uff4a\uff41\uff57\uff53", "Jaws"),
]  # fmt: skip
TITLES = (
    "Hamlet", "Star Wars", "Amélie", "The Godfather", "Jaws", "Alien", "Interstellar", "Spider-Man",
    "Ocean's Eleven", "100% Wolf", "a_b tests", "Østers", "Die Straße",
)  # fmt: skip


@pytest.fixture(scope="module")
async def crowd(world: World) -> World:
    """The titles above among five thousand others of common words."""
    empty_catalogue(world)
    world.sql(
        """
        insert into catalogue.works (id, kind, title, created_at, updated_at)
        select 'crowd-' || n, case when n %% 10 = 0 then 'play' else 'film' end,
               (array['The', 'A', 'My', 'Last', 'Dark'])[1 + n %% 5] || ' '
               || (array['House', 'Garden', 'Ham', 'Stars', 'Wares', 'Alias', 'Gander'])[1 + n %% 7] || ' '
               || (array['of', 'and', 'under'])[1 + n %% 3] || ' ' || md5(n::text), now(), now()
        from generate_series(1, 5000) as n
        """
    )
    world.sql(
        "insert into catalogue.works (id, kind, title, created_at, updated_at)"
        " select 'wanted-' || title, 'film', title, now(), now() from unnest(%s::text[]) as t(title)".replace(
            "'wanted-' || title", "'wanted-' || md5(title)"
        ),
        list(TITLES),
    )
    world.sql(
        "insert into catalogue.works (id, kind, title, original_title, alternative_titles, created_at,"
        " updated_at)"
        " values ('chihiro', 'film', '千と千尋の神隠し', '千と千尋の神隠し',"
        " '{Spirited Away,Le Voyage de Chihiro}', now(), now())"
    )
    return world


async def search(world: World, query: str, **filters: object) -> dict[str, object]:
    answer = await world.get("/media/search", params={"q": query, **filters})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def titles(world: World, query: str, **filters: object) -> list[str]:
    return [item["title"] for item in (await search(world, query, **filters))["items"]]


@pytest.mark.parametrize(("query", "title"), TYPOS)
async def test_the_typo_table(crowd: World, query: str, title: str) -> None:
    assert (await titles(crowd, query))[0] == title
    # WIGG's list of titles is the same search.
    page = (await crowd.get("/api/titles", params={"query": query})).json()["items"]
    assert page[0]["title"] == title


@pytest.mark.parametrize(
    "query", ["%", "_", "%%", "\\", "' | ''", "(", "!&|", "\u0301", "😀", "zq", "xzxzxzxz"]
)
async def test_signs_find_nothing_and_break_nothing(crowd: World, query: str) -> None:
    assert await titles(crowd, query) == []


@pytest.mark.parametrize(("query", "most"), [("h", 1), ("ja", 1), ("st", 1)])
async def test_one_and_two_letters_match_by_prefix(crowd: World, query: str, most: int) -> None:
    hits = await titles(crowd, query)
    assert len(hits) >= most
    assert all(one.casefold().startswith(query) for one in hits)


async def test_exact_beats_prefix_beats_fuzzy_whatever_is_popular(world: World) -> None:
    ada = await world.person()
    names = ["Qandor", "Qandor Rises", "The Qandor", "Qanodr"]
    ids = {name: await new_title(ada, title=name) for name in names}
    for popularity, name in enumerate(names):
        world.sql("update catalogue.works set popularity = %s where id = %s", 10.0**popularity, ids[name])
    assert await titles(world, "qandor") == names
    page = (await world.get("/api/titles", params={"query": "qandor", "limit": 1})).json()
    assert [item["title"] for item in page["items"]] == names[:1]
    assert await titles(world, "Qanodr") == ["Qanodr", "Qandor", "The Qandor", "Qandor Rises"]


async def test_popularity_breaks_ties_only(world: World) -> None:
    ada = await world.person()
    ids = [await new_title(ada, title="Zweimal Dasselbe", year=year) for year in (1990, 2000, 2010)]
    world.sql("update catalogue.works set popularity = 60 where id = %s", ids[1])
    world.sql("update catalogue.works set popularity = 3 where id = %s", ids[2])
    items = (await search(world, "zweimal dasselbe"))["items"]
    assert [item["id"] for item in items] == [ids[1], ids[2], ids[0]]


async def test_the_best_known_of_very_many_with_one_beginning(crowd: World) -> None:
    """Of a thousand titles under `the` only some are ranked: the well-known ones are among them."""
    crowd.sql("update catalogue.works set popularity = 1e6 where id = 'crowd-4995'")
    body = await search(crowd, "the")
    assert body["items"][0]["id"] == "crowd-4995"
    assert 100 <= body["total"] <= 2000
    crowd.sql("update catalogue.works set popularity = 0 where id = 'crowd-4995'")


async def test_pages_hold_every_hit_once(crowd: World) -> None:
    first = await search(crowd, "my garden", limit=50)
    total = first["total"]
    assert isinstance(total, int)
    assert total > 50
    seen: list[str] = []
    for offset in range(0, total, 40):
        page = await search(crowd, "my garden", limit=40, offset=offset)
        assert (page["limit"], page["offset"], page["total"]) == (40, offset, total)
        seen += [item["id"] for item in page["items"]]
    assert len(seen) == len(set(seen)) == total
    beyond = await search(crowd, "my garden", offset=total)
    assert (beyond["items"], beyond["total"]) == ([], total)
    # WIGG pages on by cursor through the same ranking.
    walked: list[str] = []
    parameters = {"query": "my garden", "kind": "film", "limit": "30"}
    while parameters.get("cursor", "") is not None:
        page = (await crowd.get("/api/titles", params=parameters)).json()
        walked += [item["id"] for item in page["items"]]
        parameters["cursor"] = page["next_cursor"]
    films = await search(crowd, "my garden", media_type="MOVIE", limit=100)
    assert walked[:100] == [item["id"] for item in films["items"]]
    assert len(walked) == len(set(walked)) == films["total"]


async def test_by_media_type(crowd: World) -> None:
    for media_type in ("MOVIE", "PLAY"):
        items = (await search(crowd, "house", media_type=media_type))["items"]
        assert {item["media_type"] for item in items} == {media_type}
    answer = await crowd.get("/media/search", params={"q": "x", "media_type": "movie"})
    assert answer.status_code == 422


async def test_other_kinds_are_no_media(world: World) -> None:
    ada = await world.person()
    await new_title(ada, title="Gormenghast Xyl", kind="book")
    assert await titles(world, "gormenghast xyl") == []


async def test_names_follow_the_title(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada, title="Erstername Ungewohnt")
    await ada.patch(f"/api/titles/{title}", json={"title": "Zweitname Ungewohnt", "kind": "play"})
    assert await titles(world, "erstername") == []
    found = (await search(world, "zweitnam", media_type="PLAY"))["items"]
    assert [item["id"] for item in found] == [title]
    world.sql("delete from catalogue.works where id = %s", title)
    assert await titles(world, "zweitname ungewohnt") == []


@pytest.mark.parametrize("title", ["ﷺ" * 300, "☃" * 300, "x" * 300, "…", "a " * 150, "½" * 300, "'" * 20])
async def test_titles_that_unfold_or_vanish(world: World, title: str) -> None:
    ada = await world.person()
    work = await new_title(ada, title=title)
    found = (await search(world, title[:200], limit=100))["items"]
    assert work in [item["id"] for item in found]


async def test_a_query_is_bounded(world: World) -> None:
    assert (await world.get("/media/search", params={"q": "x" * 201})).status_code == 422
    assert (await world.get("/media/search")).status_code == 422
    assert (await search(world, "   "))["items"] == []
    assert (await world.get("/media/search", params={"q": "x", "offset": 10001})).status_code == 422
    assert (await world.get("/media/search", params={"q": "x", "limit": 101})).status_code == 422
    await search(world, " ".join("ab" for _ in range(66)))


async def test_the_names_kept_are_those_of_the_works(crowd: World) -> None:
    """What the triggers keep equals what is computed anew."""
    wrong = crowd.sql(
        """
        with due as (
            select distinct w.id, catalogue.folded(one.title) as name, w.kind, w.popularity
            from catalogue.works w,
                 unnest(w.alternative_titles || w.title || coalesce(w.original_title, w.title)) as one(title)
        )
        select count(*) from due full join catalogue.names n
            on (n.work_id, n.name, n.kind, n.popularity) = (due.id, due.name, due.kind, due.popularity)
        where n.name is null or due.name is null
        """
    )
    unknown = crowd.sql(
        "select count(*) from catalogue.names, unnest(tsvector_to_array(words)) as said(word)"
        " where not exists (select from catalogue.words w where w.word = said.word)"
    )
    assert (wrong, unknown) == ([(0,)], [(0,)])


async def test_a_search_reads_indexes_only(crowd: World) -> None:
    """The planner never walks through all names, however few there are: the plan of a million is this one."""
    crowd.sql("analyze catalogue.names")
    (plan,) = crowd.sql(
        """
        explain (format json)
        select work_id from catalogue.names
        where kind = 'film' and fame = 0 and squeezed >= 'ham' and squeezed < 'ham' || U&'\\+10FFFF'
        order by squeezed limit 100
        """
    )
    assert "names_beginning" in json.dumps(plan)
