"""Importing old marks: each line placed once or told with its number, curves and events as always."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import Person, World, mark, new_title

from quintet.apps.wigg import Imported, import_points, points_import, rebuild_curves
from quintet.apps.wigg.points_file import BadLine, OldPoint, read_points
from quintet.domains.catalogue import WorkNotFound
from quintet.kernel.live.log import events_since
from quintet.kernel.refusals import Unavailable

HEADER = "id,user_email,title_id,position_pct,rating,note,created_at"


async def imported(world: World, text: str | bytes) -> tuple[Imported, list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    content = text if isinstance(text, bytes) else text.encode()
    at: list[int] = []
    done = await import_points(
        world.kernel.database, io.BytesIO(content), lambda line, why: bad.append((line, why)), at.append
    )
    assert at == sorted(at)
    assert not at or at[-1] == len(content)
    return done, bad


def counts(done: Imported) -> tuple[int, int, int, int]:
    return done.created, done.merged, done.known, done.bad


async def own(person: Person, title: str) -> list[tuple[Any, ...]]:
    entries = (await person.get(f"/api/titles/{title}/wiggs")).json()["entries"]
    return [(entry["pct"], entry["rating"], entry["note"]) for entry in entries]


async def test_a_file_is_imported_once(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title, other = await new_title(ada), await new_title(ada)
    text = "\n".join(
        [
            HEADER,
            f'1,{ada.email},{title},10,1,"a note,\nof ""two"" lines",2024-05-01 12:00:00+00',
            f"2,{ada.email},{title},10.5,3,,2024-05-02T12:00:00Z",
            f"3,{ada.email.upper()},{title},50,peak,,",
            f"4,{ben.email},{title},10,,,2024-05-01 12:00:00",
            f"5,{ben.email},{other},99.5,0,zzz,",
            "",
        ]
    )
    done, bad = await imported(world, text)
    assert (counts(done), bad) == ((4, 1, 0, 0), [])
    assert await own(ada, title) == [(10.5, 3, 'a note,\nof "two" lines'), (50, 3, None)]
    assert await own(ben, title) == [(10, None, None)]
    ((at,),) = world.sql(
        "select client_created_at from wigg.wiggs where user_id = %s and title_id = %s", ben.id, title
    )
    assert at.isoformat() == "2024-05-01T12:00:00+00:00"
    segments = (await world.get(f"/api/titles/{title}/progress")).json()["segments"]
    assert (segments[2]["mean_score"], segments[2]["sample_size"]) == (3, 2)
    async with world.kernel.database.reading() as tx:
        events = [
            json.loads(event.body)["type"] for event in await events_since(tx, f"title:{title}", 0, 100)
        ]
    assert events.count("wigg_placed") == 3
    assert events.count("wigg_moved") == 1
    assert not (await rebuild_curves(world.kernel.database, lambda _done, _total: None)).drifted
    again, bad = await imported(world, text)
    assert (counts(again), bad) == ((0, 0, 5, 0), [])
    assert await own(ada, title) == [(10.5, 3, 'a note,\nof "two" lines'), (50, 3, None)]


async def test_an_import_that_was_broken_off_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person()
    titles = [await new_title(ada) for _ in range(5)]
    lines = [{"user": ada.username, "title_id": t, "position_pct": p} for t in titles for p in (5, 40, 80)]
    text = "\n".join(map(json.dumps, lines))
    monkeypatch.setattr(points_import, "BATCHES_IN_A_TRANSACTION", 2)
    monkeypatch.setattr(points_import, "LINES_AT_ONCE", 4)
    real, calls = points_import.place_batch, [0]

    async def breaks(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 5:
            raise KeyboardInterrupt
        return await real(*arguments)

    monkeypatch.setattr(points_import, "place_batch", breaks)
    with pytest.raises(KeyboardInterrupt):
        await imported(world, text)
    done, _ = await imported(world, text)
    assert done.created + done.known == 15
    assert done.created
    assert done.known
    for title in titles:
        assert [pct for pct, *_ in await own(ada, title)] == [5, 40, 80]


async def test_a_batch_that_is_refused_leaves_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A title may go while its marks are on their way; a database that goes is no fault of any line."""
    ada = await world.person()
    gone, kept = await new_title(ada), await new_title(ada)
    lines = [f"{ada.id},{title},{pct}" for title in (gone, kept) for pct in (1, 9)]
    text = "\n".join(["user,title_id,pct", *lines])
    real, away = points_import.place_batch, False

    async def place(tx: Any, actor: Any, secrets: Any, title_id: str, *rest: Any) -> Any:
        if away:
            raise Unavailable
        if title_id == gone:
            raise WorkNotFound
        return await real(tx, actor, secrets, title_id, *rest)

    monkeypatch.setattr(points_import, "place_batch", place)
    done, bad = await imported(world, text)
    assert counts(done) == (2, 0, 0, 2)
    assert bad == [(2, "There is no such title"), (3, "There is no such title")]
    away = True
    with pytest.raises(Unavailable):
        await imported(world, text)
    assert [pct for pct, *_ in await own(ada, kept)] == [1, 9]


