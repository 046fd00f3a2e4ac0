"""Media through the front door: one item, stubs, and what looks alike."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.world import Person, World, code_of, empty_catalogue, new_title

FIELDS = {
    "id", "title", "original_title", "media_type", "year", "poster_url", "overview", "genres", "tmdb_id",
    "attributes", "source",
}  # fmt: skip


async def stub(person: Person, title: str, **given: Any) -> Any:
    return await person.post("/media/create_stub", json={"title": title, "media_type": "PLAY", **given})


async def test_a_stub_is_entered_and_read_back(world: World) -> None:
    ada = await world.person()
    attributes = {
        "playwright": "Friedrich Dürrenmatt", "venue": "Schauspielhaus", "company": None, "cast": ["A", "B"],
        "premiere": "1962-02-21", "genres": ["Satire", "Drama", "Satire", 7, "", "x" * 61],
    }  # fmt: skip
    title = f"Die Physiker {uuid4()}"
    answer = await stub(ada, f"  {title} ", year=1962, attributes=attributes)
    assert answer.status_code == 201, answer.text
    media = answer.json()
    assert set(media) == FIELDS
    assert answer.headers["location"] == f"/media/{media['id']}"
    assert (media["title"], media["original_title"], media["media_type"]) == (title, title, "PLAY")
    assert (media["year"], media["source"], media["tmdb_id"]) == (1962, "stub", None)
    assert (media["genres"], media["attributes"]) == (["Satire", "Drama"], attributes)
    read = await world.get(answer.headers["location"])
    assert read.json() == {**media, "attribution": None, "gone_at": None}
    # The same work in WIGG, and its maker may mend it there.
    assert (await world.get(f"/api/titles/{media['id']}")).json()["kind"] == "play"
    await ada.patch(f"/api/titles/{media['id']}", json={"year": 1961})
    assert (await world.get(answer.headers["location"])).json()["year"] == 1961


async def test_one_item_by_its_etag(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada, title="Heat")
    first = await world.get(f"/media/{title}")
    assert first.headers["room-seq"]
    etag = first.headers["etag"]
    assert (await world.get(f"/media/{title}", headers={"If-None-Match": etag})).status_code == 304
    await ada.patch(f"/api/titles/{title}", json={"title": "Heat II"})
    changed = await world.get(f"/media/{title}", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["title"]) == (200, "Heat II")


async def test_what_is_no_medium_is_not_found(world: World) -> None:
    ada = await world.person()
    book = await new_title(ada, kind="book")
    for media_id in (book, "none-such", "a b", "..", "x" * 129):
        assert code_of(await world.get(f"/media/{media_id}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("there", "new", "alike"),
    [
        (("Hamlet", 1603), ("HAMLET", 1604), True), (("Hamlet", 1603), ("hámlet!", None), True),
        (("Hamlet", None), ("Hamlet", 2020), True), (("Hamlet", 1603), ("Hamlet", 1605), False),
        (("Ein Sommernachtstraum", None), ("Ein Sommernachtstraume", None), True),
        (("The Cherry Orchard", None), ("Cherry Orchard", None), False),
        (("Hamlet", None), ("Hamlet in Wien", None), False), (("Endspiel", 1957), ("End spiel", 1958), True),
    ],
)  # fmt: skip
async def test_what_looks_alike(
    world: World, there: tuple[str, int | None], new: tuple[str, int | None], alike: bool
) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    empty_catalogue(world)
    first = (await stub(ada, there[0], year=there[1])).json()
    film = await stub(ben, new[0], year=new[1], media_type="MOVIE")
    assert film.status_code == 201, "a film doubles no play"
    second = await stub(ben, new[0], year=new[1])
    if not alike:
        assert second.status_code == 201, second.text
        return
    assert code_of(second) == (409, "looks_like")
    assert [one["id"] for one in second.json()["candidates"]] == [first["id"]]
    assert (await stub(ben, new[0], year=new[1], confirm=True)).status_code == 201


async def test_one_of_many_identical_stubs_is_entered(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = f"Warten auf {uuid4()}"
    answers = await asyncio.gather(*(stub(one, title, year=1953) for one in [ada, ben] * 6))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 11
    key = {"Idempotency-Key": str(uuid4())}
    body = {"title": f"Glückliche Tage {uuid4()}", "media_type": "PLAY"}
    again = [await ada.post("/media/create_stub", json=body, headers=key) for _ in range(2)]
    assert [one.status_code for one in again] == [201, 201]
    assert again[0].json() == again[1].json()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": ""}, "/title"), ({"title": "  "}, "/title"), ({"title": "x" * 301}, "/title"),
        ({"media_type": "play"}, "/media_type"), ({"year": 3001}, "/year"),
        ({"attributes": []}, "/attributes"),
        ({"attributes": {"x": "y" * 16_384}}, "/attributes"), ({"attributes": {"x": 1e300}}, "/attributes"),
        ({"confirm": "yes"}, "/confirm"), ({"poster": "x"}, "/poster"), ({"title": "a\0"}, "/title"),
    ],
)  # fmt: skip
async def test_bounds_of_a_stub(world: World, body: dict[str, Any], pointer: str) -> None:
    ada = await world.person()
    answer = await ada.post("/media/create_stub", json={"title": "X", "media_type": "PLAY", **body})
    assert code_of(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_without_tmdb_nobody_is_asked(world: World) -> None:
    answer = await world.get("/media/search", params={"q": "nothing like that at all"})
    assert answer.json() == {"items": [], "limit": 20, "offset": 0, "total": 0, "external": "not_asked"}
