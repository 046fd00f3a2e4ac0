"""2,000 clients lose their connections at once, miss 100 events each, and come back at once to catch up.

Everybody is a user of their own with one socket, in one room together or ten in each of 200 rooms. The
connections break without a word; a hundred marks are placed in each room; then all connect, sign in and
subscribe behind the last event they have. The clock runs from the first connect until the last client has
its hundredth event and the word that it is live. Every client's events are then compared with the room's
log, which has no holes: what is lost, doubled or out of order is counted.
"""

import re
import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

from bench._listeners import Listeners, allow_many_files
from bench._live import MARKER, door, place_many, subscribe
from bench._server import Server, data_folder, post, serving
from bench._table import RUNS, Row, present_load, show
from bench._world import Person, people, titles

CLIENTS, EVENTS = 2000, 100
ROOMS = {"one room of 2,000": 1, "200 rooms of 10": 200}
SECONDS = 5.0
_PLACE = re.compile(rb'"epoch":"([^"]+)","seq":(\d+)')
_EVENT = re.compile(rb'"seq":(\d+),"at"')


@dataclass
class Faults:
    """What must not happen, over all clients and rounds."""

    lost: int = 0
    doubled: int = 0
    misplaced: int = 0
    events: int = 0

    def count(self, since: int, seqs: list[int]) -> None:
        """Compare what one client heard with an unbroken log."""
        self.events += len(seqs)
        self.lost += len(set(range(since + 1, max(seqs) + 1)) - set(seqs))
        self.doubled += len(seqs) - len(set(seqs))
        self.misplaced += sum(a > b for a, b in pairwise(seqs))


def come_back(server: Server, persons: list[Person], ids: list[str], faults: Faults) -> float:
    """Drop everybody, have things happen, and let everybody catch up: in how many seconds."""
    rooms = [f"title:{ids[n % len(ids)]}" for n in range(CLIENTS)]
    before = Listeners(door(server, persons, [subscribe(room) for room in rooms]), MARKER)
    before.get_in()
    places = [_PLACE.findall(heard)[-1] for heard in before.heard]
    before.hang_up()
    with ThreadPoolExecutor(4) as pool:
        sent = [place_many(persons[n % CLIENTS], title, EVENTS) for n, title in enumerate(ids)]
        for status in pool.map(lambda data: post(server, data), sent):
            assert status == 200, status
    joins = [
        subscribe(room, epoch=epoch.decode(), since=int(since))
        for room, (epoch, since) in zip(rooms, places, strict=True)
    ]
    back = door(server, persons, joins)
    after = Listeners(replace(back, ready=[*back.ready, (MARKER, EVENTS)]), MARKER)
    seconds = after.get_in(at_once=CLIENTS)
    after.rest(0.2)
    for heard, (_, since) in zip(after.heard, places, strict=True):
        faults.count(int(since), [int(seq) for seq in _EVENT.findall(heard)])
    after.hang_up()
    return seconds


def main() -> None:
    load = present_load()
    allow_many_files()
    rows: list[Row] = []
    for name, count in ROOMS.items():
        faults, ids = Faults(), [f"replay-{n}" for n in range(count)]
        with data_folder() as data, serving(data) as server:
            persons = people(server, CLIENTS)
            titles(server.dsn, ids)
            took = [come_back(server, persons, ids, faults) for _ in range(RUNS + 1)][1:]
        seconds = statistics.median(took)
        wrong = faults.lost + faults.doubled + faults.misplaced
        rows += [
            Row(f"{name}: all caught up", "limit", f"{SECONDS:g} s", f"{seconds:.2f} s", seconds / SECONDS,
                1.0, at_most=True, detail=f"slowest round {max(took):.2f} s"),
            Row(f"{name}: faults", "none", "0", str(wrong), float(wrong), 0.0, at_most=True,
                detail=f"{faults.events:,} events caught up: {faults.lost} lost, {faults.doubled} doubled, "
                       f"{faults.misplaced} out of order"),
        ]  # fmt: skip
    show("replay: 2,000 clients come back at once, 100 events behind", rows, load)


if __name__ == "__main__":
    main()
