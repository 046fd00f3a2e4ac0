"""Live capture through the front door: positions that nobody ticks, marks from where one is."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.apps.capture.capturing import (
    LENGTH,
    change,
    events,
    now_at,
    seek,
    start,
)
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import Person, World, code_of, mark, new_title


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
