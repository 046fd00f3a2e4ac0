"""Importing lists through the front door: what is ranked where, once, whatever breaks on the way."""

import asyncio
import json
from typing import Any

import psycopg
import pytest
from tests.apps.marquee.ranking import check_list, films, own_list, rank
from tests.sockets import connected
from tests.waiting import look_again
from tests.world import Person, World, code_of

from quintet.apps.marquee.rankings import exporting
from quintet.apps.marquee.rankings.importing import actions
from quintet.apps.marquee.rankings.importing.working import work_off_next
from quintet.domains.catalogue import find_or_enter_films

RATINGS = "Date,Name,Year,Letterboxd URI,Rating"


async def send(person: Person, content: str | bytes, name: str = "list.csv") -> dict[str, Any]:
    """Send a list in; the answer's body."""
    answer = await person.post("/rankings/import", files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/rankings/imports/{answer.json()['id']}"
    return answer.json()


async def ended(person: Person, begun: dict[str, Any]) -> dict[str, Any]:
    """The import once it has ended; whenever it is looked at, its figures add up."""
    async with asyncio.timeout(30):
        while True:
            answer = await person.get(f"/rankings/imports/{begun['id']}")
            told = answer.json()
            assert told["done"] == told["matched"] + told["created"] + told["skipped_total"] <= told["total"]
            if told["status"] in {"done", "failed"}:
                return told
            await look_again()


async def imported(person: Person, content: str | bytes) -> dict[str, Any]:
    return await ended(person, await send(person, content))


def figures(told: dict[str, Any]) -> tuple[int, ...]:
    return tuple(told[name] for name in ("total", "done", "matched", "created", "skipped_total"))


def unique(world: World, name: str) -> str:
    """A title that no other test has in the catalogue."""
    return f"{name} {films(world, 1)[0]}"


async def shown(person: Person) -> list[str]:
    return [
        f"{i['tier']}{i['rank']} {i['media']['title']} {i['media']['year']}" for i in await own_list(person)
    ]


async def test_ratings_of_letterboxd(world: World) -> None:
    ada = await world.person()
    heat, fargo, up, brazil, cats = (
        unique(world, n) for n in ("Heat", "Fargo, or", 'Up "up"', "Brazil", "Cats")
    )
    (known,) = films(world, 1, title=fargo.upper(), year=1996)
    quoted = up.replace('"', '""')
    text = "\r\n".join(
        [
            RATINGS + ",Something New",
            f"2024-05-01,{heat},1995,https://boxd.it/2aFM,4.5,x",
            f'2024-05-02,"{fargo}",1996,https://boxd.it/29qU,5,x',
            f'2024-05-02,"{quoted}",2009,,4,',
            f"2024-05-03,{brazil},,,4.5,",
            f"2024-05-03,{cats},2019,,0.5",
            f"2024-05-03,{heat} unrated,2019,,,",
            f"2024-05-03,{heat} odd,2019,,six,",
            f"2024-05-03,{cats},2019,,5.5",
            "",
        ]
    )
    (there,) = films(world, 1, title="There")
    await rank(ada, there, "S")
    told = await imported(ada, b"\xef\xbb\xbf" + text.encode())
    assert (told["kind"], told["status"], figures(told)) == ("letterboxd_ratings", "done", (8, 8, 1, 4, 3))
    assert told["skipped"] == [
        {"line": 7, "reason": "not rated"},
        {"line": 8, "reason": "the rating is not from 0.5 to 5"},
        {"line": 9, "reason": "the rating is not from 0.5 to 5"},
    ]
    # Behind what was there; the better rating first, then the order of the file.
    assert await shown(ada) == [
        "S1 There None", f"S2 {fargo.upper()} 1996", f"S3 {heat} 1995", f"S4 {brazil} None", f"A1 {up} 2009",
        f"D1 {cats} 2019",
    ]  # fmt: skip
    items = await own_list(ada)
    check_list(items)
    assert items[1]["media"]["id"] == known
    before = (await ada.get("/rankings/me")).headers["etag"]
    again = await imported(ada, text)
    assert figures(again) == (8, 8, 0, 0, 8)
    assert [skip["reason"] for skip in again["skipped"]].count("already ranked") == 5
    assert (await ada.get("/rankings/me")).headers["etag"] == before
    print(f"an import of 8 rows, twice: {figures(told)}, then {figures(again)}; nothing changed")


async def test_a_diary(world: World) -> None:
    ada = await world.person()
    heat, up = unique(world, "Heat"), unique(world, "Up")
    text = "\n".join(
        [
            "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date",
            f"2024-01-05,{heat},1995,u,2,,,2024-01-05",
            f"2024-03-01,{heat},1995,u,5,Yes,,2024-02-01",
            f"2024-02-01,{heat.upper()},1995,u,3,Yes,,2024-01-31",
            f"2024-06-01,{heat},1995,u,,Yes,,2024-06-01",
            f"2024-01-01,{heat},2010,u,1,,,2024-01-01",
            f"2024-01-01,{up},2009,u,3.5,,,",
        ]
    )
    told = await imported(ada, text)
    assert (told["kind"], figures(told)) == ("letterboxd_diary", (6, 6, 0, 3, 3))
    assert [(skip["line"], skip["reason"]) for skip in told["skipped"]] == [
        (2, "rated anew since"), (4, "rated anew since"), (5, "not rated"),
    ]  # fmt: skip
    assert await shown(ada) == [f"S1 {heat} 1995", f"A1 {up} 2009", f"D1 {heat} 2010"]


async def test_the_front_ends_own_list(world: World) -> None:
    ada = await world.person()
    dune, hamlet, cats = unique(world, "Dune"), unique(world, "Hamlet"), unique(world, "Cats")
    number = int(world.sql("select coalesce(max(tmdb_id), 0) + 1 from catalogue.works")[0][0])
    known = films(world, 1, title="Another title", tmdb_id=number)[0]
    world.sql("insert into catalogue.tmdb_films values (%s, true, now(), now())", known)
    entries = [
        {"id": f"tmdb_{number}", "title": dune, "year": "2024", "posterUrl": "https://image.tmdb.org/t/p/a.jpg",
         "type": "movie", "genres": ["Science Fiction"], "director": "Denis", "tier": "A", "rank": 1},
        {"id": "local_1", "title": hamlet, "year": "—", "posterUrl": None, "type": "play", "genres": [],
         "tier": "A", "rank": 0, "notes": "to see", "seen": {"in": "London"}},
        {"title": cats, "tier": "S"},
        {"title": "", "tier": "S"},
        {"title": cats, "tier": "Z"},
        {"title": cats, "tier": "S", "notes": "n" * 5001},
        {"title": "nul \0", "tier": "S"},
        "nonsense",
        {"title": cats, "tier": "B", "rank": 0},
    ]  # fmt: skip
    told = await imported(ada, json.dumps(entries))
    assert (told["kind"], figures(told)) == ("marquee", (9, 9, 1, 2, 6))
    assert [skip["line"] for skip in told["skipped"]] == [4, 5, 6, 7, 8, 9]
    items = await own_list(ada)
    assert [(i["tier"], i["rank"], i["media"]["title"], i["note"]) for i in items] == [
        ("S", 1, cats, None), ("A", 1, hamlet, "to see"), ("A", 2, "Another title", None),
    ]  # fmt: skip
    assert items[2]["media"]["id"] == known
    assert items[1]["media"]["media_type"] == "PLAY"
    storage = json.dumps({"theme": "dark", "marquee_rankings_v1": json.dumps(entries[:3])})
    ben = await world.person("ben")
    assert figures(await imported(ben, storage)) == (3, 3, 3, 0, 0)


async def test_an_export_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_PART", 1)  # a tier of several parts
    ada, ben = await world.person("ada"), await world.person("ben")
    one, two, three = films(world, 3, title="=cmd()", year=1995, genres=["drama"])
    (play,) = films(world, 1, title="-30-", kind="play", attributes='{"director": "Peter Brook"}')
    for film, tier in ((one, "S"), (two, "S"), (three, "B"), (play, "B")):
        await rank(ada, film, tier, note="@home, or\n'not'")
    answer = await ada.get("/rankings/me/export?format=json")
    assert answer.headers["content-disposition"] == 'attachment; filename="marquee-rankings.json"'
    entries = answer.json()
    assert entries[3] | {"createdAt": "", "score": 0} == {
        "id": play, "title": "-30-", "year": "—", "posterUrl": None, "type": "play", "genres": [],
        "director": "Peter Brook", "tier": "B", "rank": 1, "notes": "@home, or\n'not'", "score": 0,
        "createdAt": "",
    }  # fmt: skip
    # Titles of one name and year are told apart by our own ids.
    assert figures(await imported(ben, answer.content)) == (4, 4, 4, 0, 0)
    names = ("tier", "rank", "note", "media")
    mine, theirs = await own_list(ada), await own_list(ben)
    assert [[i[n] for n in names] for i in mine] == [[i[n] for n in names] for i in theirs]

    answer = await ada.get("/rankings/me/export?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = answer.text.split("\r\n")
    assert lines[0].startswith("tier,rank,title,year,media_type,genres,tmdb_id,score,note,media_id,")
    assert lines[1].startswith("S,1,'=cmd(),1995,MOVIE,drama,,")
    assert ",\"'@home, or\n'not'\"," in answer.text
    assert "B,2,'-30-,,PLAY," in answer.text
    assert (await ada.get("/rankings/me/export")).json() == entries
    assert code_of(await ada.get("/rankings/me/export?format=xml")) == (422, "invalid_request")
    assert (await (await world.person()).get("/rankings/me/export")).json() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "malformed_file"),
        (b"a,b,c\n1,2,3\n", "malformed_file"),
        (b"Date,Name,Year,Letterboxd URI\n2024-01-01,Heat,1995,u\n", "malformed_file"),
        ("Date,Name,Year,Rating\n,Café,1995,5\n".encode("latin-1"), "malformed_file"),
        ("Name,Year,Rating\nHeat,1995,5\n".encode("utf-16"), "malformed_file"),
        (b"PK\x03\x04\x00\x00", "malformed_file"),
        (b'{"rankings": []}', "malformed_file"),
        (b'{"marquee_rankings_v1": "["}', "malformed_file"),
        (b"[1, 2", "malformed_file"),
        (b"Name,Year,Rating\n" + b"Heat,1995,5\n" * 20_001, "too_many"),
        (b"[" + b"0," * 20_000 + b"0]", "too_many"),
        (b"x\n".join([b"Name,Year,Rating\n", *[b""] * 1_000_000]), "too_many"),
        (b"[" + b"{}," * 1_000_000 + b"{}]", "too_many"),
    ],
)  # fmt: skip
async def test_files_that_are_no_list(world: World, content: bytes, code: str) -> None:
    ada = await world.person()
    answer = await ada.post("/rankings/import", files={"file": ("list", content)})
    assert code_of(answer) == (422, "invalid_request")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/file", code)]


