"""Moving a title within a tier of 100, 1,000 and 10,000.

One person each, whose title is moved before another one, both drawn at random, by one connection under a
fresh Idempotency-Key each; what is compared is the median time of one move. The other rows move it to a rank,
whose place is to be counted.
"""

import random
from uuid import uuid4

from bench._load import put_load, request
from bench._rankings import moves, rank_titles, ranking_id, settle
from bench._server import data_folder, serving
from bench._table import by_turns, growth_row, present_load, show
from bench._world import Person, people, titles

SECONDS = 2.0
SIZES = (100, 1_000, 10_000)
_FIRST = 100_000_000_000
_MOST = 4000
_LIMIT = 2.0
_random = random.Random(23)


def first_of(size: int) -> int:
    """The number of the first ranking in the tier of that size."""
    return _FIRST + size * 10


def to_a_rank(person: Person, size: int) -> list[bytes]:
    """Requests that move a title to a rank."""
    return [
        request(
            "PATCH",
            f"/rankings/{ranking_id(first_of(size) + _random.randrange(size))}/move",
            token=person.token,
            body=b'{"rank":%d}' % _random.randint(1, size),
            Idempotency_Key=str(uuid4()),
        )
        for _ in range(_MOST)
    ]


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data) as server:
        persons = dict(zip(SIZES, people(server, len(SIZES)), strict=True))
        media = [f"film-{number}" for number in range(max(SIZES))]
        titles(server.dsn, media)
        for size, person in persons.items():
            rank_titles(server.dsn, [person.id], media[:size], first_of(size))

        def milliseconds(way: str, size: int) -> float:
            settle(server.dsn)
            person = persons[size]
            asked = to_a_rank(person, size) if way == "rank" else moves([person], size, first_of(size), _MOST)
            return put_load(server.address, asked, seconds=SECONDS, connections=1, repeat=False).median

        pairs = [(way, size) for way in ("before", "rank") for size in SIZES]
        took = dict(
            zip(pairs, by_turns(*(lambda pair=pair: milliseconds(*pair) for pair in pairs)), strict=True)
        )
    rows = [
        growth_row(
            f"move {'before another' if way == 'before' else 'to a rank'}, {size:,} titles",
            f"{SIZES[0]} titles",
            took[way, size],
            took[way, SIZES[0]],
            _LIMIT,
        )
        for way in ("before", "rank")
        for size in SIZES[1:]
    ]
    show("growth: one move, by the titles in the tier", rows, load)


if __name__ == "__main__":
    main()
