"""Live capture through the front door: positions that nobody ticks, milestones told once."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import Stopwatch
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.travel import moved, traveller
from tests.waiting import look_again
from tests.world import Person, World, code_of, mark, new_title

from quintet.apps.wigg.capture import rules
from quintet.apps.wigg.capture.actions import wake_due
from quintet.apps.wigg.capture.model import Capture, CaptureId
from quintet.apps.wigg.milestones.actions import add_milestone
from quintet.apps.wigg.milestones.model import NewMilestone
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import Actor, SessionId, UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx

LENGTH = 6000  # a percent a minute


async def start(person: Person, title: str, mode: str = "timed", **given: Any) -> dict[str, Any]:
    answer = await person.post("/api/live-capture/start", json={"title_id": title, "mode": mode, **given})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def change(person: Person, capture: dict[str, Any], verb: str, status: int = 200) -> dict[str, Any]:
    answer = await person.post(f"/api/live-capture/{capture['id']}/{verb}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def seek(person: Person, capture: dict[str, Any], pct: float) -> dict[str, Any]:
    path = f"/api/live-capture/{capture['id']}/position"
    answer = await person.put(path, json={"current_pct": pct})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def now_at(person: Person) -> float:
    return (await person.get("/api/live-capture")).json()["current_pct"]


def milestone(world: World, title: str, pct: float, label: str = "The twist") -> str:
    milestone_id = str(uuid4())
    world.sql(
        "insert into wigg.milestones (id, title_id, position, label, icon, source, created_at)"
        " values (%s, %s, %s, %s, 'twist', 'community', now())",
        milestone_id,
        title,
        round(pct * 1_000_000),
        label,
    )
    return milestone_id


def events(world: World, person: Person, kind: str) -> list[dict[str, Any]]:
    rows = world.sql("select body from kernel.room_events where room = %s order by seq", f"user:{person.id}")
    return [body for (body,) in rows if body["type"] == kind]


def reached(world: World, person: Person) -> list[str]:
    return [event["milestone_id"] for event in events(world, person, "milestone_reached")]


async def until_reached(world: World, person: Person, count: int) -> list[str]:
    for _ in range(500):
        if len(told := reached(world, person)) >= count:
            return told
        await look_again()
    raise AssertionError(f"waited in vain for {count} milestones: {reached(world, person)}")


@pytest.fixture(scope="module")
async def world(worker_name: str) -> AsyncGenerator[World]:
    """A server of its own: these tests move the clock by hours."""
    name = f"capture_world_{worker_name}"
    async with serving(settings_for_tests(), clone_database(name)) as made:
        yield made
    drop_database(name)


@pytest.fixture
async def ada(world: World) -> Person:
    return await traveller(world)


async def test_a_timed_capture_moves_with_the_time(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    answer = await ada.post(
        "/api/live-capture/start", json={"title_id": title, "mode": "timed", "start_pct": 10, "speed": 2}
    )
    assert answer.status_code == 201
    capture = answer.json()
    assert set(capture) == {
        "id", "title_id", "mode", "speed", "current_pct", "is_active", "is_paused", "started_at",
        "updated_at", "stopped_at",
    }  # fmt: skip
    assert (capture["current_pct"], capture["speed"], capture["is_paused"]) == (10.0, 2, False)
    written = world.sql("select xmin::text from wigg.captures where id = %s", capture["id"])
    world.clock.go(minutes=10)
    assert await now_at(ada) == pytest.approx(30, abs=0.1)
    assert world.sql("select xmin::text from wigg.captures where id = %s", capture["id"]) == written
    world.clock.go(hours=5)
    assert await now_at(ada) == 100
    stopped = await change(ada, capture, "stop")
    assert (stopped["current_pct"], stopped["is_active"]) == (100, False)
    assert stopped["stopped_at"] is not None


async def test_pauses_do_not_count_and_seeking_sets_the_position(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title)
    world.clock.go(minutes=5)
    paused = await change(ada, capture, "pause")
    assert paused["is_paused"]
    assert paused["current_pct"] == pytest.approx(5, abs=0.1)
    world.clock.go(hours=3)
    again = await change(ada, capture, "pause")
    assert again["current_pct"] == paused["current_pct"]
    assert again["updated_at"] == paused["updated_at"]
    assert (await seek(ada, capture, 50))["current_pct"] == 50  # also while it is paused
    world.clock.go(minutes=5)
    assert await now_at(ada) == 50
    assert not (await change(ada, capture, "resume"))["is_paused"]
    world.clock.go(minutes=5)
    assert await now_at(ada) == pytest.approx(55, abs=0.1)
    assert (await change(ada, capture, "resume"))["current_pct"] == pytest.approx(55, abs=0.1)
    assert (await seek(ada, capture, 20))["current_pct"] == 20
    world.clock.go(minutes=1)
    assert await now_at(ada) == pytest.approx(21, abs=0.1)


async def test_a_manual_capture_stands_where_it_was_put(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=None, kind="book")
    capture = await start(ada, title, "manual", start_pct=3)
    world.clock.go(hours=1)
    assert await now_at(ada) == 3
    await seek(ada, capture, 4.5)
    assert await now_at(ada) == 4.5


async def test_without_a_length_nothing_can_be_timed(ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=None)
    body = {"title_id": title, "mode": "timed"}
    assert code_of(await ada.post("/api/live-capture/start", json=body)) == (422, "length_unknown")
    missing = {"title_id": "no-such-title", "mode": "manual"}
    assert code_of(await ada.post("/api/live-capture/start", json=missing)) == (404, "not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "magic"}, {"speed": 0}, {"speed": 16.1}, {"speed": -1}, {"start_pct": 101},
        {"start_pct": -1},
        {"title_id": 7}, {"title_id": "a\0b"}, {"extra": 1}, {"speed": "2"}, {"mode": None},
    ],
)  # fmt: skip
async def test_what_cannot_be_started(ada: Person, wrong: dict[str, Any]) -> None:
    body = {"title_id": "t", "mode": "manual", **wrong}
    answer = await ada.post("/api/live-capture/start", json=body)
    assert answer.status_code in {400, 422}, answer.text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-0.1", "1e308", '"5"', "null"])
async def test_what_is_no_position(ada: Person, number: str) -> None:
    capture = await start(ada, await new_title(ada), "manual")
    answer = await ada.put(
        f"/api/live-capture/{capture['id']}/position",
        content=f'{{"current_pct": {number}}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 422}, answer.text


async def test_one_is_active_per_title_however_many_start(world: World, ada: Person) -> None:
    title = await new_title(ada)
    body = {"title_id": title, "mode": "manual"}
    answers = await asyncio.gather(*(ada.post("/api/live-capture/start", json=body) for _ in range(50)))
    assert sorted(a.status_code for a in answers) == [200] * 49 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    (capture_id,) = {a.json()["id"] for a in answers}
    again = await start(ada, title, "manual", start_pct=40)
    assert (again["id"], again["current_pct"]) == (capture_id, 0)
    assert len(events(world, ada, "capture_changed")) == 1
    await change(ada, again, "stop")
    assert (await start(ada, title, "manual"))["id"] != capture_id


async def test_a_stopped_capture_stays_stopped(ada: Person) -> None:
    capture = await start(ada, await new_title(ada), "manual")
    await change(ada, capture, "stop")
    for verb in ("pause", "resume", "stop"):
        answer = await ada.post(f"/api/live-capture/{capture['id']}/{verb}")
        assert code_of(answer) == (409, "capture_stopped")
    path = f"/api/live-capture/{capture['id']}/position"
    assert code_of(await ada.put(path, json={"current_pct": 1})) == (409, "capture_stopped")


async def test_captures_are_their_owners(world: World, ada: Person) -> None:
    ben = await world.person("ben")
    title = await new_title(ada)
    capture = await start(ada, title, "manual")
    for verb in ("pause", "resume", "stop"):
        assert code_of(await ben.post(f"/api/live-capture/{capture['id']}/{verb}")) == (404, "not_found")
    body = {"capture_id": capture["id"]}
    assert code_of(await ben.post("/api/live-capture/mark-wigg", json=body)) == (404, "not_found")
    assert (await ben.get("/api/live-capture")).json() == {
        "current_pct": None, "is_active": False, "is_paused": False, "items": [], "next_cursor": None,
    }  # fmt: skip
    assert events(world, ben, "capture_changed") == []


async def test_the_list_begins_with_the_newest_active_one(ada: Person) -> None:
    titles = [await new_title(ada) for _ in range(5)]
    made = [await start(ada, title, "manual", start_pct=n) for n, title in enumerate(titles)]
    await change(ada, made[4], "stop")
    await change(ada, made[3], "pause")
    listed = (await ada.get("/api/live-capture")).json()
    assert [one["id"] for one in listed["items"]] == [made[n]["id"] for n in (3, 2, 1, 0, 4)]
    assert (listed["current_pct"], listed["is_active"], listed["is_paused"]) == (3, True, True)
    found: list[str] = []
    cursor = ""
    while True:
        page = (await ada.get(f"/api/live-capture?limit=2{cursor}")).json()
        assert (page["current_pct"], page["is_active"]) == (3, True)
        found += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [one["id"] for one in listed["items"]]


async def test_captures_are_bounded(world: World, ada: Person) -> None:
    """Room is made by stopping the one untouched for longest; old stopped ones go."""
    titles = [await new_title(ada) for _ in range(3)]
    first, second = await start(ada, titles[0], "manual"), await start(ada, titles[1], "manual")
    await seek(ada, first, 5)  # touched again: the second is the oldest now
    world.sql(
        "insert into catalogue.works (id, kind, title, created_at, updated_at)"
        " select 'crowd-' || n, 'film', 'Crowd', now(), now() from generate_series(1, 300) n"
        " on conflict do nothing"
    )
    world.sql(
        "insert into wigg.captures (id, user_id, title_id, mode, speed, anchor_position, anchor_at,"
        " started_at, updated_at, stopped_at) select gen_random_uuid(), %s, 'crowd-' || n, 'manual', 1, "
        "0, w, w,"
        " w, case when n > 98 then w end from generate_series(1, 300) n,"
        " cast(%s as timestamptz) as w",
        ada.id,
        world.clock.now(),
    )
    third = await start(ada, titles[2], "manual")
    active = {str(i) for (i,) in world.sql(
        "select id from wigg.captures where user_id = %s and stopped_at is null", ada.id)}  # fmt: skip
    assert len(active) == 100
    assert second["id"] not in active
    assert {first["id"], third["id"]} <= active
    stopped = world.sql(
        "select count(*) from wigg.captures where user_id = %s and stopped_at is not null", ada.id
    )
    assert stopped == [(100,)]
    assert events(world, ada, "capture_changed")[-2]["is_active"] is False


async def test_every_change_is_told(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title, speed=0.5)
    await change(ada, capture, "pause")
    await seek(ada, capture, 30)
    await change(ada, capture, "resume")
    await change(ada, capture, "stop")
    told = events(world, ada, "capture_changed")
    assert [(e["is_active"], e["is_paused"]) for e in told] == [
        (True, False), (True, True), (True, True), (True, False), (False, False),
    ]  # fmt: skip
    assert set(told[0]) == {
        "type", "capture_id", "title_id", "current_pct", "is_active", "is_paused", "mode", "speed",
    }  # fmt: skip
    assert told[2]["current_pct"] == 30
    room_seq = (await ada.get("/api/live-capture")).headers["room-seq"]
    assert room_seq.endswith(f":{len(told)}")
    assert {e["speed"] for e in told} == {0.5}


async def test_a_mark_stands_where_the_capture_is(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title)
    world.clock.go(minutes=12)
    placed = await ada.post("/api/live-capture/mark-wigg", json={"title_id": title, "rating": 3, "note": "!"})
    assert placed.status_code == 201, placed.text
    assert placed.json()["position_pct"] == pytest.approx(12, abs=0.1)
    assert set(placed.json()) == set(await mark(ada, title, 90))
    assert placed.headers["cache-control"] == "no-store"
    world.clock.go(minutes=20)
    by_capture = await ada.post("/api/live-capture/mark-wigg", json={"capture_id": capture["id"]})
    assert by_capture.json()["position_pct"] == pytest.approx(32, abs=0.1)
    given = await ada.post("/api/live-capture/mark-wigg", json={"capture_id": capture["id"], "pct": 70})
    assert given.json()["position_pct"] == 70
    merged = await ada.post("/api/live-capture/mark-wigg", json={"title_id": title, "pct": 70.5})
    assert (merged.json()["id"], merged.json()["outcome"]) == (given.json()["id"], "merged")
    entries = (await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"]
    assert len(entries) == 4


async def test_a_mark_sent_twice_is_one_mark(world: World, ada: Person) -> None:
    """The capture has moved on by the time it comes again; it is known all the same."""
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title)
    world.clock.go(minutes=12)
    body = {"title_id": title, "optimistic_id": str(uuid4())}
    answers = await asyncio.gather(*(ada.post("/api/live-capture/mark-wigg", json=body) for _ in range(8)))
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    world.clock.go(minutes=12)
    await change(ada, capture, "stop")
    again = await ada.post("/api/live-capture/mark-wigg", json=body)
    assert (again.status_code, again.json()["outcome"]) == (200, "known")
    assert again.json()["position_pct"] == answers[0].json()["position_pct"]
    other = {"title_id": await new_title(ada), "optimistic_id": body["optimistic_id"]}
    assert code_of(await ada.post("/api/live-capture/mark-wigg", json=other)) == (422, "optimistic_id_reused")


async def test_a_mark_needs_a_place(ada: Person) -> None:
    title = await new_title(ada)
    path = "/api/live-capture/mark-wigg"
    assert code_of(await ada.post(path, json={"title_id": title})) == (409, "no_active_capture")
    assert code_of(await ada.post(path, json={"title_id": "nowhere"})) == (404, "not_found")
    assert code_of(await ada.post(path, json={"pct": 5})) == (422, "invalid_request")
    assert (await ada.post(path, json={"title_id": title, "pct": 5})).status_code == 201
    capture = await start(ada, title, "manual")
    both = {"title_id": title, "capture_id": capture["id"]}
    assert code_of(await ada.post(path, json=both)) == (422, "invalid_request")
    await change(ada, capture, "stop")
    assert code_of(await ada.post(path, json={"capture_id": capture["id"]})) == (409, "capture_stopped")
    unknown = {"title_id": title, "pct": 5, "session_id": str(uuid4())}
    assert code_of(await ada.post(path, json=unknown)) == (404, "not_found")


async def test_a_mark_belongs_to_its_edit_session(ada: Person) -> None:
    title = await new_title(ada)
    session = (await ada.post(f"/api/titles/{title}/edit-sessions")).json()["id"]
    body = {"title_id": title, "pct": 5, "session_id": session}
    assert (await ada.post("/api/live-capture/mark-wigg", json=body)).status_code == 201
    shown = (await ada.get(f"/api/titles/{title}/edit-sessions/{session}")).json()
    assert shown["actions_count"] == 1
    assert (await ada.post(f"/api/titles/{title}/edit-sessions/{session}/end")).status_code < 300
    again = await ada.post("/api/live-capture/mark-wigg", json=body | {"pct": 50})
    assert code_of(again) == (409, "session_ended")


async def test_marking_counts_as_placing() -> None:
    name = "capture_limits"
    dsn = clone_database(name)
    try:
        async with serving(settings_for_tests(QUINTET_LIMIT_PLACE="3/minute"), dsn) as strict:
            ada = await strict.person()
            title = await new_title(ada)
            body = {"title_id": title, "pct": 5}
            codes = [(await ada.post("/api/live-capture/mark-wigg", json=body)).status_code for _ in range(4)]
            assert codes == [201, 201, 201, 429]
    finally:
        drop_database(name)


async def test_a_milestone_is_told_when_it_is_passed(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    at_0, twist, late = milestone(world, title, 0), milestone(world, title, 10), milestone(world, title, 60)
    capture = await start(ada, title)
    world.clock.go(minutes=9.9)
    await wake_due(world.kernel.database)
    assert reached(world, ada) == []
    world.clock.go(minutes=0.2)
    assert await until_reached(world, ada, 1) == [twist]
    (event,) = events(world, ada, "milestone_reached")
    assert event == {
        "type": "milestone_reached", "capture_id": capture["id"], "title_id": title, "milestone_id": twist,
        "label": "The twist", "icon": "twist", "pct": 10.0,
    }  # fmt: skip
    world.clock.go(minutes=55)
    assert await until_reached(world, ada, 2) == [twist, late]
    assert at_0 not in reached(world, ada)
    assert world.sql("select wakes_at from wigg.captures where id = %s", capture["id"]) == [(None,)]
    assert len(events(world, ada, "capture_changed")) == 1, "waking up changes nothing for its owner"


async def test_a_seek_jumps_over_milestones_and_going_back_repeats_none(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    early, middle, late = (milestone(world, title, pct) for pct in (10, 40, 80))
    capture = await start(ada, title)
    world.clock.go(minutes=20)
    assert await until_reached(world, ada, 1) == [early]
    await seek(ada, capture, 50)
    world.clock.go(minutes=1)
    await wake_due(world.kernel.database)
    assert reached(world, ada) == [early], "what was jumped over was not passed by playing"
    await seek(ada, capture, 5)
    world.clock.go(minutes=40)
    assert await until_reached(world, ada, 2) == [early, middle]
    world.clock.go(minutes=40)
    assert await until_reached(world, ada, 3) == [early, middle, late]
    await seek(ada, capture, 0)
    world.clock.go(minutes=99)
    await wake_due(world.kernel.database)
    assert len(reached(world, ada)) == 3


async def test_a_manual_capture_passes_milestones_by_being_moved(world: World, ada: Person) -> None:
    title = await new_title(ada, kind="book")
    early, late = milestone(world, title, 10), milestone(world, title, 20)
    capture = await start(ada, title, "manual")
    await seek(ada, capture, 15)
    await seek(ada, capture, 5)
    await seek(ada, capture, 20)
    assert reached(world, ada) == [early, late]


async def test_a_pause_tells_what_was_passed_before_it(world: World, ada: Person) -> None:
    """Even where the wake-up has not come round yet; and nothing is told of the time it stood still."""
    title = await new_title(ada, total_length_seconds=LENGTH)
    early, late = milestone(world, title, 10), milestone(world, title, 20)
    capture = await start(ada, title)
    world.clock.go(minutes=12)
    await change(ada, capture, "pause")
    assert reached(world, ada) == [early]
    world.clock.go(hours=2)
    await wake_due(world.kernel.database)
    assert reached(world, ada) == [early]
    await change(ada, capture, "resume")
    world.clock.go(minutes=9)
    assert await until_reached(world, ada, 2) == [early, late]


async def name_milestone(person: Person, title: str, pct: float, label: str) -> str:
    answer = await person.post(f"/api/titles/{title}/milestones", json={"pct": pct, "label": label})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_milestones_that_change_are_planned_anew(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    await start(ada, title)
    world.clock.go(minutes=30)
    behind = await name_milestone(ada, title, 20, "Behind")
    ahead = await name_milestone(ada, title, 40, "Ahead")
    removed = await name_milestone(ada, title, 41, "Removed")
    assert (await ada.delete(f"/api/titles/{title}/milestones/{removed}")).status_code == 204
    world.clock.go(minutes=12)
    assert await until_reached(world, ada, 1) == [ahead]
    moved = await name_milestone(ada, title, 90, "Moved")
    await wake_due(world.kernel.database)
    answer = await ada.patch(f"/api/titles/{title}/milestones/{moved}", json={"pct": 50})
    assert answer.status_code == 200
    world.clock.go(minutes=10)
    assert await until_reached(world, ada, 2) == [ahead, moved]
    imported = await ada.post(f"/api/titles/{title}/milestones/import", json={"content": "55:00 Imported\n"})
    world.clock.go(minutes=10)
    assert (await until_reached(world, ada, 3))[2] == imported.json()["items"][0]["id"]
    assert behind not in reached(world, ada), "it was passed before it was there"


async def test_starting_waits_for_whoever_names_a_milestone(world: World, ada: Person) -> None:
    """Neither sees the other's row, so without the wait the new capture would never be told of it."""
    title = await new_title(ada, total_length_seconds=LENGTH)
    starting: asyncio.Task[Any] | None = None

    async def name_slowly(tx: Tx) -> None:
        nonlocal starting
        actor = Actor(UserId(UUID(ada.id)), SessionId(uuid4()), "user")
        await add_milestone(tx, actor, title, NewMilestone(10, "Slowly named"))
        starting = asyncio.create_task(start(ada, title))
        for _ in range(30):
            await look_again()
        assert not starting.done()

    await world.kernel.database.transact(name_slowly)
    assert starting is not None
    capture = await starting
    ((wakes_at,),) = world.sql("select wakes_at from wigg.captures where id = %s", capture["id"])
    assert wakes_at is not None