async def test_forms_that_are_refused(world: World) -> None:
    ada = await world.person()
    path = "/rankings/import"
    assert code_of(await ada.post(path, json={"file": "x"})) == (415, "unsupported_media_type")
    assert code_of(await ada.post(path, files={"other": ("a", b"x")})) == (422, "invalid_request")
    big = RATINGS.encode() + b"\n" + b"x" * (5 * 1024 * 1024)
    assert code_of(await ada.post(path, files={"file": ("a", big)})) == (413, "too_large")
    deep = b"[" * 40 + b"]" * 40
    assert code_of(await ada.post(path, files={"file": ("a", deep)})) == (400, "too_deep")
    # An empty list is a list.
    assert figures(await imported(ada, "[]")) == (0, 0, 0, 0, 0)
    assert figures(await imported(ada, RATINGS)) == (0, 0, 0, 0, 0)


async def test_one_at_a_time_and_nobody_elses(world: World, dsn: str) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = unique(world, "Heat")
    text = f"{RATINGS}\n2024-05-01,{title},1995,u,4.5\n"
    async with await psycopg.AsyncConnection.connect(dsn) as holder:
        await holder.execute("select marquee.lock_tiers(%s, '{S}')", (ada.id,))  # nothing gets on
        begun = await send(ada, text)
        answer = await ada.post("/rankings/import", files={"file": ("a", text)})
        assert code_of(answer) == (409, "import_running")
        assert answer.json()["import"]["id"] == begun["id"]
        assert answer.json()["import"]["status"] == "waiting"
        assert code_of(await ben.get(f"/rankings/imports/{begun['id']}")) == (404, "not_found")
    assert figures(await ended(ada, begun)) == (1, 1, 0, 1, 0)
    assert await shown(ada) == [f"S1 {title} 1995"]


