"""Milestones that captures pass: told once, whatever changes meanwhile and whoever wakes up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.apps.capture.capturing import (
    LENGTH,
    change,
    events,
    milestone,
    now_at,
    reached,
    seek,
    start,
    until_reached,
)
from tests.clock import Stopwatch
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.travel import moved, traveller
from tests.waiting import look_again
from tests.world import Person, World, new_title

from quintet.apps.wigg.capture.actions import wake_due
from quintet.apps.wigg.milestones.actions import add_milestone
from quintet.apps.wigg.milestones.model import NewMilestone
from quintet.kernel.actor import Actor, SessionId, UserId
from quintet.kernel.database import Tx


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
