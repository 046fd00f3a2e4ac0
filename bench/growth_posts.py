"""Reading Sidechain's feed while the people one follows grow from ten to two thousand.

Ten thousand people posted fifty thousand times. One connection asks for the first page of the feed of
somebody who follows 10, 100, 1,000 or 2,000 of them; what is compared is the median time of one reading. For
information also the worst case: two thousand followed whose posts are all older than everybody else's, so
that each of them is looked up.
"""

from collections.abc import Sequence

from bench._feeds import feed_rows
from bench._ranked import follow
from bench._server import Server, data_folder, serving
from bench._table import present_load, show
from bench._world import Person, people, run

SIZES = (10, 100, 1_000, 2_000)
SILENT = "2,000 silent"
_BUSY, _QUIET, _EACH = 10_000, 2_000, 5


def posts(server: Server, authors: Sequence[Person], *, first: str) -> None:
    """Posts of these people, at some moment each; their ids begin so, which is when that was."""
    run(
        server.dsn,
        """
        with made as (
            insert into sidechain.posts (id, user_id, is_open, text, created_at)
            select overlay(gen_random_uuid()::text placing %(first)s from 1 for 4)::uuid, user_id, true,
                   'a sketch of some forty characters or so', now()
            from unnest(%(authors)s::uuid[]) as a(user_id), generate_series(1, %(each)s)
            returning id
        )
        insert into sidechain.post_counts (post_id) select id from made
        """,
        {"authors": [one.id for one in authors], "first": first, "each": _EACH},
    )


def grow(server: Server) -> dict[str, Person]:
    """Write the world; who follows how many."""
    persons = people(server, _BUSY + _QUIET + len(SIZES) + 1)
    busy, quiet, viewers = persons[:_BUSY], persons[_BUSY : _BUSY + _QUIET], persons[_BUSY + _QUIET :]
    posts(server, busy, first="0190")
    posts(server, quiet, first="0180")
    for viewer, size in zip(viewers, SIZES, strict=False):
        follow(server, viewer, busy[:: _BUSY // size][:size])
    follow(server, viewers[-1], quiet)
    run(server.dsn, "analyze", {})
    return {f"{size:,}": viewer for size, viewer in zip(SIZES, viewers, strict=False)} | {SILENT: viewers[-1]}


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data) as server:
        viewers = grow(server)
        rows = feed_rows(server, "posts", "/api/v1/feed", viewers, limits={SILENT: None})
    show("growth: one reading of Sidechain's feed, by the number of people followed", rows, load)


if __name__ == "__main__":
    main()
