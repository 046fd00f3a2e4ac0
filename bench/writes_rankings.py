"""Moving rankings, durable and with everything on.

The rival is pgbench with the same statements in one transaction.

A hundred people who are signed in move titles in tiers of 200 before others, each move under its own
Idempotency-Key: token, limits, the locked tier, the event log, the feed. The limit: one such request is made
while PostgreSQL logs every statement; the transaction found in its log becomes pgbench's script, with the
same values but for person and rankings and whatever the server draws anew for each request, which pgbench
draws, too. pgbench works on a second database of the same cluster with the same rows and durability.
"""

from uuid import uuid4

import psycopg
from bench._load import Measured, put_load
from bench._pgbench import pgbench
from bench._rankings import moves, rank_titles, ranking_id, settle
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._trace import Executed, script_of, transaction_of
from bench._world import FIRST_PERSON, Person, accounts, people, titles

from quintet.kernel.migrations import migrate

SECONDS = 4.0
PEOPLE = 100
TITLES = 200
LIMIT = "limit"  # pgbench's database
_FIRST = 100_000_000_000
_AT_MOST_PER_SECOND = 4000
MEDIA = [f"film-{number}" for number in range(TITLES)]


def logged_move(server: Server, person: Person, nth: int) -> tuple[list[Executed], dict[str, str]]:
    """The transaction of one move to the top, and what in it stands for whom."""
    moved, other = _FIRST + nth * TITLES + 150, _FIRST + nth * TITLES + 50

    def move() -> None:
        status, _, body = server.call(
            "PATCH",
            f"/rankings/{ranking_id(moved)}/move",
            {"before_id": str(ranking_id(other))},
            Authorization=f"Bearer {person.token}",
            Idempotency_Key=str(uuid4()),
        )
        assert status == 200, body

    tokens = {str(FIRST_PERSON + nth): "person", str(moved): "moved", str(other): "other"}
    return transaction_of(server, move, "marquee.place_ranking"), tokens


def limit_script(server: Server, transaction: list[Executed], tokens: dict[str, str]) -> str:
    """The same by anybody among the people, of any of their titles before any other of theirs."""
    script = script_of(server, transaction, {"nth": f"0, {PEOPLE - 1}"}, tokens)
    lines = [
        f"\\set person {FIRST_PERSON} + :nth",
        f"\\set moved {_FIRST} + :nth * {TITLES} + random(0, {TITLES // 2 - 1}) * 2",
        f"\\set other {_FIRST} + :nth * {TITLES} + random(0, {TITLES // 2 - 1}) * 2 + 1",
    ]
    head, _, rest = script.partition("\n")
    return "\n".join([head, *lines, rest])


def make_limit(server: Server) -> None:
    """A second database with the same tables and rows."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f'create database "{LIMIT}"')
    dsn = server.dsn_for(LIMIT)
    migrate(dsn)
    accounts(dsn, PEOPLE)
    titles(dsn, MEDIA)


def check_limit(server: Server) -> None:
    """Stop where pgbench has not really moved rankings, each telling its owner."""
    with psycopg.connect(server.dsn_for(LIMIT)) as connection:
        written = connection.execute(
            """
            select (select count(*) from kernel.idempotency_keys), (select count(*) from kernel.room_events),
                   (select count(*) from marquee.user_rankings where updated_at > created_at)
            """
        ).fetchone()
    assert written is not None
    assert written[0] == written[1] > 0, f"kept answers and events: {written}"
    assert written[2] > PEOPLE * TITLES / 4, f"rankings moved: {written}"


def main() -> None:
    load = present_load()
    measured: dict[str, Measured] = {}
    with data_folder() as data, serving(data) as server:
        persons = people(server, PEOPLE)
        titles(server.dsn, MEDIA)
        make_limit(server)
        for dsn in (server.dsn, server.dsn_for(LIMIT)):
            rank_titles(dsn, [person.id for person in persons], MEDIA, _FIRST)
            settle(dsn)
        script = limit_script(server, *logged_move(server, persons[-1], PEOPLE - 1))

        def move() -> float:
            requests = moves(persons, TITLES, _FIRST, int(SECONDS * _AT_MOST_PER_SECOND))
            measured["move"] = put_load(server.address, requests, seconds=SECONDS, repeat=False)
            return measured["move"].per_second

        ours, limit = by_turns(move, lambda: pgbench(server, script, seconds=SECONDS, database=LIMIT))
        check_limit(server)
    row = Row(
        f"move a ranking, {PEOPLE} tiers of {TITLES}",
        "pgbench, same transaction",
        rate(limit),
        rate(ours),
        paired_ratio(ours, limit),
        0.35,
        detail=str(measured["move"]),
    )
    show("writes: moving rankings, durable", [row], load)


if __name__ == "__main__":
    main()
