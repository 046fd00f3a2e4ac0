"""The rooms' log: no hole, no double, in commit order; old state + events = fresh state."""

import asyncio
import json
import random
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.waiting import look_again
from tests.world import Person, World, mark, new_title

from quintet.kernel.database import Tx
from quintet.kernel.live.log import Event, events_since, room_seq


class ThingHappened(Event, frozen=True):
    """Something for these tests."""

    number: int


def logged(world: World, room: str) -> list[tuple[int, dict[str, Any]]]:
    return world.sql("select seq, body from kernel.room_events where room = %s order by seq", room)


async def test_many_writers_leave_no_hole_and_no_double(world: World) -> None:
    room, other = f"test:{uuid4()}", f"test:{uuid4()}"
    writers, each = 40, 3
    heard: list[tuple[str, int]] = []
    world.kernel.database.on_commit.append(lambda events: heard.extend((e.room, e.seq) for e in events))

    async def write(number: int) -> None:
        async def act(tx: Tx) -> None:
            # Both rooms, in either order: rooms are locked in name order, so nobody deadlocks.
            rooms = [room, other] if number % 2 else [other, room]
            for one in rooms:
                for step in range(each):
                    tx.emit(one, ThingHappened(number=number * each + step))
            if number % 5 == 0:
                raise ZeroDivisionError

        await world.kernel.database.transact(act)

    told = await asyncio.gather(*(write(number) for number in range(writers)), return_exceptions=True)
    world.kernel.database.on_commit.pop()
    failed = sum(isinstance(one, ZeroDivisionError) for one in told)
    assert [one for one in told if one is not None and not isinstance(one, ZeroDivisionError)] == []
    expected = (writers - failed) * each
    print(f"{writers} writers, {failed} rolled back: {expected} events in each of two rooms")
    for one in (room, other):
        events = logged(world, one)
        assert [seq for seq, _ in events] == list(range(1, expected + 1))
        assert world.sql("select seq from kernel.rooms where room = %s", one) == [(expected,)]
        # A transaction's events stand together, in the order it emitted them.
        numbers = [body["number"] for _, body in events]
        assert all(numbers[at + 1] == numbers[at] + 1 for at in range(0, expected, each))
        assert sorted(seq for heard_room, seq in heard if heard_room == one) == list(range(1, expected + 1))


# Whoever writes into the room waits with the commit until the tester lets go.
HOLD = """
    create function public.hold() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(4711); return null; end $$;
    create constraint trigger hold after insert on kernel.room_events deferrable initially deferred
        for each row when (new.room = '{room}') execute function public.hold();
"""
LET_GO = "drop trigger hold on kernel.room_events; drop function public.hold()"


async def test_seq_order_is_commit_order(world: World) -> None:
    """Who has a seq and has not committed keeps the next writer of that room waiting, and no other room's."""
    room, database = f"test:{uuid4()}", world.kernel.database
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"
    waiters = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )

    async def write(where: str, number: int) -> None:
        async def act(tx: Tx) -> None:
            tx.emit(where, ThingHappened(number=number))

        await database.transact(act)

    async def until(statement: str, count: int) -> None:
        async with asyncio.timeout(10):
            while world.sql(statement)[0][0] < count:
                await look_again()

    world.sql(HOLD.format(room=room))
    try:
        with psycopg.connect(world.dsn) as tester:
            tester.execute("select pg_advisory_xact_lock(4711)")
            first = asyncio.create_task(write(room, 1))
            await until(waiting, 1)  # it has its seq and is about to commit
            second = asyncio.create_task(write(room, 2))
            await until(waiters, 2)
            await asyncio.wait_for(write(f"elsewhere:{uuid4()}", 3), 5)
            assert logged(world, room) == []
            assert not first.done()
            assert not second.done()
        await asyncio.wait_for(asyncio.gather(first, second), 10)
    finally:
        world.sql(LET_GO)
    assert [(seq, body["number"]) for seq, body in logged(world, room)] == [(1, 1), (2, 2)]


async def test_a_rolled_back_transaction_leaves_no_gap(world: World) -> None:
    room, database = f"test:{uuid4()}", world.kernel.database

    async def good(tx: Tx) -> None:
        tx.emit(room, ThingHappened(number=1))

    async def bad(tx: Tx) -> None:
        tx.emit(room, ThingHappened(number=2))
        raise ZeroDivisionError

    async def refused_at_commit(tx: Tx) -> None:
        """Its events are numbered and written; then a deferred constraint undoes all of it."""
        await tx.run("create table public.late (n int unique deferrable initially deferred)")
        await tx.run("insert into public.late values (1), (1)")
        tx.emit(room, ThingHappened(number=3))

    await database.transact(good)
    with pytest.raises(ZeroDivisionError):
        await database.transact(bad)
    with pytest.raises(psycopg.errors.UniqueViolation):
        await database.transact(refused_at_commit)
    await database.transact(good)
    async with database.reading() as tx:
        assert [
            (event.seq, json.loads(event.body)["number"]) for event in await events_since(tx, room, 0, 10)
        ] == [
            (1, 1),
            (2, 1),
        ]
        assert [event.seq for event in await events_since(tx, room, 1, 10)] == [2]
        assert [event.seq for event in await events_since(tx, room, 0, 1)] == [1]
        assert await room_seq(tx, room) == 2
        assert await room_seq(tx, f"nobody:{uuid4()}") == 0


