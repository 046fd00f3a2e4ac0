"""Cursors: opaque, signed, of one list, for a day; and walks that repeat and miss nothing."""

import string
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import Stopwatch
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import Person, World, code_of, new_title

from quintet.kernel.cursors import read_cursor, write_cursor
from quintet.kernel.refusals import InvalidCursor
from quintet.kernel.secrets import Secrets

SECRETS = Secrets({"cursor": b"k" * 32})
NOW = Stopwatch().now()
PLACES = st.lists(
    st.text(max_size=20) | st.floats(allow_nan=False) | st.integers(-(2**60), 2**60), max_size=3
)


@given(PLACES, st.text())
def test_a_cursor_says_what_was_written(place: list[Any], listing: str) -> None:
    cursor = write_cursor(SECRETS, listing, place, NOW)
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")
    assert read_cursor(SECRETS, listing, cursor, NOW) == place


@given(st.data())
def test_an_altered_cursor_is_refused(data: st.DataObject) -> None:
    cursor = write_cursor(SECRETS, "list", ["2026-01-01", "id"], NOW)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_=+/ \n.") | st.characters())
    altered = [
        cursor[:at] + other + cursor[at + 1 :],
        cursor[:at] + other + cursor[at:],
        cursor[:at],
        cursor + other,
        cursor[:at] + "...." + cursor[at:],  # what a lenient decoder skips
    ]
    for one in altered:
        if one != cursor:
            with pytest.raises(InvalidCursor):
                read_cursor(SECRETS, "list", one, NOW)


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(SECRETS, "list", text, NOW)


def test_another_list_and_another_server() -> None:
    cursor = write_cursor(SECRETS, "list", ["a"], NOW)
    for secrets, listing in ((SECRETS, "other"), (SECRETS, ""), (Secrets({"cursor": b"x" * 32}), "list")):
        with pytest.raises(InvalidCursor):
            read_cursor(secrets, listing, cursor, NOW)


def test_for_a_day() -> None:
    clock = Stopwatch()
    cursor = write_cursor(SECRETS, "list", ["a"], clock.now())
    clock.go(hours=23, minutes=59)
    assert read_cursor(SECRETS, "list", cursor, clock.now()) == ["a"]
    clock.go(minutes=2)
    with pytest.raises(InvalidCursor):
        read_cursor(SECRETS, "list", cursor, clock.now())


async def test_through_the_door(worker_name: str) -> None:
    name = f"quintet_cursors_{worker_name}"
    async with serving(settings_for_tests(), clone_database(name)) as own:
        ada = await own.person()
        for number in range(4):
            await new_title(ada, title=f"Walk {number}")

        async def cursor_of(path: str) -> str:
            return (await own.get(path)).json()["next_cursor"]

        plain, kind = await cursor_of("/api/titles?limit=1"), await cursor_of("/api/titles?limit=1&kind=film")
        search = await cursor_of("/api/titles?limit=1&query=walk")
        assert len({plain, kind, search}) == 3
        for cursor, filters in ((plain, ""), (kind, "&kind=film"), (search, "&query=walk")):
            good = await own.get(f"/api/titles?cursor={cursor}{filters}&limit=7")
            assert (good.status_code, len(good.json()["items"])) == (200, 3)
            assert good.json()["next_cursor"] is None
            for other in {"", "&kind=film", "&kind=book", "&query=walk", "&query=Walk"} - {filters}:
                answer = await own.get(f"/api/titles?cursor={cursor}{other}")
                assert code_of(answer) == (400, "invalid_cursor"), (filters, other)
            assert code_of(await ada.get(f"/auth/sessions?cursor={cursor}")) == (400, "invalid_cursor")
        own.clock.go(hours=24, seconds=2)
        assert code_of(await own.get(f"/api/titles?cursor={plain}")) == (400, "invalid_cursor")
    drop_database(name)


async def walk(ada: Person, filters: str, limit: int, **given: Any) -> tuple[list[str], list[str]]:
    """Walk a whole list while titles are entered; the ids seen, and those entered on the way."""
    seen: list[str] = []
    entered: list[str] = []
    cursor = ""
    for _ in range(100):
        page = (await ada.get(f"/api/titles?limit={limit}{filters}{cursor}")).json()
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen, entered
        cursor = f"&cursor={page['next_cursor']}"
        if len(entered) < 9:
            entered.append(await new_title(ada, **given))
    raise AssertionError("the walk has no end")


@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_a_walk_over_a_growing_list(world: World, limit: int) -> None:
    """Whatever was there when the walk began is seen once; nothing twice."""
    ada = await world.person()
    before = [await new_title(ada, kind="episode") for _ in range(12)]
    # Many of one moment: the id decides among them.
    world.sql(
        "update catalogue.works set created_at = date_trunc('minute', created_at) where id = any(%s)", before
    )
    seen, entered = await walk(ada, "&kind=episode", limit, kind="episode")
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)
    assert entered
    there = world.sql("select count(*) from catalogue.works where kind = 'episode'")[0][0]
    assert len(seen) >= there - len(entered)


@pytest.mark.parametrize("limit", [1, 4])
async def test_a_walk_over_a_growing_search(world: World, limit: int) -> None:
    ada = await world.person()
    word = f"zzyx{uuid4().hex[:8]}"
    names = [
        word,
        word,
        f"{word} two",
        f"{word} three",
        f"the {word}",
        f"{word[:-1]}",
        f"{word}s return",
        word,
    ]
    before = [await new_title(ada, title=name) for name in names]
    seen, entered = await walk(ada, f"&query={word}", limit, title=word)
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)
    assert entered