async def test_what_is_due_survives_a_replan(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    due = milestone(world, title, 10)
    await start(ada, title)
    world.clock.go(minutes=11)
    await name_milestone(ada, title, 90, "Another")
    assert await until_reached(world, ada, 1) == [due]


async def test_a_title_that_changes_its_length_does_not_move_the_past(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title)
    world.clock.go(minutes=30)
    answer = await ada.patch(f"/api/titles/{title}", json={"total_length_seconds": LENGTH * 2})
    assert answer.status_code == 200
    assert await now_at(ada) == pytest.approx(30, abs=0.1)
    world.clock.go(minutes=30)
    assert await now_at(ada) == pytest.approx(45, abs=0.1)
    assert (await change(ada, capture, "stop"))["current_pct"] == pytest.approx(45, abs=0.1)


@pytest.fixture
async def nodes() -> AsyncGenerator[list[World]]:
    """Two servers on one database, and one clock."""
    name = "capture_nodes"
    dsn, clock = clone_database(name), Stopwatch()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving(settings_for_tests(), dsn, clock)) for _ in range(2)]
    drop_database(name)


async def test_two_nodes_tell_each_milestone_once(nodes: list[World]) -> None:
    one, other = nodes
    ada = await traveller(one)
    title = await new_title(ada, total_length_seconds=LENGTH)
    milestones = [milestone(one, title, pct) for pct in range(5, 100, 5)]
    people = [await traveller(one, f"p{n}") for n in range(5)]
    for person in people:
        await start(person, title)
    for _ in range(11):
        one.clock.go(minutes=10)
        await asyncio.gather(*(wake_due(node.kernel.database) for node in (one, other) for _ in range(3)))
    for person in people:
        assert await until_reached(one, person, len(milestones)) == milestones
    await asyncio.gather(*(wake_due(node.kernel.database) for node in (one, other)))
    for person in people:
        assert reached(one, person) == milestones


