"""Memory of the server for each idle connection: 2,000 people who are signed in and say nothing.

Everybody is a user of their own, hears their own room and, with 99 others, a title's. Memory is what the
server's process holds resident, three seconds after the last has come in, less what it held before; a
hundred came and went before that, so that what the first connection alone costs does not count.
"""

import statistics
import time
from pathlib import Path

from bench._listeners import Door, listening
from bench._live import MARKER, door, subscribe
from bench._server import Server, data_folder, serving
from bench._table import RUNS, Row, present_load, show
from bench._world import people, titles

CLIENTS, TITLES, FEW = 2000, 20, 100
KIBIBYTES = 40.0
REST_SECONDS = 3.0


def taken(server: Server, all_: Door) -> float:
    """KiB for each connection."""
    few = Door(all_.port, all_.paths[:FEW], all_.says[:FEW], all_.ready)
    with listening(few, MARKER):
        pass
    time.sleep(REST_SECONDS)
    before = resident_kibibytes(server)
    with listening(all_, MARKER):
        time.sleep(REST_SECONDS)
        return (resident_kibibytes(server) - before) / len(all_.paths)


def resident_kibibytes(server: Server) -> int:
    """What the server's own process holds, its database not counted."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def main() -> None:
    load = present_load()
    ids = [f"idle-{n}" for n in range(TITLES)]
    first: list[float] = []
    again = 0.0
    for run in range(RUNS):
        with data_folder() as data, serving(data) as server:
            persons = people(server, CLIENTS)
            titles(server.dsn, ids)
            joins = [subscribe(f"title:{ids[n % TITLES]}") for n in range(CLIENTS)]
            everybody = door(server, persons, joins)
            first.append(taken(server, everybody))
            if run == RUNS - 1:
                again = taken(server, everybody)
    kept = "what stays of these when the same 2,000 go and come again"
    rows = [
        Row("memory per idle connection", "limit", f"{KIBIBYTES:g} KiB",
            f"{statistics.median(first):.1f} KiB", statistics.median(first) / KIBIBYTES, 1.0, at_most=True,
            detail=f"{kept}: {again:+.1f} KiB more, once"),
    ]  # fmt: skip
    show("idle: memory per connection", rows, load)


if __name__ == "__main__":
    main()
