"""The time to good: estimate, confidence, fallback, history; never lost."""

import asyncio
import math
from typing import Any

import pytest
from tests.world import Person, World, code_of, mark, new_title

from quintet.apps.wigg import t2g_queries as queries
from quintet.apps.wigg.rules import MILLION
from quintet.apps.wigg.t2g import compute_due
from quintet.apps.wigg.t2g_queries import OwnCurve
from quintet.apps.wigg.time_to_good import Estimate, chance_of_good, estimate
from quintet.domains.catalogue import WorkId
from quintet.kernel.database import Tx


def curve(*spoken: tuple[int, list[float]]) -> dict[str, Any]:
    """A curve where segment k has the given voices."""
    sums, voices, levels = [0] * 20, [0] * 20, [0] * 100
    for k, said in spoken:
        for voice in said:
            micro = round(voice * MILLION)
            sums[k] += micro
            voices[k] += 1
            level, share = divmod(micro, MILLION)
            levels[k * 5 + level] += MILLION - share
            if share:
                levels[k * 5 + level + 1] += share
    return {"sums": sums, "voices": voices, "levels": levels, "users": max(voices)}


def test_the_estimate_is_the_first_segment_whose_mean_is_two() -> None:
    assert estimate(**curve((3, [1, 2.9]), (5, [2, 2]), (6, [4, 4]))).estimate_pct == 25.0
    assert estimate(**curve((3, [1.999999, 2.0]))).estimate_pct is None
    assert estimate(**curve()) == Estimate()


def test_a_title_all_call_good_is_steady_from_its_start() -> None:
    found = estimate(**curve(*((k, [2, 2, 2]) for k in range(20))))
    assert (found.estimate_pct, found.steady_from_pct) == (0.0, 0.0)


def test_steady_is_where_it_gets_good_and_stays_good() -> None:
    early_peak = (1, [4, 4, 4, 4])
    dull = [(k, [0, 0, 0, 0]) for k in range(2, 10)]
    good = [(k, [3, 3, 3, 3]) for k in range(10, 20)]
    found = estimate(**curve(early_peak, *dull, *good))
    assert (found.estimate_pct, found.steady_from_pct) == (5.0, 50.0)
    # Segments that too few speak of do not count; among equals the later start.
    thin = estimate(**curve((4, [4, 4]), *good))
    assert thin.steady_from_pct == 50.0
    # A segment of exactly the neutral mean adds nothing: the later start of two equals is told.
    assert estimate(**curve((9, [1.5] * 4), *good)).steady_from_pct == 50.0
    assert estimate(**curve((9, [1, 1, 1, 1]))).steady_from_pct is None


def test_confidence_follows_users_and_chance() -> None:
    def confidence(count: int, voice: float) -> str:
        return estimate(**curve((0, [voice] * count))).confidence

    assert [confidence(n, 3) for n in (4, 5, 19, 20)] == ["low", "medium", "medium", "high"]
    mixed = estimate(**curve((0, [4, 0] * 12)))
    assert (mixed.estimate_pct, mixed.confidence) == (0.0, "medium")


def test_the_chance_of_good_by_hand() -> None:
    # Nobody: the prior alone, mean 2, variance (6 - 4) / 2 = 1.
    assert chance_of_good([0] * 5) == pytest.approx(0.5 * (1 + math.erf(0.5 / math.sqrt(2))))
    # Three say "good" (2): alpha = .2,.2,3.2,.2,.2 of 4; E[k²] = (.2 + 12.8 + 1.8 + 3.2)/4 = 4.5.
    assert chance_of_good([0, 0, 3 * MILLION, 0, 0]) == pytest.approx(
        0.5 * (1 + math.erf(0.5 / math.sqrt(2 * 0.5 / 5)))
    )


def test_the_interval_holds_four_chances_in_five() -> None:
    found = estimate(**curve((4, [4] * 40), (10, [4] * 40)))
    assert found.interval is not None
    assert (found.interval.start_pct, found.interval.end_pct) == (20.0, 25.0)
    unsure = estimate(**curve((0, [1, 2, 2]), (5, [2, 2, 2])))
    assert unsure.interval is not None
    assert (unsure.interval.start_pct, unsure.interval.end_pct) == (0.0, 30.0)