async def test_many_nodes_share_the_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four more nodes beside this one, on three people's lists: every row once, in order."""
    people = [await world.person() for _ in range(3)]
    title = unique(world, "Heat")
    monkeypatch.setattr(actions, "ROWS_AT_ONCE", 3)
    rows = [f",{title} {n},1995,u,{5 - n % 10 / 2}" for n in range(60)]
    begun = [await send(one, "\n".join([RATINGS, *rows])) for one in people]
    over = asyncio.Event()

    async def node() -> int:
        worked = 0
        while not over.is_set():
            worked += await work_off_next(world.kernel)
        return worked

    nodes = [asyncio.create_task(node()) for _ in range(4)]
    told = [await ended(one, its) for one, its in zip(people, begun, strict=True)]
    over.set()
    worked = await asyncio.gather(*nodes)
    assert [one["done"] for one in told] == [60] * 3
    assert [one["matched"] + one["created"] for one in told] == [60] * 3
    lists = [await own_list(one) for one in people]
    for items in lists:
        check_list(items)
        assert len(items) == 60
    assert len({tuple(item["media"]["id"] for item in items) for items in lists}) == 1
    print(f"3 lists of 60 rows, 4 nodes beside ours worked off {sum(worked)} parts of 63: each row once")


async def test_a_part_that_breaks_is_done_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person()
    title = unique(world, "Heat")
    monkeypatch.setattr(actions, "ROWS_AT_ONCE", 7)
    calls = 0

    async def breaking(tx: Any, actor: Any, wanted: Any) -> Any:
        nonlocal calls
        calls += 1
        found = await find_or_enter_films(tx, actor, wanted)
        if calls in {2, 4}:
            raise RuntimeError("broken amid a part")
        return found

    monkeypatch.setattr(actions, "find_or_enter_films", breaking)
    rows = [f"2024-05-01,{title} {n},1995,u,{5 - n % 10 / 2}" for n in range(40)]
    told = await imported(ada, "\n".join([RATINGS, *rows]))
    assert (told["status"], figures(told), calls) == ("done", (40, 40, 0, 40, 0), 8)
    items = await own_list(ada)
    check_list(items)
    assert len({item["media"]["id"] for item in items}) == 40
    ((failures, left),) = world.sql(
        "select failures, (select count(*) from marquee.import_rows where import_id = i.id)"
        " from marquee.imports i where id = %s",
        told["id"],
    )
    assert (failures, left) == (2, 0)


