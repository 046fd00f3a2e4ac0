"""Placing WIGGs, durable and with everything on, against pgbench with the same statements in one transaction.

A hundred people who are signed in place marks on two hundred titles (and, in the second row, all on one
title), each under its own Idempotency-Key: tokens, two limits, the event log, the undo record, four grids.
The limit: one such request is made while PostgreSQL logs every statement; the transaction found in its log
becomes pgbench's script, with the same values but for person, title, position and whatever the server draws
anew for each request, which pgbench draws, too. Sessions and limits are read outside the transaction: they
are the server's own burden and no part of the script. Both run on one cluster, with the same durability, on
titles of their own that hold the same number of marks, by as many connections.
"""

import random
from uuid import uuid4

from bench._load import Measured, put_load, request
from bench._pgbench import pgbench
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._trace import script_of, transaction_of
from bench._world import FIRST_PERSON, Person, marks, people, settle, titles

SECONDS = 4.0
PEOPLE = 100
MOST = 200
_AT_MOST_PER_SECOND = 4000
# Twelve digits, so that an id is found in a statement's values, and pgbench can draw it.
_OURS, _LIMITS = 500_000_000_000, 600_000_000_000
_random = random.Random(21)


def placings(persons: list[Person], first: int, last: int) -> list[bytes]:
    """More requests than a run can take, each of them new."""
    return [
        request(
            "POST",
            f"/api/titles/{_random.randint(first, last)}/wiggs",
            token=_random.choice(persons).token,
            body=b'{"position_pct":%.6f,"rating":%d}' % (_random.random() * 100, _random.randrange(4)),
            Idempotency_Key=str(uuid4()),
        )
        for _ in range(int(SECONDS * _AT_MOST_PER_SECOND))
    ]


def limit_script(server: Server, person: Person, first: int, last: int) -> str:
    """One placing on a title of `first` to `last`, out of PostgreSQL's log."""
    title, pct = str(_OURS), 61.234567

    def place() -> None:
        status, _, body = server.call(
            "POST",
            f"/api/titles/{title}/wiggs",
            {"position_pct": pct, "rating": 2},
            Authorization=f"Bearer {person.token}",
            Idempotency_Key=str(uuid4()),
        )
        assert status == 201, body

    transaction = transaction_of(server, place, "wigg.wiggs")
    position = str(round(pct * 1_000_000))
    return script_of(
        server,
        transaction,
        {
            "person": f"{FIRST_PERSON}, {FIRST_PERSON + PEOPLE - 1}",
            "title": f"{first}, {last}",
            "position": "10000000, 99999999",
        },
        {str(FIRST_PERSON): "person", title: "title", position: "position"},
    )


def main() -> None:
    load = present_load()
    measured: dict[str, Measured] = {}
    with data_folder() as data, serving(data) as server:
        persons = people(server, PEOPLE)
        ids = [str(first + number) for first in (_OURS, _LIMITS) for number in range(MOST + 2)]
        titles(server, ids)
        marks(server, ids, persons[:20])
        settle(server, ids)

        def place(name: str, first: int, last: int) -> float:
            requests = placings(persons, first, last)
            measured[name] = put_load(
                server.address, requests, seconds=SECONDS, expected=(201,), repeat=False
            )
            return measured[name].per_second

        many = limit_script(server, persons[0], _LIMITS + 2, _LIMITS + MOST + 1)
        one = limit_script(server, persons[0], _LIMITS + 1, _LIMITS + 1)
        spread, spread_limit, hot, hot_limit = by_turns(
            lambda: place("many titles", _OURS + 2, _OURS + MOST + 1),
            lambda: pgbench(server, many, seconds=SECONDS),
            lambda: place("one hot title", _OURS + 1, _OURS + 1),
            lambda: pgbench(server, one, seconds=SECONDS),
        )
    rows = [
        Row(
            f"place a WIGG, {name}",
            "pgbench, same transaction",
            rate(limit),
            rate(ours),
            paired_ratio(ours, limit),
            0.35,
            detail=str(measured[name]),
        )
        for name, ours, limit in (("many titles", spread, spread_limit), ("one hot title", hot, hot_limit))
    ]
    show("writes: placing marks, durable", rows, load)


if __name__ == "__main__":
    main()
