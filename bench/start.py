"""From `serve` on an empty folder until ready, the second start, and the memory that a resting server takes.

The clock runs from the process's start to the first 200 of `/health/ready`. Memory is PSS, which shares
shared pages out: the server and every process of its database, after three seconds of rest and one request
of each kind of read.
"""

import statistics
import time
from pathlib import Path

from bench._server import Server, data_folder, serving
from bench._table import RUNS, Row, present_load, show

_SECONDS, _MEBIBYTES = 3.0, 250.0


def started(data: Path) -> tuple[float, float]:
    """Seconds until ready, and mebibytes at rest."""
    began = time.perf_counter()
    with serving(data) as server:
        seconds = time.perf_counter() - began
        server.call("GET", "/api/titles")
        server.call("GET", "/api/titles/nothing/progress")
        time.sleep(3)
        return seconds, memory(server)


def memory(server: Server) -> float:
    """Mebibytes of PSS of the server and all its descendants, the database among them."""
    parents = {pid: _parent(pid) for pid in _processes()}
    family = {server.process.pid, int((server.data / "postgres" / "postmaster.pid").read_text().split()[0])}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(_pss_kibibytes(pid) for pid in family) / 1024


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _parent(pid: int) -> int:
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _pss_kibibytes(pid: int) -> int:
    try:
        lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # ended meanwhile
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    load = present_load()
    first: list[float] = []
    second: list[float] = []
    rest: list[float] = []
    for _ in range(RUNS):
        with data_folder() as data:
            first.append(started(data)[0])
            seconds, mebibytes = started(data)
            second.append(seconds)
            rest.append(mebibytes)
    rows = [
        Row(name, "limit", f"{limit:g} {unit}", f"{ours:.1f} {unit}", ours / limit, 1.0, at_most=True)
        for name, limit, ours, unit in (
            ("first start, empty folder", _SECONDS, statistics.median(first), "s"),
            ("second start", _SECONDS, statistics.median(second), "s"),
            ("memory at rest", _MEBIBYTES, statistics.median(rest), "MiB"),
        )
    ]
    show("start: until ready, and at rest", rows, load)


if __name__ == "__main__":
    main()