async def test_one_that_breaks_on_and_on_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person()
    title = unique(world, "Heat")

    async def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(actions, "find_or_enter_films", broken)
        told = await imported(ada, f"{RATINGS}\n,{title},1995,u,5")
    assert (told["status"], figures(told)) == ("failed", (1, 0, 0, 0, 0))
    assert told["error"]
    assert figures(await imported(ada, f"{RATINGS}\n,{title},1995,u,5")) == (1, 1, 0, 1, 0)


async def test_thousands_stay_in_order_all_the_while(world: World) -> None:
    ada = await world.person()
    titles = [unique(world, "Heat") for _ in range(30)]
    for film in films(world, 28):
        await rank(ada, film, "S")  # the last gap is nearly used up
    rows = [f",{titles[n % 30]} {n},1995,u,{[5, 4.5, 4, 5][n % 4]}" for n in range(1200)]
    begun = await send(ada, "\n".join([RATINGS, *rows]))
    looks = 0
    while (await ada.get(f"/rankings/imports/{begun['id']}")).json()["status"] not in {"done", "failed"}:
        check_list(await own_list(ada))
        looks += 1
    told = await ended(ada, begun)
    assert figures(told) == (1200, 1200, 0, 1200, 0)
    items = await own_list(ada, "tier=S&limit=1000")
    check_list(items)
    assert [float(item["score"]) for item in items] == [10 - (i - 0.5) / 928 for i in range(1, 929)]
    stars = [rows[int(i["media"]["title"].rpartition(" ")[2])].rpartition(",")[2] for i in items[28:]]
    assert stars == ["5"] * 600 + ["4.5"] * 300
    world.sql("delete from marquee.user_rankings where user_id = %s", ada.id)  # others count them all
    print(f"1,200 rows imported, the list looked at {looks} times meanwhile: in order each time")


