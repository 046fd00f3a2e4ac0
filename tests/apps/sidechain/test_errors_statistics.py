"""Time in error tracking: where an hour ends, what is counted, what is removed, how much is taken."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apps.sidechain.reporting import ERRORS, Recorder, entry, new_word, recording, report, rows
from tests.world import World, code_of

from quintet.apps.sidechain.errors.model import (
    MOST_OPENED_A_DAY,
    SEVERITIES,
    SOURCES,
    NewError,
    Severity,
    Source,
    TooManyNewErrors,
)
from quintet.apps.sidechain.errors.statistics import all_statistics, own_statistics
from quintet.apps.sidechain.errors.upkeep import remove_old
from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant

NOON = Instant.fromisoformat("2031-05-05T12:30:00.000+00:00")
HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)


def said(message: str, **given: Any) -> NewError:
    """A report of an audio error."""
    return NewError("Audio", "Error", message, **given)


async def test_an_hour_after_the_last_report_a_row_ends(world: World) -> None:
    ada = await world.person()
    async with recording(world) as recorder:
        times = [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR + MOMENT, NOON + 4 * HOUR + MOMENT]
        opened = [await recorder.record(Instant.at(at), ada.id, [said("tick")]) for at in times]
        # A node whose clock is behind counts into the row that is there, and turns no time back.
        opened.append(await recorder.record(Instant.at(NOON + 3 * HOUR + 2 * MOMENT), ada.id, [said("tick")]))
    assert opened == [1, 0, 0, 1, 0, 0]
    late, early = await rows(ada)
    assert (early["occurrences"], late["occurrences"]) == (3, 3)
    assert (early["first_seen"], early["last_seen"]) == (
        "2031-05-05T12:30:00.000Z",
        "2031-05-05T14:30:00.000Z",
    )
    assert (late["first_seen"], late["last_seen"]) == ("2031-05-05T15:30:00.001Z", "2031-05-05T16:30:00.001Z")


async def test_a_resolved_row_that_has_ended_comes_back_as_a_new_one(world: World) -> None:
    ada = await world.person()
    word = new_word()
    async with recording(world) as recorder:
        await recorder.record(NOON, ada.id, [said(word)])
        [row] = await rows(ada)
        await ada.put(f"{ERRORS}/{row['id']}/resolved")
        await recorder.record(Instant.at(NOON + 2 * HOUR), ada.id, [said(word)])
        await recorder.record(Instant.at(NOON + 4 * HOUR), ada.id, [said(word)])
    newest, back, first = await rows(ada)
    assert [one["is_resolved"] for one in (newest, back, first)] == [False, False, True]
    assert [one["reopened_at"] for one in (newest, back, first)] == [None, back["created_at"], None]


async def test_the_statistics_have_their_shape(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    mo = await world.person("mo", role="moderator")
    empty = (await ada.get(f"{ERRORS}/stats")).json()
    nothing = {"rows": 0, "occurrences": 0}
    assert {name: value for name, value in empty.items() if name != "hourly"} == {
        "by_severity": dict.fromkeys(SEVERITIES, nothing),
        "by_source": dict.fromkeys(SOURCES, nothing),
        "top_messages": [],
        "affected_users": 0,
        "new_since_release": None,
    }
    assert len(empty["hourly"]) == 24
    assert {hour["occurrences"] for hour in empty["hourly"]} == {0}
    word = new_word()
    await report(ada, entry(f"{word} 1", occurrences=3), entry(f"{word} 2", severity="Info", source="UI"))
    await report(ben, entry(f"{word} 3", occurrences=50))
    own = (await ada.get(f"{ERRORS}/stats?hours=2&scope=me")).json()
    assert own["by_severity"] == dict.fromkeys(SEVERITIES, nothing) | {
        "Error": {"rows": 1, "occurrences": 3}, "Info": {"rows": 1, "occurrences": 1},
    }  # fmt: skip
    assert own["by_source"]["UI"] == {"rows": 1, "occurrences": 1}
    assert own["top_messages"][0]["occurrences"] == 4  # the same words, of whatever severity
    assert sum(hour["occurrences"] for hour in own["hourly"]) == 4
    assert own["affected_users"] == 1
    everybodys = (await mo.get(f"{ERRORS}/stats?hours=2&scope=all")).json()
    assert everybodys["affected_users"] >= 2
    assert everybodys["by_severity"]["Error"]["occurrences"] >= 53
    assert code_of(await ada.get(f"{ERRORS}/stats?scope=all")) == (403, "forbidden")
    for query in ("hours=0", "hours=721", "hours=x", "scope=x"):
        assert code_of(await mo.get(f"{ERRORS}/stats?{query}")) == (422, "invalid_request")


async def test_what_is_new_since_the_release(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    one, two, three = new_word(), new_word(), new_word()

    def of(release: Any) -> dict[str, Any]:
        return {"context": {"release": release}}

    async with recording(world) as recorder:
        figures: list[int | None] = []
        for minute, (message, given) in enumerate(
            [
                (one, {}), (one, of("1.0")), (two, of("1.0")), (three, {}),
                (two, of("2.0")), (f"{three} more", of("1.0")), (one, of("2.0")), (one, of(["3.0"])),
            ]
        ):  # fmt: skip
            await recorder.record(
                Instant.at(NOON + timedelta(minutes=minute)), ada.id, [said(message, **given)]
            )
            figures.append((await ada.get(f"{ERRORS}/stats")).json()["new_since_release"])
        assert figures == [None, 0, 1, 2, 0, 1, 1, 1]
        # For everybody counts what nobody met before.
        release = new_word()
        everybody = Instant.at(NOON + timedelta(days=1))
        await recorder.record(everybody, ada.id, [said(one, **of(release))])
        await recorder.record(Instant.at(everybody + MOMENT), ben.id, [said(one), said(f"{two} else")])
        async with recorder.database.statement() as tx:
            assert (await all_statistics(tx, 1)).new_since_release == 1


class Event(msgspec.Struct, frozen=True):
    """A report as the slow count sees it."""

    user: int
    word: int
    severity: Severity
    source: Source
    occurrences: int
    minutes_ago: int


def slow_statistics(events: list[Event], noon: Instant, hours: int) -> dict[str, Any]:
    """Counted one by one: rows by looking for gaps of more than an hour, the rest by adding up."""
    events = sorted(events, key=lambda event: -event.minutes_ago)
    rows: list[list[Event]] = []
    for event in events:
        same = [row for row in rows if same_error(row[-1], event)]
        if same and same[-1][-1].minutes_ago - event.minutes_ago <= 60:
            same[-1].append(event)
        else:
            rows.append([event])

    def hour_of(event: Event) -> Instant:
        at = noon - timedelta(minutes=event.minutes_ago)
        return Instant.at(at.replace(minute=0, second=0, microsecond=0))

    last = Instant.at(noon.replace(minute=0, second=0, microsecond=0))
    asked = [Instant.at(last - HOUR * back) for back in range(hours)][::-1]
    recent = [event for event in events if hour_of(event) in asked]

    def tally(name: str, value: str) -> dict[str, int]:
        own = [[e for e in row if e in recent and getattr(e, name) == value] for row in rows]
        return {"rows": sum(map(bool, own)), "occurrences": sum(e.occurrences for row in own for e in row)}

    by_word = Counter[int]()
    for event in recent:
        by_word[event.word] += event.occurrences
    return {
        "by_severity": {one: tally("severity", one) for one in SEVERITIES},
        "by_source": {one: tally("source", one) for one in SOURCES},
        "top_messages": by_word,
        "hourly": [
            {"hour": str(hour), "occurrences": sum(e.occurrences for e in recent if hour_of(e) == hour)}
            for hour in asked
        ],
        "affected_users": len({event.user for event in recent}),
    }


def same_error(one: Event, other: Event) -> bool:
    def key(event: Event) -> tuple[Any, ...]:
        return (event.user, event.word, event.severity, event.source)

    return key(one) == key(other)


histories = st.lists(
    st.builds(
        Event,
        user=st.integers(0, 2),
        word=st.integers(0, 2),
        severity=st.sampled_from(SEVERITIES[:2]),
        source=st.sampled_from(SOURCES[:2]),
        occurrences=st.integers(1, 1000),
        minutes_ago=st.integers(0, 300),
    ),
    max_size=25,
)


async def test_statistics_are_those_of_a_slow_count(world: World) -> None:
    """Any reports at any times, counted by the hour they came in, for one and for everybody."""
    people = [(await world.person("plugin")).id for _ in range(3)]
    loop = asyncio.get_running_loop()
    examples = itertools.count()
    counted = 0

    async def count(recorder: Recorder, events: list[Event], hours: int) -> None:
        nonlocal counted
        # Each history has a month of its own, later than all before, so that nothing else is in its hours.
        noon = Instant.at(NOON + timedelta(days=30 * next(examples) + 30))
        words = [new_word() for _ in range(3)]
        for event in sorted(events, key=lambda event: -event.minutes_ago):
            new = NewError(
                event.source, event.severity, f"{words[event.word]} 1", occurrences=event.occurrences
            )
            at = Instant.at(noon - timedelta(minutes=event.minutes_ago))
            await recorder.record(at, people[event.user], [new])
        counted += len(events)
        recorder.clock.moment = noon
        async with recorder.database.statement() as tx:
            own, everybodys = (
                await own_statistics(tx, UserId(UUID(people[0])), hours),
                await all_statistics(tx, hours),
            )
        for told, meant in ((own, [event for event in events if event.user == 0]), (everybodys, events)):
            found = msgspec.json.decode(json.encode(told))
            slow = slow_statistics(meant, noon, hours)
            top = {
                words.index(top["message"].split()[0]): top["occurrences"] for top in found["top_messages"]
            }
            assert top == slow["top_messages"]
            assert {name: found[name] for name in slow if name != "top_messages"} == {
                name: value for name, value in slow.items() if name != "top_messages"
            }
            assert [one["occurrences"] for one in found["top_messages"]] == sorted(top.values(), reverse=True)

    async with recording(world) as recorder:

        @settings(max_examples=15)
        @given(histories, st.integers(1, 7))
        def any_history(events: list[Event], hours: int) -> None:
            asyncio.run_coroutine_threadsafe(count(recorder, events, hours), loop).result(30)

        await asyncio.to_thread(any_history)
    print(f"{next(examples)} histories of {counted} reports counted as a slow count does")


async def test_reports_are_kept_for_ninety_days(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    long_ago = Instant.fromisoformat("2001-01-01T00:00:00.000+00:00")
    gone, kept = new_word(), new_word()
    release = {"release": new_word()}
    async with recording(world) as recorder:
        for person in (ada, ben):
            messages = [f"{gone} {letters}" for letters in ("ab", "cd", "ef", "gh", "ij")]
            await recorder.record(
                long_ago, person.id, [said(message, context=release) for message in messages]
            )
            await recorder.record(long_ago, person.id, [said(kept)])
            await recorder.record(Instant.at(long_ago + HOUR), person.id, [said(kept)])
        counted = recorder.database
        await remove_old(counted, Instant.at(long_ago + timedelta(days=90)), most=3)
        assert len(await rows(ada)) == 6
        assert await new_since(recorder, ada.id, long_ago) == 6
        await remove_old(counted, Instant.at(long_ago + timedelta(days=90, milliseconds=1)), most=3)
        [row] = await rows(ada)
        assert (row["message"], row["occurrences"]) == (kept, 2)
        left = world.sql(
            "select (select count(*) from sidechain.error_hours where error_id = %s),"
            " (select count(*) from sidechain.error_groups where message like %s),"
            " (select count(*) from sidechain.error_groups where message = %s),"
            " (select count(*) from sidechain.error_messages where message like %s),"
            " (select count(*) from sidechain.error_releases where release = %s)",
            row["id"], f"{gone}%", kept, f"{gone}%", release["release"],
        )  # fmt: skip
        assert left == [(1, 0, 1, 0, 2)]  # of the long row the oldest hour has gone, too
        await remove_old(counted, Instant.at(long_ago + timedelta(days=92)), most=3)
        assert await rows(ada) == []
        releases = "select 1 from sidechain.error_releases where release = %s"
        assert world.sql(releases, release["release"]) == []
        # Who comes back later is new again.
        assert await recorder.record(Instant.at(long_ago + timedelta(days=93)), ada.id, [said(kept)]) == 1


async def new_since(recorder: Recorder, user_id: str, now: Instant) -> int | None:
    """The figure of one user."""
    recorder.clock.moment = now
    async with recorder.database.statement() as tx:
        return (await own_statistics(tx, UserId(UUID(user_id)), 1)).new_since_release


async def test_who_reports_too_much_is_told_so_until_tomorrow(world: World) -> None:
    ada = await world.person()
    words = [new_word() for _ in range(4)]
    late = Instant.fromisoformat("2002-02-02T23:59:00.000+00:00")
    async with recording(world) as recorder:
        assert await recorder.record(late, ada.id, [said(word) for word in words[:3]], most_a_day=3) == 3
        with pytest.raises(TooManyNewErrors) as refused:
            await recorder.record(late, ada.id, [said(words[0]), said(words[3])], most_a_day=3)
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "60"})
        assert [row["occurrences"] for row in await rows(ada)] == [1, 1, 1]  # all or nothing
        assert await recorder.record(late, ada.id, [said(words[0])], most_a_day=3) == 0  # known ones count on
        tomorrow = Instant.at(late + timedelta(minutes=1))
        assert await recorder.record(tomorrow, ada.id, [said(words[3])], most_a_day=3) == 1


async def test_the_limit_is_told_at_the_door(world: World) -> None:
    ada = await world.person()
    await report(ada, entry("first"))
    world.sql(
        "update sidechain.error_reporters set opened = %s where user_id = %s", MOST_OPENED_A_DAY, ada.id
    )
    answer = await ada.post(f"{ERRORS}/batch", json={"errors": [entry("first"), entry("second")]})
    assert code_of(answer) == (429, "too_many_new_errors")
    assert 1 <= int(answer.headers["retry-after"]) <= 86_400
    assert (await report(ada, entry("first")))["merged"] == 1


async def test_releases_that_are_none_are_not_kept_without_end(world: World) -> None:
    ada = await world.person()
    for batch in range(4):
        named = [entry(f"{new_word()}", context={"release": f"r{batch}-{n}"}) for n in range(50)]
        await report(ada, *named)
    assert world.sql("select count(*) from sidechain.error_releases where user_id = %s", ada.id) == [(100,)]