async def told(world: World, title: str) -> dict[str, Any]:
    """The time to good once everything due is computed."""
    while await compute_due(world.kernel.database, even_if_early=True):
        pass
    answer = await world.get(f"/api/titles/{title}/t2g")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"].strip('"') == str(answer.json()["revision"])
    return answer.json()


async def crowd(world: World, size: int = 3) -> list[Person]:
    return [await world.person(f"p{i}") for i in range(size)]


async def test_a_community_tells_when_it_gets_good(world: World) -> None:
    people = await crowd(world, 5)
    title = await new_title(people[0], total_length_seconds=1000, genres=["heist"])
    for person in people:
        await mark(person, title, 11, rating=0)
        await mark(person, title, 31, rating=3)
    body = await told(world, title)
    assert (body["t2g_estimate_pct"], body["t2g_estimate_seconds"]) == (30.0, 300.0)
    assert (body["own_estimate_pct"], body["steady_from_pct"], body["threshold"]) == (30.0, 30.0, 2.0)
    assert (body["basis"], body["confidence"]) == ("community", "medium")
    assert (body["sample_size"], body["segment_sample_size"]) == (5, 5)
    assert body["interval"] == {"start_pct": 30.0, "end_pct": 35.0}
    own = (await people[0].get(f"/api/titles/{title}/wiggs")).json()
    assert own["t2g_estimate_pct"] == 30.0
    headline = (await world.get(f"/api/titles/{title}")).json()
    assert headline["t2g"] == {
        "t2g_estimate_pct": 30.0,
        "t2g_estimate_seconds": 300.0,
        "confidence": "medium",
        "sample_size": 5,
        "basis": "community",
    }
    assert headline["stats"] == {"wiggs_count": 10, "users_count": 5}


async def test_under_three_users_titles_like_it_answer(world: World) -> None:
    """Genre before kind before all, and the median of two is between them."""
    people = await crowd(world)
    genre = people[0].username  # a genre nobody else's test uses
    for pct in (20, 40):
        title = await new_title(people[0], kind="book", genres=[genre])
        for person in people:
            await mark(person, title, pct + 1, rating=3)
    lonely = await new_title(people[0], kind="book", genres=["x", genre], total_length_seconds=None)
    await mark(people[0], lonely, 90, rating=3)
    body = await told(world, lonely)
    assert (body["t2g_estimate_pct"], body["basis"], body["confidence"]) == (30.0, "genre", "low")
    assert (body["own_estimate_pct"], body["t2g_estimate_seconds"]) == (90.0, None)
    assert (body["steady_from_pct"], body["interval"]) == (None, None)
    # Its answer changes when theirs do, and its revision with it.
    third = await new_title(people[0], kind="book", genres=[genre])
    for person in people:
        await mark(person, third, 1, rating=3)
    after = await told(world, lonely)
    assert (after["t2g_estimate_pct"], after["basis"]) == (20.0, "genre")
    assert after["revision"] > body["revision"]
    by_kind = await told(world, await new_title(people[0], kind="book", genres=[]))
    assert by_kind["basis"] == "kind"
    assert by_kind["sample_size"] == 0
    by_all = await told(world, await new_title(people[0], kind="play", genres=[genre]))
    assert by_all["basis"] == "all"


async def test_revisions_only_rise_and_tell_changes(world: World) -> None:
    people = await crowd(world)
    title = await new_title(people[0])
    seen = [await told(world, title)]
    for person in people:
        await mark(person, title, 50, rating=3)
        seen.append(await told(world, title))
    placed = await mark(people[0], title, 70, rating=0)
    await people[0].delete(f"/api/titles/{title}/wiggs/{placed['id']}")
    seen.append(await told(world, title))
    for person in people:
        for entry in (await person.get(f"/api/titles/{title}/wiggs")).json()["entries"]:
            await person.delete(f"/api/titles/{title}/wiggs/{entry['id']}")
        seen.append(await told(world, title))
    revisions = [body["revision"] for body in seen]
    assert revisions == sorted(set(revisions))
    assert seen[3]["basis"] == "community"
    assert (seen[-1]["sample_size"], seen[-1]["own_estimate_pct"]) == (0, None)


