"""The same reads without the memory, against pgbench running the same statement with as many connections.

The server runs with `QUINTET_HOT_BYTES=0`, so every answer is read from the database; a thousand titles are
asked for in random order, so that hardly ever two ask for the same at once (those would share one reading).
The limit: each read is made once while PostgreSQL logs every statement; the one that reads the curve, and the
one that reads the time to good, are pgbench's scripts: prepared, over the same socket, on the same rows, by
as many connections as ask over HTTP.
"""

from bench._load import Measured, put_load, request
from bench._pgbench import pgbench
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._trace import script_of, statement_of
from bench._world import marks, people, settle, shuffled, titles

SECONDS = 4.0
# Twelve digits, so that an id is found in a statement's values, and pgbench can draw it.
_FIRST, _LAST = 500_000_000_001, 500_000_001_000
TITLES = [str(number) for number in range(_FIRST, _LAST + 1)]
MARKS = {"progress": "c.sums[$3:$4]", "t2g": "wigg.titles_told where id = $1"}


def limit_script(server: Server, what: str) -> str:
    """The statement of one reading, out of PostgreSQL's log."""

    def read() -> None:
        status, _, body = server.call("GET", f"/api/titles/{TITLES[0]}/{what}")
        assert status == 200, body

    statement = statement_of(server, read, MARKS[what])
    return script_of(server, [statement], {"title": f"{_FIRST}, {_LAST}"}, {TITLES[0]: "title"})


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data, hot_bytes="0") as server:
        titles(server.dsn, TITLES)
        marks(server.dsn, TITLES, people(server, 5))
        settle(server, TITLES)
        scripts = {what: limit_script(server, what) for what in MARKS}
        measured: dict[str, Measured] = {}

        def over_http(what: str) -> float:
            asked = shuffled([request("GET", f"/api/titles/{title}/{what}") for title in TITLES])
            measured[what] = put_load(server.address, asked, seconds=SECONDS)
            return measured[what].per_second

        curve, curve_limit, told, told_limit = by_turns(
            lambda: over_http("progress"),
            lambda: pgbench(server, scripts["progress"], seconds=SECONDS),
            lambda: over_http("t2g"),
            lambda: pgbench(server, scripts["t2g"], seconds=SECONDS),
        )
    rows = [
        Row(
            f"{what}, anonymous",
            "pgbench, same statement",
            rate(limit),
            rate(ours),
            paired_ratio(ours, limit),
            0.35,
            detail=str(measured[what]),
        )
        for what, ours, limit in (("progress", curve, curve_limit), ("t2g", told, told_limit))
    ]
    show("cold: reads without the memory", rows, load)


if __name__ == "__main__":
    main()