Marks = dict[str, tuple[str, float, int | None]]


def fold(marks: Marks, event: dict[str, Any]) -> Marks:
    """What a client makes of one event."""
    kind, marks = event["type"], dict(marks)
    if kind in {"wigg_placed", "wigg_moved", "wigg_changed"}:
        assert (event["wigg_id"] in marks) is (kind != "wigg_placed")
        if kind == "wigg_changed":
            assert marks[event["wigg_id"]][1] == event["position_pct"]
        marks[event["wigg_id"]] = (event["user_id"], event["position_pct"], event["rating"])
    elif kind == "wigg_removed":
        assert marks.pop(event["wigg_id"])[:2] == (event["user_id"], event["position_pct"])
    return marks


async def act_at_random(person: Person, title: str, choose: random.Random) -> None:
    path = f"/api/titles/{title}/wiggs"
    note = f"whispered {choose.random()}"
    rating = choose.choice([None, 0, 1, 2, 3])
    position = round(choose.uniform(0, 100), choose.choice([0, 2, 6]))
    entries = (await person.get(path)).json()["entries"]
    own = choose.choice(entries)["id"] if entries else None
    match choose.randrange(6) if own else 0:
        case 0 | 1:
            await mark(person, title, position, rating=rating, note=note)
        case 2:
            wiggs = [
                {"position_pct": (position + step) % 100, "rating": rating, "note": note}
                for step in (0, 0.5, 30)
            ]
            assert (await person.post(f"{path}/batch", json={"wiggs": wiggs})).status_code == 200
        case 3:
            answer = await person.patch(f"{path}/{own}", json={"position_pct": position, "note": note})
            assert answer.status_code in {200, 409}
        case 4:
            assert (await person.patch(f"{path}/{own}", json={"rating": rating})).status_code == 200
        case _:
            assert (await person.delete(f"{path}/{own}")).status_code == 200


async def test_old_state_and_events_are_the_fresh_state(world: World) -> None:
    people = [await world.person(name) for name in ("ada", "ben", "cleo")]
    title = await new_title(people[0])
    choose = random.Random(20260101)
    reads: list[tuple[int, list[int]]] = []

    async def read() -> None:
        answer = await world.get(f"/api/titles/{title}/progress?segments=20")
        seq = int(answer.headers["room-seq"].partition(":")[2])
        reads.append((seq, [segment["sample_size"] for segment in answer.json()["segments"]]))

    async def play(person: Person) -> None:
        for _ in range(18):
            await act_at_random(person, title, choose)
            await read()

    await asyncio.gather(*(play(person) for person in people))
    await read()
    events = logged(world, f"title:{title}")
    states: list[Marks] = [{}]
    for number, (seq, event) in enumerate(events, start=1):
        assert seq == number
        assert "note" not in event
        assert "whispered" not in json.dumps(event)
        states.append(fold(states[-1], event))
    fresh = world.sql("select id, user_id, position, rating from wigg.wiggs where title_id = %s", title)
    assert states[-1] == {str(row[0]): (str(row[1]), row[2] / 1_000_000, row[3]) for row in fresh}
    # A read at seq s is exactly the events up to s, folded.
    for seq, voices in reads:
        speakers: list[set[str]] = [set() for _ in range(20)]
        for user_id, pct, _ in states[seq].values():
            speakers[min(19, int(pct * 1_000_000) // 5_000_000)].add(user_id)
        assert voices == [len(one) for one in speakers], seq
    kinds = {event["type"] for _, event in events}
    assert {"wigg_placed", "wigg_moved", "wigg_changed", "wigg_removed"} <= kinds
    print(
        f"{len(events)} events folded, {len(reads)} reads compared at {len({seq for seq, _ in reads})} seqs"
    )


async def test_the_epoch_stands_in_room_seq(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await world.get(f"/api/titles/{title}/progress")
    (epoch,) = world.sql("select epoch::text from kernel.epoch")[0]
    assert answer.headers["room-seq"] == f"{epoch}:0"
    assert (await world.get(f"/api/titles/{title}")).headers["room-seq"] == f"{epoch}:0"
