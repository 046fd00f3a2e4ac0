"""The pacing curve: exact for every N, equal to a brute-force pass over everybody's marks and paintings."""

import random
from typing import Any

import pytest
from tests.world import Person, World, code_of, mark, new_title

from quintet.apps.wigg import rebuild_curves
from quintet.apps.wigg.model import Piece
from quintet.apps.wigg.rules import (
    MILLION,
    WHOLE,
    Contribution,
    boundaries,
    curve_change,
    position_of,
    shown_mean,
    voices,
    whole_curve,
)


def expected(people: list[Contribution], n: int) -> list[tuple[float | None, int]]:
    sums, counts = whole_curve([voices(said, n) for said in people], n)
    return [(shown_mean(total, count), count) for total, count in zip(sums, counts, strict=True)]


async def drawn(world: World, title: str, n: int) -> list[tuple[float | None, int]]:
    answer = await world.get(f"/api/titles/{title}/progress?segments={n}")
    assert answer.status_code == 200, answer.text
    return [(s["mean_score"], s["sample_size"]) for s in answer.json()["segments"]]


async def test_an_empty_title_has_an_empty_curve(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    body = (await world.get(f"/api/titles/{title}/progress")).json()
    assert (body["title_id"], body["total_length_seconds"]) == (title, 10200)
    assert (body["total_length_percent"], body["version"]) == (100, 0)
    assert len(body["segments"]) == 20
    assert body["segments"][1] == {
        "index": 1,
        "start_pct": 5.0,
        "end_pct": 10.0,
        "mean_score": None,
        "user_score": None,
        "sample_size": 0,
    }


@pytest.mark.parametrize("seed", range(3))
async def test_the_curve_equals_brute_force_for_every_n(world: World, seed: int) -> None:
    chance = random.Random(seed)
    people = [await world.person(name) for name in ("ada", "ben", "cleo", "mo")]
    title = await new_title(people[0])
    said: dict[str, dict[str, Any]] = {person.id: {} for person in people}
    for _ in range(40):
        person = chance.choice(people)
        own = said[person.id]
        match chance.choice(["place", "place", "place", "change", "remove"]):
            case "change" if own:
                wigg_id = chance.choice(list(own))
                change = {"rating": chance.choice([None, 0, 1, 2, 3])}
                answer = await person.patch(f"/api/titles/{title}/wiggs/{wigg_id}", json=change)
                own[wigg_id] = (own[wigg_id][0], answer.json()["rating"])
            case "remove" if own:
                wigg_id = chance.choice(list(own))
                assert (await person.delete(f"/api/titles/{title}/wiggs/{wigg_id}")).status_code == 200
                del own[wigg_id]
            case _:
                # Often exactly on a boundary of some grid.
                n = chance.randint(12, 40)
                pct = chance.choice([boundaries(n)[chance.randint(0, n)] / MILLION, chance.uniform(0, 100)])
                placed = await mark(person, title, pct, rating=chance.choice([None, 0, 1, 2, 3]))
                own[placed["id"]] = (position_of(placed["position_pct"]), placed["rating"])
    everyone = [Contribution(marks=tuple(own.values())) for own in said.values() if own]
    for n in range(12, 41):
        assert await drawn(world, title, n) == expected(everyone, n), n
    check_kept_sums(world, title)


async def test_paintings_speak_before_marks(world: World) -> None:
    """Paintings in the database, beside marks: every grid equals brute force, kept ready or not."""
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    pieces = [Piece(0, 3_333_333, 1_500_000), Piece(4_000_000, 55_000_001, 3_123_457)]
    for piece in pieces:
        world.sql(
            "insert into wigg.paintings values (%s, %s, %s, %s, %s, 1, now(), null, gen_random_uuid())",
            ben.id, title, piece.starts, piece.ends, piece.score,
        )  # fmt: skip
    await mark(ada, title, 3, rating=3)
    await mark(ada, title, 80, rating=0)
    everyone = [
        Contribution(marks=((3 * MILLION, 3), (80 * MILLION, 0))),
        Contribution(painting=tuple(pieces)),
    ]
    for n in (13, 17, 29, 39):  # computed from every voice when asked for
        assert await drawn(world, title, n) == expected(everyone, n), n
    # A mark of Ben's beside his painting: only where nothing is painted does it speak.
    await mark(ben, title, 2, rating=0)
    await mark(ben, title, 90, rating=2)
    (own,) = [
        (await ben.get(f"/api/titles/{title}/progress?segments=20")).json()["segments"],
    ]
    bens = voices(Contribution(((2 * MILLION, 0), (90 * MILLION, 2)), tuple(pieces)), 20)
    assert {s["index"]: s["user_score"] for s in own if s["user_score"] is not None} == {
        k: shown_mean(v, 1) for k, v in bens.items()
    }


async def test_own_scores_are_shown_to_their_owner_only(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    await mark(ada, title, 2, rating=3)
    await mark(ben, title, 3, rating=1)

    async def first(person: Person | World) -> dict[str, Any]:
        return (await person.get(f"/api/titles/{title}/progress")).json()["segments"][0]

    assert (await first(ada))["user_score"] == 4.0
    assert (await first(ben))["user_score"] == 2.0
    stranger = await first(world)
    assert (stranger["user_score"], stranger["mean_score"], stranger["sample_size"]) == (None, 3.0, 2)


async def test_marking_twice_counts_once(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    for pct in (0, 1.5, 3, 4.5):
        await mark(ada, title, pct, rating=3)
    assert (await drawn(world, title, 20))[0] == (4.0, 1)


async def test_reads_see_each_write_at_once(world: World) -> None:
    """The memory never answers what is older than an acknowledged change on this node."""
    ada = await world.person()
    title = await new_title(ada)
    etags = set()
    for count in range(1, 6):
        await mark(ada, title, count * 10.0, rating=3)
        answer = await world.get(f"/api/titles/{title}/progress")
        assert sum(s["sample_size"] for s in answer.json()["segments"]) == count
        epoch, _, seq = answer.headers["room-seq"].partition(":")
        assert (epoch, int(seq) >= count) == (world.kernel.epoch, True)
        etags.add(answer.headers["etag"])
    assert len(etags) == 5


async def test_conditional_reads(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    first = await world.get(f"/api/titles/{title}/progress")
    again = await world.get(f"/api/titles/{title}/progress", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["room-seq"] == first.headers["room-seq"]
    mine = await ada.get(f"/api/titles/{title}/progress", headers={"If-None-Match": first.headers["etag"]})
    assert mine.status_code == 200  # a signed-in caller's body is another one
    assert mine.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in mine.headers["vary"]


@pytest.mark.parametrize("segments", ["11", "41", "x", "20.5", "-1", ""])
async def test_a_segment_count_out_of_range_is_refused(world: World, segments: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await world.get(f"/api/titles/{title}/progress?segments={segments}")
    assert code_of(answer) == (422, "invalid_request")
    (entry,) = answer.json()["errors"]
    assert entry["parameter"] == "segments"


def check_kept_sums(world: World, title: str) -> None:
    """What writes kept equals what the voices add up to, in the database itself."""
    for n, first in ((12, 1), (20, 13), (30, 33), (40, 63)):
        starts = list(boundaries(n)[:-1])
        assert max(starts) < WHOLE
        kept = world.sql(
            "select sums[%s:%s], voices[%s:%s] from wigg.curves where title_id = %s",
            *((first, first + n - 1) * 2),
            title,
        )[0]
        added = world.sql(
            "select segment, sum(voice), count(*) from wigg.voices_of(%s, %s) group by 1", title, starts
        )
        sums, counts = [0] * n, [0] * n
        for segment, total, count in added:
            sums[segment], counts[segment] = int(total), count
        assert (list(kept[0]), list(kept[1])) == (sums, counts)


async def test_rebuild_finds_no_drift_and_mends_what_was_bent(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    for person in (ada, ben):
        for pct in (0, 12.5, 33.3, 99):
            await mark(person, title, pct, rating=int(pct) % 4)
    rebuilt = await rebuild_curves(world.kernel.database, lambda _done, _total: None)
    assert title not in rebuilt.drifted
    assert rebuilt.looked_at >= 1
    before = (await world.get(f"/api/titles/{title}/progress")).json()["segments"]
    world.sql("update wigg.curves set sums[13] = 99, users_count = 7 where title_id = %s", title)
    rebuilt = await rebuild_curves(world.kernel.database, lambda _done, _total: None)
    assert title in rebuilt.drifted
    assert (await world.get(f"/api/titles/{title}/progress")).json()["segments"] == before
    check_kept_sums(world, title)


async def test_rebuild_computes_paintings_too(world: World) -> None:
    """Levels and sums from SQL equal those that Python's rules add up."""
    ada = await world.person()
    title = await new_title(ada)
    pieces = [Piece(0, 3_333_333, 1_500_000), Piece(4_000_000, 55_000_001, 3_123_457)]
    for piece in pieces:
        world.sql(
            "insert into wigg.paintings values (%s, %s, %s, %s, %s, 1, now(), null, gen_random_uuid())",
            ada.id, title, piece.starts, piece.ends, piece.score,
        )  # fmt: skip
    await rebuild_curves(world.kernel.database, lambda _done, _total: None)
    change = curve_change(Contribution(), Contribution(painting=tuple(pieces)))
    sums, levels = [0] * 102, [0] * 100
    for cell, total in zip(change.cells, change.sums, strict=True):
        sums[cell - 1] = total
    for cell, weight in zip(change.level_cells, change.levels, strict=True):
        levels[cell - 1] = weight
    kept = world.sql("select sums, levels, users_count from wigg.curves where title_id = %s", title)
    assert kept == [(sums, levels, 1)]