async def test_a_new_length_changes_the_seconds(world: World) -> None:
    people = await crowd(world)
    title = await new_title(people[0], total_length_seconds=1000)
    for person in people:
        await mark(person, title, 50, rating=3)
    before = await told(world, title)
    await people[0].patch(f"/api/titles/{title}", json={"total_length_seconds": 2000})
    progress = (await world.get(f"/api/titles/{title}/progress")).json()
    assert progress["total_length_seconds"] == 2000
    after = await told(world, title)
    assert (before["t2g_estimate_seconds"], after["t2g_estimate_seconds"]) == (500.0, 1000.0)
    assert after["revision"] > before["revision"]


async def test_history_holds_each_change_newest_first(world: World) -> None:
    people = await crowd(world, 6)
    # Until three have spoken the estimate is that of the genre: 90, so that the first own one is a change.
    genres = [f"heist {people[0].id}"]
    like = await new_title(people[0], genres=genres)
    for person in people[:3]:
        await mark(person, like, 90, rating=3)
    await told(world, like)
    title = await new_title(people[0], genres=genres)
    for person in people:
        await mark(person, title, 50, rating=3)
        await told(world, title)
    await mark(people[0], title, 20, rating=3)
    await told(world, title)
    path = f"/api/titles/{title}/t2g/history"
    first = (await world.get(f"{path}?limit=2")).json()
    rest = (await world.get(f"{path}?cursor={first['next_cursor']}")).json()
    items = [*first["items"], *rest["items"]]
    community = [i for i in items if i["basis"] == "community"]
    assert [(i["t2g_estimate_pct"], i["confidence"]) for i in community] == [
        (20.0, "low"),
        (50.0, "medium"),
        (50.0, "low"),
    ]
    assert all(set(i) == {"t2g_estimate_pct", "confidence", "sample_size", "basis", "at"} for i in items)
    assert code_of(await world.get(f"{path}?cursor=forged")) == (400, "invalid_cursor")
    other = await new_title(people[0])
    elsewhere = f"/api/titles/{other}/t2g/history?cursor={first['next_cursor']}"
    assert code_of(await world.get(elsewhere)) == (400, "invalid_cursor")


async def test_a_curve_that_changes_while_it_is_computed_is_not_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark committed between reading the curve and telling: the newest state is told, at once."""
    people = await crowd(world)
    title = await new_title(people[0])
    for person in people:
        await mark(person, title, 50, rating=3)
    settle = queries.settle

    async def settle_late(tx: Tx, curves: list[OwnCurve]) -> set[WorkId]:
        if title in {curve.title_id for curve in curves}:
            for person in people:
                await mark(person, title, 20, rating=3)
        return await settle(tx, curves)

    monkeypatch.setattr(queries, "settle", settle_late)
    await compute_due(world.kernel.database, even_if_early=True)
    monkeypatch.undo()
    assert (await world.get(f"/api/titles/{title}/t2g")).json()["t2g_estimate_pct"] == 20.0
    assert world.sql("select count(*) from wigg.t2g_due where title_id = %s", title) == [(0,)]


async def test_writers_and_the_computation_in_parallel_reach_the_newest_state(world: World) -> None:
    people = await crowd(world, 6)
    title = await new_title(people[0])
    done = asyncio.Event()

    async def compute_all_the_time() -> None:
        while not done.is_set():
            await compute_due(world.kernel.database, even_if_early=True)

    computing = [asyncio.create_task(compute_all_the_time()) for _ in range(2)]
    for step in range(6):
        await asyncio.gather(*(mark(person, title, 90 - 15 * step, rating=3) for person in people))
    done.set()
    await asyncio.gather(*computing)
    body = await told(world, title)
    assert (body["t2g_estimate_pct"], body["sample_size"]) == (15.0, 6)
    revisions = world.sql(
        "select (body->>'revision')::int from kernel.room_events"
        " where room = %s and body->>'type' = 't2g_updated' order by seq",
        f"title:{title}",
    )
    assert revisions == sorted(set(revisions))


async def test_computing_is_at_most_once_a_second_and_off_the_writes_path(world: World) -> None:
    people = await crowd(world)
    title = await new_title(people[0])
    await told(world, title)
    for person in people:
        await mark(person, title, 50)
    rows = world.sql("select due_at > now() from wigg.t2g_due where title_id = %s", title)
    assert rows in ([(True,)], [])  # one row for all three, still waiting or just taken
    await told(world, title)
    assert world.sql("select count(*) from wigg.t2g_due where title_id = %s", title) == [(0,)]
