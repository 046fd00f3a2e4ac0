"""The same three calls through FastAPI, SQLAlchemy 2 ORM and Pydantic, on the same database server.

The rival (`bench/rivals/fastapi_app.py`) has the same people, titles and marks in tables of its own, and the
same durability; one worker on uvloop and httptools, as ours. Its plain read stands against our hot and our
cold read: it keeps nothing in memory. What it does not do (limits, undo, unbroken numbering of events,
sealed answers, request log) is in its favour.
"""

import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import jwt
import psycopg
from bench._load import Address, Measured, put_load, request
from bench._server import Server, data_folder, serving, serving_bare
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._world import Person, marks, people, settle, shuffled, titles
from bench.rivals.fastapi_app import ALGORITHM, AUDIENCE, Base
from sqlalchemy import create_engine, text

from quintet.kernel.postgres.connection import DATABASE
from quintet.kernel.postgres.creation import SUPERUSER

SECONDS = 3.0
PEOPLE, MOST, HOT = 100, 1000, 10
TITLES = [f"film-{number}" for number in range(MOST)]
_AT_MOST_PER_SECOND = 4000
_SECRET = secrets.token_hex(32)
_random = random.Random(22)


def address(server: Server) -> str:
    """The database's address as SQLAlchemy writes it."""
    return f"postgresql+psycopg://{SUPERUSER}@/{DATABASE}?host={server.socket_folder}"


def copy_to_rival(server: Server) -> None:
    """Give the rival its tables, with what ours hold."""
    engine = create_engine(address(server))
    with engine.begin() as connection:
        connection.execute(text("create schema rival"))
        Base.metadata.create_all(connection)
        connection.execute(text("insert into rival.users select id, username from accounts.users"))
        connection.execute(
            text("insert into rival.titles select id, title, kind, total_length_seconds from catalogue.works")
        )
        connection.execute(
            text(
                """
                insert into rival.wiggs (id, title_id, user_id, position_pct, rating, note, created_at,
                                         updated_at)
                select id, title_id, user_id, position / 1000000.0, rating, note, created_at, updated_at
                from wigg.wiggs
                """
            )
        )
    engine.dispose()
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")


@contextmanager
def rivalling(server: Server) -> Iterator[Address]:
    """The rival on the server's database."""
    log = server.data.parent / "rival.log"
    environment = {"RIVAL_DATABASE": address(server), "RIVAL_SECRET": _SECRET}
    with serving_bare("bench.rivals.fastapi_app", path="/health", log=log, **environment) as address_of_rival:
        yield address_of_rival


def placings(tokens: list[str], prefix: str) -> list[bytes]:
    """New marks, each under its own key."""
    return [
        request(
            "POST",
            f"{prefix}/titles/{_random.choice(TITLES[HOT:])}/wiggs",
            token=_random.choice(tokens),
            body=b'{"position_pct":%.6f,"rating":%d}' % (_random.random() * 100, _random.randrange(4)),
            Idempotency_Key=str(uuid4()),
        )
        for _ in range(int(SECONDS * _AT_MOST_PER_SECOND))
    ]


def tokens_for_rival(persons: list[Person]) -> list[str]:
    """What the rival's own log-in would give."""
    expires = int(time.time()) + 3600
    return [
        jwt.encode({"sub": str(person.id), "aud": AUDIENCE, "exp": expires}, _SECRET, ALGORITHM)
        for person in persons
    ]


def measure(data: Path, *, hot: bool, measured: dict[str, Measured]) -> dict[str, list[float]]:
    """Rates by name, of ours and the rival's: hot reads and writes, or cold reads."""
    with serving(data, **({} if hot else {"hot_bytes": "0"})) as server:
        persons = people(server, PEOPLE)
        if hot:
            titles(server.dsn, TITLES)
            marks(server.dsn, TITLES, persons[:20])
            settle(server, TITLES)
            copy_to_rival(server)
        asked = TITLES[:HOT] if hot else TITLES
        with rivalling(server) as theirs:

            def read(name: str, at: Address, prefix: str) -> float:
                paths = [request("GET", f"{prefix}/titles/{title}/progress") for title in asked]
                measured[name] = put_load(at, shuffled(paths), seconds=SECONDS)
                return measured[name].per_second

            def write(name: str, at: Address, prefix: str, tokens: list[str]) -> float:
                requests = placings(tokens, prefix)
                measured[name] = put_load(at, requests, seconds=SECONDS, expected=(201,), repeat=False)
                return measured[name].per_second

            what = "hot read" if hot else "cold read"
            named = {
                f"{what}, ours": lambda: read(f"{what}, ours", server.address, "/api"),
                f"{what}, rival": lambda: read(f"{what}, rival", theirs, ""),
            }
            if hot:
                own, for_rival = [person.token for person in persons], tokens_for_rival(persons)
                named |= {
                    "write, ours": lambda: write("write, ours", server.address, "/api", own),
                    "write, rival": lambda: write("write, rival", theirs, "", for_rival),
                }
            return dict(zip(named, by_turns(*named.values()), strict=True))


def main() -> None:
    load = present_load()
    measured: dict[str, Measured] = {}
    with data_folder() as data:
        rates = measure(data, hot=True, measured=measured) | measure(data, hot=False, measured=measured)
    rows = [
        Row(
            name,
            "FastAPI + SQLAlchemy ORM",
            rate(rates[f"{name}, rival"]),
            rate(rates[f"{name}, ours"]),
            paired_ratio(rates[f"{name}, ours"], rates[f"{name}, rival"]),
            target,
            detail=f"ours {measured[f'{name}, ours']}; rival {measured[f'{name}, rival']}",
        )
        for name, target in (("hot read", 15), ("cold read", 4), ("write", 3))
    ]
    show("rival: the same calls through FastAPI, SQLAlchemy ORM and Pydantic", rows, load)


if __name__ == "__main__":
    main()