async def test_a_mark_of_today_is_not_overwritten(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await mark(ada, title, 10, rating=3, note="today")
    done, _ = await imported(
        world, f"user,title_id,pct,rating,created_at\n{ada.id},{title},10.4,0,2020-01-01\n"
    )
    assert counts(done) == (0, 1, 0, 0)
    assert await own(ada, title) == [(10, 3, "today")]


async def test_bad_lines_are_told_and_the_others_placed(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    good = f"{ada.email},{title}"
    lines = [
        ("user_email,title_id,position_pct,rating,note,created_at", None),
        (f"{good},1,,,", None),
        (f"{good},100.5,,,", "<= 100"),
        (f"{good},nan,,,", "float"),
        (f"{good},ten,,,", "float"),
        (f"{good},,,,", "no position_pct"),
        (f",{title},5,,,", "no user_id"),
        (f"nobody@example.com,{title},5,,,", "no account has this id, e-mail address or name: nobody"),
        (f"{ada.email},no-such,5,,,", "no such title: no-such"),
        (f"{good},5,4,,", "rating"),
        (f"{good},5,best,,", "rating"),
        (f"{good},5,,{'n' * 2001},", "note"),
        (f"{good},5,,a\0b,", "NUL"),
        (f"{good},5,,,yesterday", "created_at"),
        (f"{good},5,,,2199-01-01", "created_at is not a time from 1970"),
        (f"{good},5", "3 columns where the header has 6"),
        ("", None),
        (f"{good},20,,,", None),
    ]
    text = "\r\n".join(line for line, _ in lines).encode() + f"\r\n{good},30,,\xff,\r\n".encode("latin-1")
    done, bad = await imported(world, text)
    expected = [(number, why) for number, (_, why) in enumerate(lines, 1) if why]
    expected.append((len(lines) + 1, "surrogate"))
    assert [number for number, _ in bad] == [number for number, _ in expected]
    for (_, said), (_, why) in zip(bad, expected, strict=True):
        assert why in said, (why, said)
    assert counts(done) == (2, 0, 0, len(expected))
    assert [pct for pct, *_ in await own(ada, title)] == [1, 20]


async def test_json_lines(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    known = {"username": ada.username, "media_id": title, "kept": {"any": "thing"}}
    lines = [
        json.dumps({**known, "pct": 1, "rating": "zzz", "created_at": None}),
        "",
        "{",
        "[1]",
        json.dumps({**known, "position_pct": "7.5", "note": "n"}),
        json.dumps({**known, "position_pct": True}),
        json.dumps({**known, "position_pct": 5, "note": "a\ud800"}),
        '{"a":' + "[" * 100_000,
    ]
    done, bad = await imported(world, "\ufeff" + "\n".join(lines))
    assert [number for number, _ in bad] == [3, 4, 6, 7, 8]
    assert counts(done) == (2, 0, 0, 5)
    assert await own(ada, title) == [(1, 0, None), (7.5, None, "n")]


def test_headers() -> None:
    def read(text: str) -> list[OldPoint | BadLine]:
        return list(read_points(io.BytesIO(text.encode())))

    for text in (" User ;TITLE_ID;pct\nu;t;5\n", "user\ttitle_id\tpct\nu\tt\t5"):
        (point,) = read(text)
        assert isinstance(point, OldPoint)
        assert (point.line, point.user, point.title_id, point.mark.position_pct) == (2, "u", "t", 5)
    (refused,) = read("")
    assert isinstance(refused, BadLine)
    assert read("x\ny") == [refused]
    (refused,) = read("user,title_id,position\nu,t,1\n")
    assert refused == BadLine(1, "the header has no column position_pct or pct")


@given(st.one_of(st.binary(max_size=200), st.text('{}[]",;\n\r\tuser_idtilpcn0123456789.é', max_size=200).map(
    lambda text: ("user,title_id,pct\n" + text).encode()
)))  # fmt: skip
def test_any_file_is_read_line_by_line(content: bytes) -> None:
    numbers = [one.line for one in read_points(io.BytesIO(content))]
    assert numbers == sorted(numbers)
