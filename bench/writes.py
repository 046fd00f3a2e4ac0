"""Placing WIGGs and painting, durable and with everything on.

The rival is pgbench with the same statements in one transaction.

A hundred people who are signed in place marks on two hundred titles (in the second row through two processes,
in the third while others listen, in the fourth all on one title), and paint segments, each under its own
Idempotency-Key: tokens, two limits, the event log, the undo record, four grids.
The limit: one such request is made while PostgreSQL logs every statement; the transaction found in its log
becomes pgbench's script, with the same values but for person, title, position and whatever the server draws
anew for each request, which pgbench draws, too; afterwards the bench counts what pgbench has written.
Sessions and limits are read outside the transaction: they are the server's own burden and no part of the
script. pgbench works on a second database of the same cluster, with the same tables, rows and durability, so
that the server does not compute the limit's times to good meanwhile; as many connections do
it as place over HTTP.
"""

import random
import time
from uuid import uuid4

import psycopg
from bench._listeners import listening
from bench._live import MARKER, door, subscribe
from bench._load import Measured, put_load, request
from bench._pgbench import pgbench
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._trace import Executed, script_of, transaction_of
from bench._world import FIRST_PERSON, Person, accounts, marks, people, settle, titles

from quintet.kernel.migrations import migrate

SECONDS = 4.0
PEOPLE = 100
MOST = 200
_AT_MOST_PER_SECOND = 4000
LIMIT = "limit"  # pgbench's database
# Twelve digits, so that an id is found in a statement's values, and pgbench can draw it. The first title is
# for the requests that are logged, the second for the hot row, the others for the first row.
_LOGGED = 500_000_000_000
_HOT, _FIRST, _LAST = _LOGGED + 1, _LOGGED + 2, _LOGGED + MOST + 1
IDS = [str(number) for number in range(_LOGGED, _LAST + 1)]
_LAST_PERSON, _PCT, _SEGMENT = FIRST_PERSON + PEOPLE - 1, 61.234567, 7
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


def paintings(persons: list[Person]) -> list[bytes]:
    """The same of painting any of twenty segments."""
    return [
        request(
            "PATCH",
            f"/api/titles/{_random.randint(_FIRST, _LAST)}/segments/{_random.randrange(20)}/score",
            token=_random.choice(persons).token,
            body=b'{"score":%.3f}' % (_random.random() * 4),
            Idempotency_Key=str(uuid4()),
        )
        for _ in range(int(SECONDS * _AT_MOST_PER_SECOND))
    ]


def logged_painting(server: Server, person: Person) -> list[Executed]:
    """The transaction of one painting by somebody who has painted nothing on that title yet."""

    def paint() -> None:
        status, _, body = server.call(
            "PATCH",
            f"/api/titles/{_LOGGED}/segments/{_SEGMENT}/score",
            {"score": 2.5},
            Authorization=f"Bearer {person.token}",
            Idempotency_Key=str(uuid4()),
        )
        assert status == 200, body

    return transaction_of(server, paint, "wigg.paintings")


def logged_placing(server: Server, person: Person) -> list[Executed]:
    """The transaction of one placing by somebody with no mark on that title yet, out of PostgreSQL's log."""

    def place() -> None:
        status, _, body = server.call(
            "POST",
            f"/api/titles/{_LOGGED}/wiggs",
            {"position_pct": _PCT, "rating": 2},
            Authorization=f"Bearer {person.token}",
            Idempotency_Key=str(uuid4()),
        )
        assert status == 201, body
        assert b'"created"' in body, body  # a merged mark would make another, smaller transaction

    return transaction_of(server, place, "wigg.wiggs")


def limit_script(server: Server, transaction: list[Executed], first: int, last: int) -> str:
    """The same placing by anybody on a title of `first` to `last`."""
    ranges = {
        "person": f"{FIRST_PERSON}, {_LAST_PERSON}",
        "title": f"{first}, {last}",
        "position": "10000000, 99999999",
    }
    tokens = {str(_LAST_PERSON): "person", str(_LOGGED): "title", str(round(_PCT * 1_000_000)): "position"}
    return script_of(server, transaction, ranges, tokens)