async def test_a_restart_keeps_captures_and_tells_what_was_missed() -> None:
    name = "capture_restart"
    dsn, clock = clone_database(name), Stopwatch()
    try:
        async with serving(settings_for_tests(), dsn, clock) as world:
            ada = await traveller(world)
            title = await new_title(ada, total_length_seconds=LENGTH)
            missed = [milestone(world, title, pct) for pct in (10, 20)]
            coming = milestone(world, title, 50)
            capture = await start(ada, title)
        clock.go(minutes=30)
        async with serving(settings_for_tests(), dsn, clock) as world:
            back = moved(ada, world)
            assert await until_reached(world, back, 2) == missed
            listed = (await back.get("/api/live-capture")).json()
            assert listed["items"][0]["id"] == capture["id"]
            assert listed["current_pct"] == pytest.approx(30, abs=0.1)
            clock.go(minutes=21)
            assert await until_reached(world, back, 3) == [*missed, coming]
    finally:
        drop_database(name)


def capture_of(position: int, speed: float, length: float | None, mode: Any, started: Instant) -> Capture:
    return Capture(
        id=CaptureId(UUID(int=1)), user_id=UserId(UUID(int=2)), title_id=WorkId("t"), mode=mode, speed=speed,
        length_seconds=length, anchor_position=position, anchor_at=started, paused_at=None,
        started_at=started,
        updated_at=started, stopped_at=None,
    )  # fmt: skip


