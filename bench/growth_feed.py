"""Reading a feed while the people one follows grow from ten to two thousand.

Ten thousand people did fifty thousand things within a month. One connection asks for the first page of the
feed of somebody who follows 10, 100, 1,000 or 2,000 of them; what is compared is the median time of one
reading. For information also the worst case: two thousand followed who have all been silent for a year in
this busy world, so that each of them is looked up.
"""

from bench._feeds import feed_rows
from bench._ranked import follow, rankings, settle
from bench._server import Server, data_folder, serving
from bench._table import present_load, show
from bench._world import Person, people, run, titles

SIZES = (10, 100, 1_000, 2_000)
SILENT = "2,000 silent"
_BUSY, _QUIET = 10_000, 2_000
_TITLES = [f"film-{number}" for number in range(3_000)]


def grow(server: Server) -> dict[str, Person]:
    """Write the world; who follows how many."""
    persons = people(server, _BUSY + _QUIET + len(SIZES) + 1)
    busy, quiet, viewers = persons[:_BUSY], persons[_BUSY : _BUSY + _QUIET], persons[_BUSY + _QUIET :]
    titles(server.dsn, _TITLES)
    rankings(server, busy, _TITLES, each=5, days=30)
    rankings(server, quiet, _TITLES, each=5, days=1)
    run(
        server.dsn,
        "update marquee.activities set at = at - interval '1 year' where user_id = any(%s::uuid[])",
        [one.id for one in quiet],
    )
    for viewer, size in zip(viewers, SIZES, strict=False):
        follow(server, viewer, busy[:: _BUSY // size][:size])
    follow(server, viewers[-1], quiet)
    settle(server)
    return {f"{size:,}": viewer for size, viewer in zip(SIZES, viewers, strict=False)} | {SILENT: viewers[-1]}


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data) as server:
        viewers = grow(server)
        rows = feed_rows(server, "feed", "/social/feed", viewers, limits={SILENT: None})
    show("growth: one reading of a feed, by the number of people followed", rows, load)


if __name__ == "__main__":
    main()