def check_limit(server: Server) -> None:
    """Stop where pgbench has not really placed marks, one for each answer it kept."""
    with psycopg.connect(server.dsn_for(LIMIT)) as connection:
        written = connection.execute(
            """
            select (select count(*) from kernel.idempotency_keys), (select count(*) from wigg.edit_actions),
                   (select count(*) from kernel.room_events),
                   (select count(*) from wigg.wiggs where action_id in (select id from wigg.edit_actions))
                   + (select count(*) from wigg.edit_actions where action_type = 'paint_segment'),
                   (select sum(version - 1) from wigg.curves)
            """
        ).fetchone()
    assert written is not None
    assert written[0] > 0, written
    assert len(set(written)) == 1, f"kept answers, records, events, marks and paintings, versions: {written}"


def make_limit(server: Server) -> None:
    """A second database with the same tables and rows."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f'create database "{LIMIT}"')
    dsn = server.dsn_for(LIMIT)
    migrate(dsn)
    accounts(dsn, PEOPLE)
    titles(dsn, IDS)
    with psycopg.connect(server.dsn) as ours, psycopg.connect(dsn) as limit:
        for table in ("wigg.wiggs", "wigg.curves"):
            with (
                ours.cursor().copy(f"copy {table} to stdout (format binary)") as rows,
                limit.cursor().copy(f"copy {table} from stdin (format binary)") as target,
            ):
                for data in rows:
                    target.write(data)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def main() -> None:
    load = present_load()
    measured: dict[str, Measured] = {}
    with (
        data_folder() as data,
        serving(data) as server,
        # On the same database, for the people of the first.
        serving(
            data.parent / "beside", database_url=server.dsn, public_url=server.issuer, processes="2"
        ) as both,
    ):
        persons = people(server, PEOPLE)
        titles(server.dsn, IDS)
        marks(server.dsn, IDS, persons[:20])
        settle(server, IDS)
        make_limit(server)

        def place(name: str, first: int, last: int, *, at: Server = server) -> float:
            requests = placings(persons, first, last)
            measured[name] = put_load(at.address, requests, seconds=SECONDS, expected=(201,), repeat=False)
            return measured[name].per_second

        def paint() -> float:
            measured["paint"] = put_load(
                server.address, paintings(persons), seconds=SECONDS, expected=(200,), repeat=False
            )
            return measured["paint"].per_second

        logged = logged_placing(server, persons[-1])
        painted = limit_script(server, logged_painting(server, persons[-1]), _FIRST, _LAST)
        many, one = (
            limit_script(server, logged, first, last) for first, last in ((_FIRST, _LAST), (_HOT, _HOT))
        )
        heard: list[int] = []
        joins = [subscribe(f"title:{number}") for number in range(_FIRST, _LAST + 1)]
        everybody = door(server, people(server, PEOPLE + MOST)[PEOPLE:], joins)

        def place_heard(name: str) -> float:
            with listening(everybody, MARKER) as listeners:
                per_second = place(name, _FIRST, _LAST)
                time.sleep(0.2)  # what was told last is heard, too
            heard.append(sum(listeners.counts))
            assert heard[-1] >= sum(measured[name].statuses.values()) * 0.98, "listeners heard too little"
            return per_second

        spread, spread_two, spread_heard, spread_limit, hot, hot_limit, paints, paints_limit = by_turns(
            lambda: place("many titles", _FIRST, _LAST),
            lambda: place("many titles, two processes", _FIRST, _LAST, at=both),
            lambda: place_heard("many titles, 200 listeners"),
            lambda: pgbench(server, many, seconds=SECONDS, database=LIMIT),
            lambda: place("one hot title", _HOT, _HOT),
            lambda: pgbench(server, one, seconds=SECONDS, database=LIMIT),
            paint,
            lambda: pgbench(server, painted, seconds=SECONDS, database=LIMIT),
        )
        check_limit(server)
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
        for name, ours, limit in (
            ("many titles", spread, spread_limit),
            ("many titles, two processes", spread_two, spread_limit),
            ("many titles, 200 listeners", spread_heard, spread_limit),
            ("one hot title", hot, hot_limit),
        )
    ]
    ratio = paired_ratio(paints, paints_limit)
    ours, limit = rate(paints), rate(paints_limit)
    detail = str(measured["paint"])
    name, against = "paint a segment, many titles", "pgbench, same transaction"
    rows.append(Row(name, against, limit, ours, ratio, 0.35, detail=detail))
    show("writes: placing marks and painting, durable", rows, load)


if __name__ == "__main__":
    main()