AT = Instant.at(Stopwatch().now())
CAPTURES = st.builds(
    capture_of,
    st.integers(0, rules.WHOLE),
    st.floats(0, 16, exclude_min=True),
    st.floats(0.001, 100_000_000) | st.none(),
    st.sampled_from(["manual", "timed", "player"]),
    st.just(AT),
)
SECONDS = st.floats(-10, 1e7)


def later(seconds: float) -> Instant:
    return Instant.at(Instant.fromtimestamp(AT.timestamp() + seconds, AT.tzinfo))


@given(CAPTURES, SECONDS, SECONDS)
def test_a_position_only_grows_and_stays_on_the_title(capture: Capture, some: float, more: float) -> None:
    first, second = sorted((some, more))
    positions = [rules.position_at(capture, later(seconds)) for seconds in (first, second)]
    assert capture.anchor_position <= positions[0] <= positions[1] <= rules.WHOLE


@given(CAPTURES, st.integers(0, rules.WHOLE))
def test_it_is_there_when_it_is_said_to_be(capture: Capture, position: int) -> None:
    at = rules.passes_at(capture, position)
    if at is None:
        return
    assert rules.position_at(capture, at) >= position
    earlier = Instant.at(Instant.fromtimestamp(at.timestamp() - 0.01, at.tzinfo))
    if earlier > AT and position > capture.anchor_position:
        step = 0.02 * capture.speed / (capture.length_seconds or 1) * rules.WHOLE + 1
        assert rules.position_at(capture, earlier) >= position - step - 1


async def test_database_and_server_know_the_same_position(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title, speed=1.7, start_pct=3.3)
    for seconds in (0.001, 1, 59.999, 1234.567, 9999):
        at = Instant.at(Instant.fromtimestamp(world.clock.now().timestamp() + seconds, AT.tzinfo))
        ((there, row),) = world.sql(
            "select wigg.capture_position(c, %s), to_jsonb(c) from wigg.captures c where id = %s",
            at,
            capture["id"],
        )
        stored = capture_of(
            row["anchor_position"], row["speed"], row["length_seconds"], row["mode"],
            Instant.fromisoformat(json.loads(json.dumps(row["anchor_at"]))),
        )  # fmt: skip
        assert abs(rules.position_at(stored, at) - there) <= 1