async def test_a_full_tier_and_the_end_of_the_list(world: World) -> None:
    ada = await world.person()
    title = unique(world, "Heat")
    await rank(ada, films(world, 1)[0], "S")
    world.sql("update marquee.tiers set titles = 9998 where user_id = %s", ada.id)
    told = await imported(ada, "\n".join([RATINGS, *(f",{title} {n},,u,5" for n in range(4))]))
    assert figures(told) == (4, 4, 0, 2, 2)
    assert {skip["reason"] for skip in told["skipped"]} == {"the tier holds 10,000 titles already"}


async def test_the_owner_hears_when_it_ends(live: World) -> None:
    ada = await live.person()
    title = unique(live, "Heat")
    async with connected(ada) as socket:
        begun = await send(ada, f"{RATINGS}\n,{title},1995,u,5\n,,1995,u,5")
        event = await socket.until("rankings_imported")
        assert {n: event[n] for n in ("import_id", "total", "matched", "created", "skipped_total")} == {
            "import_id": begun["id"], "total": 2, "matched": 0, "created": 1, "skipped_total": 1,
        }  # fmt: skip
    assert not [one for one in socket.heard if one["type"] in {"ranking_placed", "tier_rebalanced"}]


async def test_the_leaderboard_sees_it_and_no_feed_does(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    assert (await ben.post(f"/social/follow/{ada.id}")).status_code == 200
    title = unique(world, "Heat")
    board = f"/social/leaderboard?of=media&genre={title[-6:]}"
    assert (await world.get(board)).json()["items"] == []
    told = await imported(ada, json.dumps([{"title": title, "tier": "S", "genres": [title[-6:]]}]))
    assert figures(told) == (1, 1, 0, 1, 0)
    (item,) = (await world.get(board)).json()["items"]
    assert (item["media"]["title"], item["count"]) == (title, 1)
    assert (await ben.get("/social/feed")).json()["items"] == []


async def test_old_imports_are_forgotten(world: World) -> None:
    ada = await world.person()
    told = await imported(ada, "[]")
    world.sql("update marquee.imports set ended_at = now() - interval '8 days' where id = %s", told["id"])
    await imported(ada, "[]")  # the bell
    async with asyncio.timeout(10):
        while (await ada.get(f"/rankings/imports/{told['id']}")).status_code != 404:
            await look_again()
