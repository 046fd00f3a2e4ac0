"""Events to 1,000 and 5,000 subscribers of one room, against Node `ws`, Socket.IO and nchan.

Everybody is a user of their own and holds one socket. In a burst 100 events are published at once; the clock
runs from the first byte sent until the last subscriber has the last event. One at a time, the next event is
published when everybody has the last one. Ours are marks placed over HTTP: authenticated, limited, and
durable before anybody hears of them. The rivals' events are the same text, but kept in memory at most. All
publish over connections that stay open, are one process each, and are heard by the same client.
"""

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench._listeners import Crowd, Heard, Publishers, crowd
from bench._live import MARKER, door, place, place_many, subscribe
from bench._rivals import NotInstalled, nchan, socket_io, ws
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._world import Person, people, titles

BURST, PUBLISHERS = 100, 4
SUBSCRIBERS = {1000: 40, 5000: 15}  # and how many events are published one at a time
TITLE = "fanout"
# As long as one of ours, with every field it has.
SAMPLE = (
    '{"room":"title:fanout","seq":1234,"at":"2025-01-01T12:00:00.000Z","type":"wigg_placed",'
    '"user_id":"00000000-0000-7000-8000-100000000001","title_id":"fanout",'
    '"wigg_id":"00000000-0000-7000-8000-100000000002","position_pct":12.345678,"rating":2}'
)
TARGETS = {"Node ws": (5.0, None), "nchan": (2.0, 0.7)}
RIVALS = {"Node ws": ws, "Socket.IO": socket_io, "nchan": nchan}
Measures = dict[str, tuple[Callable[[], float], Callable[[], float]]]


def measures_of(
    crowd: Crowd, heard: list[Heard], burst: Callable[[], list[bytes]], single: Callable[[], list[bytes]], *,
    subscribers: int, events_each: int,
) -> tuple[Callable[[], float], Callable[[], float]]:  # fmt: skip
    """Deliveries per second in a burst, and events per second one at a time."""

    def at_once() -> float:
        took = crowd.round(burst(), events_each)
        return BURST * subscribers / took.seconds

    def one_at_a_time() -> float:
        took = crowd.round(single(), one_at_a_time=True)
        heard.append(took)
        return len(took.took_last) / took.seconds

    return at_once, one_at_a_time


def measure(
    server: Server, persons: list[Person], folder: Path, subscribers: int, singles: int
) -> tuple[list[Row], list[str]]:
    """All by turns, with that many subscribers each."""
    heard: dict[str, list[Heard]] = {}
    found: Measures = {}
    missing: dict[str, str] = {}
    writers = persons[-PUBLISHERS:]
    with ExitStack() as stack:
        listening = door(server, persons[:subscribers], [subscribe(f"title:{TITLE}")] * subscribers)
        ours = stack.enter_context(crowd(listening, Publishers(server.port, PUBLISHERS), MARKER))
        found["ours"] = measures_of(
            ours, heard.setdefault("ours", []),
            lambda: [place_many(one, TITLE, BURST // PUBLISHERS) for one in writers],
            lambda: [place(writers[n % PUBLISHERS], TITLE) for n in range(singles)],
            subscribers=subscribers, events_each=BURST // PUBLISHERS,
        )  # fmt: skip
        for name, started in RIVALS.items():
            try:
                rival = stack.enter_context(started(folder))
            except NotInstalled as reason:
                missing[name] = str(reason)
                continue
            theirs = stack.enter_context(crowd(rival.door(subscribers), rival.publishers, MARKER))
            event = rival.event(SAMPLE)
            found[name] = measures_of(
                theirs, heard.setdefault(name, []),
                lambda event=event: [event] * BURST,
                lambda event=event: [event] * singles,
                subscribers=subscribers, events_each=1,
            )  # fmt: skip
        columns = iter(by_turns(*(one for pair in found.values() for one in pair)))
        figures = {name: (next(columns), next(columns)) for name in found}
    rows = [row for place in (0, 1) for row in _rows(figures, missing, subscribers, place)]
    rows.append(_evenness(heard["ours"][1:], subscribers))
    details = [
        f"{subscribers:,} one at a time, {name}: {_times(rounds[1:])}" for name, rounds in heard.items()
    ]
    return rows, details + [f"{name}: {reason}" for name, reason in missing.items()]


def _rows(
    figures: dict[str, tuple[list[float], list[float]]], missing: dict[str, str], subscribers: int, place: int
) -> list[Row]:
    name = f"{subscribers:,} subscribers, {('burst of 100', 'one at a time')[place]}"
    ours = figures["ours"][place]
    rows = []
    for rival in RIVALS:
        target = TARGETS.get(rival, (None, None))[place]
        if rival in missing:
            rows.append(Row(name, rival, "not installed", rate(ours), float("nan"), None))
        else:
            theirs = figures[rival][place]
            rows.append(Row(name, rival, rate(theirs), rate(ours), paired_ratio(ours, theirs), target))
    return rows


def _evenness(rounds: list[Heard], subscribers: int) -> Row:
    median, p99 = _percentiles(rounds)
    return Row(
        f"{subscribers:,} subscribers, p99 of a delivery", "its median", f"{median:.1f} ms", f"{p99:.1f} ms",
        p99 / median, 3.0, at_most=True,
    )  # fmt: skip


def _percentiles(rounds: list[Heard]) -> tuple[float, float]:
    took = [1000 * one for heard in rounds for one in heard.took]
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def _times(rounds: list[Heard]) -> str:
    median, p99 = _percentiles(rounds)
    last = [1000 * one for heard in rounds for one in heard.took_last]
    return (
        f"a delivery median {median:.1f} ms, p99 {p99:.1f}; the last of an event's median "
        f"{statistics.median(last):.1f}, p99 {statistics.quantiles(last, n=100)[98]:.1f}"
    )


def main() -> None:
    load = present_load()
    rows: list[Row] = []
    details: list[str] = []
    for subscribers, singles in SUBSCRIBERS.items():
        with data_folder() as data, serving(data) as server:
            persons = people(server, subscribers + PUBLISHERS)
            titles(server.dsn, [TITLE])
            more, said = measure(server, persons, data.parent, subscribers, singles)
            rows += more
            details += said
    details.append("bursts in deliveries/s, one at a time in events/s; only ours are durable and authorized")
    show("fanout: events to many subscribers", rows, load, details)


if __name__ == "__main__":
    main()
