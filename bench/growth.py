"""Reading a title's curve while its marks grow from ten to a million, without the memory.

One title each with 10, 1,000, 100,000 and 1,000,000 marks (ten of each person, but on the smallest), whose
curves are drawn by one statement over every voice. The server runs with `QUINTET_HOT_BYTES=0` and one
connection asks: what is compared is the median time of one reading. Both readings count: the curve and the
time to good.
"""

import psycopg
from bench._load import put_load, request
from bench._server import Server, data_folder, serving
from bench._table import by_turns, growth_row, present_load, show
from bench._world import marks, people, settle, titles

SECONDS = 1.0
SIZES = (10, 1_000, 100_000, 1_000_000)
_EACH = 10
_LIMIT = 1.3


def title_of(size: int) -> str:
    """The id of the title with so many marks."""
    return f"grown-{size}"


def grow(server: Server) -> None:
    """Write all titles with their marks."""
    persons = people(server, max(SIZES) // _EACH)
    titles(server.dsn, [title_of(size) for size in SIZES])
    for size in SIZES:
        marks(server.dsn, [title_of(size)], persons[: max(5, size // _EACH)], size // max(5, size // _EACH))
    with psycopg.connect(server.dsn) as connection:
        counted = dict(connection.execute("select title_id, wiggs_count from wigg.curves").fetchall())
    assert counted == {title_of(size): size for size in SIZES}, counted
    settle(server, [title_of(size) for size in SIZES])


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data, hot_bytes="0") as server:
        grow(server)

        def milliseconds(what: str, size: int) -> float:
            asked = [request("GET", f"/api/titles/{title_of(size)}/{what}")]
            return put_load(server.address, asked, seconds=SECONDS, connections=1).median

        pairs = [(what, size) for what in ("progress", "t2g") for size in SIZES]
        took = dict(
            zip(pairs, by_turns(*(lambda pair=pair: milliseconds(*pair) for pair in pairs)), strict=True)
        )
    rows = [
        growth_row(
            f"{what}, {size:,} marks", f"{SIZES[0]} marks", took[what, size], took[what, SIZES[0]], _LIMIT
        )
        for what in ("progress", "t2g")
        for size in SIZES[1:]
    ]
    show("growth: one reading, by the number of marks", rows, load)


if __name__ == "__main__":
    main()
