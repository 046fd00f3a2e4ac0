"""The same reads without the memory, against pgbench running the same statement with as many connections.

The server runs with `QUINTET_HOT_BYTES=0`, so every answer is read from the database; a thousand titles are
asked for in random order, so that hardly ever two ask for the same at once (those would share one reading).
The limit is the literal statement of `queries.curve` and `t2g_queries.t2g_of` in pgbench: prepared, over the
same socket, on the same rows, by as many connections as ask over HTTP.
"""

from bench._load import Measured, put_load, request
from bench._pgbench import pgbench, statement_of, with_expressions
from bench._server import data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._world import marks, people, settle, shuffled, titles

from quintet.apps.wigg import queries, t2g_queries
from quintet.apps.wigg.rules import USUAL_SEGMENTS, grid_slice
from quintet.apps.wigg.t2g import ESTIMATES_ROOM

SECONDS = 4.0
MOST = 1000
TITLES = [str(number) for number in range(1, MOST + 1)]  # digits: pgbench's variables are numbers
_DRAW = f"\\set title random(1, {MOST})\n"
_ROOM = "'title:' || :title"


def curve_script() -> str:
    """One reading of a curve."""
    first, last = grid_slice(USUAL_SEGMENTS)
    expressions = {1: ":title", 2: f"({_ROOM})", 3: str(first), 4: str(last)}
    return _DRAW + with_expressions(statement_of(queries.curve), expressions) + "\n"


def t2g_script() -> str:
    """One reading of a time to good."""
    expressions = {1: ":title", 2: f"({_ROOM})", 3: f"'{ESTIMATES_ROOM}'"}
    return _DRAW + with_expressions(statement_of(t2g_queries.t2g_of), expressions) + "\n"


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data, hot_bytes="0") as server:
        titles(server.dsn, TITLES)
        marks(server.dsn, TITLES, people(server, 5))
        settle(server, TITLES)
        measured: dict[str, Measured] = {}

        def over_http(what: str) -> float:
            asked = shuffled([request("GET", f"/api/titles/{title}/{what}") for title in TITLES])
            measured[what] = put_load(server.address, asked, seconds=SECONDS)
            return measured[what].per_second

        curve, curve_limit, told, told_limit = by_turns(
            lambda: over_http("progress"),
            lambda: pgbench(server, curve_script(), seconds=SECONDS),
            lambda: over_http("t2g"),
            lambda: pgbench(server, t2g_script(), seconds=SECONDS),
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
