"""Recording error reports in batches of a hundred, durable and with everything on: entries a second.

The rival is pgbench with the same statements in one transaction.

Ten connections send batches for four hundred people: all merging, which is an outage (everybody reports the
same hundred errors, so that all share a hundred groups), and all new (a hundred rows and groups by each
batch). Each is sent plain and packed by gzip: unpacked, validated, masked and folded before the transaction
begins. The limit: one such batch is sent while PostgreSQL logs every statement; its transaction becomes
pgbench's script, whose person is drawn, and whose group ids are, too, where all is new. pgbench works on a
second database of the same cluster; afterwards the bench checks that what both wrote adds up. That pgbench
masks, folds and unpacks nothing is in its favour.
"""

import gzip
import json
import random

import psycopg
from bench._load import Measured, put_load, request
from bench._pgbench import pgbench
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._trace import Executed, script_of, transaction_of
from bench._world import FIRST_PERSON, Person, accounts, people

from quintet.kernel.migrations import migrate

SECONDS = 2.0
CONNECTIONS = 10
PEOPLE = 400
ENTRIES = 100
LIMIT = "limit"  # pgbench's database
_AT_MOST_PER_SECOND = 400  # batches
_LAST_PERSON = FIRST_PERSON + PEOPLE - 1
_TARGET = 0.35
_random = random.Random(33)


def message(word: str) -> str:
    """What a plugin says of an upload."""
    return (
        f"Upload of {word} to 10.0.{_random.randrange(256)}.7 timed out after {_random.randrange(60_000)} ms"
    )


def new_word() -> str:
    """Letters that are folded nowhere."""
    return "".join(_random.choices("ghijklmnopqrstuvwxyz", k=14))


def batch(words: list[str]) -> bytes:
    """The body of a hundred reports, of a size such as plugins send."""
    context = {
        "release": "2.4.1", "host": "Live 12.1", "os": "macOS 14.2", "sample_rate": 48_000, "buffer": 512,
        "headers": [["Authorization", "Bearer c2VjcmV0"], ["Accept", "text/html"]], "thread": "network",
    }  # fmt: skip
    errors = [
        {
            "source": "Network",
            "severity": "Error",
            "message": message(word),
            "context": context,
            "occurrences": 2,
        }
        for word in words
    ]
    return json.dumps({"errors": errors}).encode()


SAME = [new_word() for _ in range(ENTRIES)]


def new_words() -> list[str]:
    """A hundred that nobody has reported."""
    return [new_word() for _ in range(ENTRIES)]


def requests(persons: list[Person], *, merging: bool, packed: bool) -> list[bytes]:
    """More batches than a run can take."""
    # The same few bodies do for merging; where all is to be new, each is another one.
    bodies = [batch(_random.sample(SAME, ENTRIES)) for _ in range(50)] if merging else []
    made: list[bytes] = []
    for _ in range(int(SECONDS * _AT_MOST_PER_SECOND)):
        body = _random.choice(bodies) if merging else batch(new_words())
        headers = {"Content_Encoding": "gzip"} if packed else {}
        token = _random.choice(persons).token
        made.append(
            request(
                "POST",
                "/api/v1/errors/batch",
                token=token,
                body=gzip.compress(body, 6) if packed else body,
                **headers,
            )
        )
    return made


def logged_batch(server: Server, person: Person, words: list[str]) -> list[Executed]:
    """The transaction of one batch, out of PostgreSQL's log."""

    def send() -> None:
        status, _, body = server.call(
            "POST", "/api/v1/errors/batch", json.loads(batch(words)), Authorization=f"Bearer {person.token}"
        )
        assert status == 200, body

    return transaction_of(server, send, "sidechain.errors")


def limit_script(server: Server, transaction: list[Executed], *, merging: bool) -> str:
    """The same batch of anybody's; where all is new, of other groups each time."""
    draws = {"person": f"{FIRST_PERSON}, {_LAST_PERSON}"}
    tokens = {str(_LAST_PERSON): "person"}
    if not merging:
        [reports] = [
            json.loads(value)
            for one in transaction
            for value in one.values.values()
            if value is not None and value.startswith("[{")
        ]
        for number, report in enumerate(reports):
            draws[f"group{number}"] = "100000000000, 999999999999"
            tokens[report["group_id"][-12:]] = f"group{number}"
    return script_of(server, transaction, draws, tokens)


def make_limit(server: Server) -> None:
    """A second database with the same tables and people."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f'create database "{LIMIT}"')
    migrate(server.dsn_for(LIMIT))
    accounts(server.dsn_for(LIMIT), PEOPLE)
    for dsn in (server.dsn, server.dsn_for(LIMIT)):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("vacuum analyze")
            connection.execute("checkpoint")


def check(dsn: str) -> None:
    """Stop where rows, hours and groups do not add up to the same occurrences."""
    with psycopg.connect(dsn) as connection:
        written = connection.execute(
            """
            select (select sum(occurrences) from sidechain.errors),
                   (select sum(occurrences) from sidechain.error_hours),
                   (select sum(occurrences) from sidechain.error_groups),
                   (select count(*) from sidechain.errors), (select count(*) from sidechain.error_messages)
            """
        ).fetchone()
    assert written is not None
    assert written[0] > 0, written
    assert len(set(written[:3])) == 1, f"occurrences of rows, hours and groups: {written}"
    assert written[3] == written[4], f"rows and messages: {written}"


def main() -> None:
    load = present_load()
    measured: dict[str, Measured] = {}
    with data_folder() as data, serving(data) as server:
        persons = people(server, PEOPLE)
        make_limit(server)

        def ingest(name: str, *, merging: bool, packed: bool) -> float:
            made = requests(persons, merging=merging, packed=packed)
            measured[name] = put_load(
                server.address, made, seconds=SECONDS, repeat=False, connections=CONNECTIONS
            )
            return measured[name].per_second * ENTRIES

        def limit(script: str) -> float:
            return ENTRIES * pgbench(server, script, seconds=SECONDS, database=LIMIT, connections=CONNECTIONS)

        # The first opens the rows that the logged one, and pgbench's after its first round, add to.
        logged_batch(server, persons[-1], SAME)
        merging = limit_script(server, logged_batch(server, persons[-1], SAME), merging=True)
        opening = limit_script(server, logged_batch(server, persons[-1], new_words()), merging=False)
        names = ("all merging", "all merging, gzip", "all new", "all new, gzip")
        ours_merging, ours_packed, limit_merging, ours_new, ours_new_packed, limit_new = by_turns(
            lambda: ingest(names[0], merging=True, packed=False),
            lambda: ingest(names[1], merging=True, packed=True),
            lambda: limit(merging),
            lambda: ingest(names[2], merging=False, packed=False),
            lambda: ingest(names[3], merging=False, packed=True),
            lambda: limit(opening),
        )
        check(server.dsn)
        check(server.dsn_for(LIMIT))
    rows = [
        Row(
            f"record entries, {name}",
            "pgbench, same transaction",
            rate(rival),
            rate(ours),
            paired_ratio(ours, rival),
            _TARGET,
            detail=str(measured[name]),
        )
        for name, ours, rival in zip(
            names,
            (ours_merging, ours_packed, ours_new, ours_new_packed),
            (limit_merging, limit_merging, limit_new, limit_new),
            strict=True,
        )
    ]
    show("ingest: error reports in batches of 100, durable", rows, load)


if __name__ == "__main__":
    main()
