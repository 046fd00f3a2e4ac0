"""Many writers on one document, durable, against ShareDB in memory; and the bare transform against npm's.

1, 10 and 50 writers hold one operation in flight each, on one text, over `/ws`; counted is what is
acknowledged. Ours is authorized, limited, and committed to disk before the ack; everybody else hears each
operation in the same order. ShareDB runs with its text type and its store in memory, as in its own examples,
and once more with its store in PostgreSQL. All are written to by the same loop (`_writers.py`); only the
messages differ. With 200 listeners besides the writers, counted is what reaches somebody else's hand.
"""

import json
import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
from bench._rivals import NotInstalled, npm_transforms, sharedb, sharedb_tables
from bench._server import Server, data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._world import Person, people
from bench._writers import START, Crew, Quintet, ShareDB, Written, crew
from websockets.sync.client import ClientConnection, connect

from quintet.domains.documents.ot import Operation, transform

WRITERS = {1: None, 10: 1.0, 50: 2.0}  # and the target against ShareDB in memory
CROWDED = (10, 50)
LISTENERS = 200
SECONDS = 1.0
PAIRS = 2_000
TEXT_TYPES = {"ot-text": 0.1, "ot-text-unicode": 0.1}
Make = Callable[[], Quintet | ShareDB]


def our_document(server: Server, persons: list[Person]) -> Quintet:
    """A channel's description, with all these people as members and a text to write in."""
    owner = {"Authorization": f"Bearer {persons[0].token}"}
    status, _, body = server.call("POST", "/api/v1/channels", {"name": "bench"}, **owner)
    assert status == 201, body
    channel = json.loads(body)["id"]
    with psycopg.connect(server.dsn) as connection:
        connection.execute(
            "insert into sidechain.members (channel_id, user_id, since) select %s, id, now()"
            " from unnest(%s::uuid[]) as u(id) on conflict do nothing",
            (channel, [person.id for person in persons]),
        )
    document = f"channel:{channel}:description"
    start = {"document_id": document, "operation": {"client_id": 0}, "base_rev": 0,
             "session": "start", "session_seq": 1, "ops": [{"insert": "x" * START}]}  # fmt: skip
    with connect(f"ws://127.0.0.1:{server.port}/ws?token={persons[0].token}") as socket:
        socket.send(json.dumps({"type": "operation", "id": 1, "payload": start}))
        ack = _heard(socket, "operation_ack")
    return Quintet(server.port, document, ack["epoch"], ack["rev"], [person.token for person in persons])


def _heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while (message := json.loads(socket.recv(10)))["type"] != kind:
        assert message["type"] != "error", message
    return message


def our_rev(server: Server, person: Person, document: str) -> int:
    """How far the document is, by reading it."""
    path = f"/api/v1/documents/{document}"
    status, _, body = server.call("GET", path, Authorization=f"Bearer {person.token}")
    assert status == 200, body
    return json.loads(body)["rev"]


def their_document(port: int) -> ShareDB:
    """A new one."""
    name = f"text-{time.monotonic_ns()}"
    with urlopen(f"http://127.0.0.1:{port}/{name}") as answer:
        assert answer.read() == b"made"
    return ShareDB(port, name)


class Measured:
    """One side: writes again and again, on a new document each time, and keeps what came of it."""

    def __init__(self, crew: Crew, make: Make, writers: int, listeners: int = 0) -> None:
        self.crew = crew
        self.make, self.writers, self.listeners = make, writers, listeners
        self.runs: list[Written] = []

    def per_second(self) -> float:
        """Acknowledged operations."""
        return self._write().per_second

    def delivered_per_second(self) -> float:
        """Operations in somebody else's hand."""
        return self._write().delivered_per_second

    def _write(self) -> Written:
        dialect = self.make()
        made = self.crew.run(dialect, writers=self.writers, listeners=self.listeners, seconds=SECONDS)
        self.runs.append(made)
        return made

    def times(self, of: Callable[[Written], list[float]]) -> str:
        """Median and 99th percentile, without the round that warms."""
        took = [1000 * one for made in self.runs[1:] for one in of(made)]
        return f"median {statistics.median(took):.1f} ms, p99 {statistics.quantiles(took, n=100)[98]:.1f}"


def live_rows(server: Server, folder: Path) -> tuple[list[Row], list[str]]:
    """Acknowledged and delivered operations a second, ours and theirs by turns."""
    persons = people(server, max(WRITERS) + LISTENERS)
    rows: list[Row] = []
    notes: list[str] = []
    with ExitStack() as stack:
        hands = stack.enter_context(crew())
        makes: dict[str, Make] = {"ours": partial(our_document, server, persons)}
        for name, dsn in {"ShareDB, in memory": None, "ShareDB, PostgreSQL": server}.items():
            try:
                address = None if dsn is None else durable_store(server)
                port = stack.enter_context(sharedb(folder, address))
                their_document(port)
            except (NotInstalled, OSError) as reason:
                notes.append(f"{name}: {reason}")
            else:
                makes[name] = partial(their_document, port)
        for writers, target in WRITERS.items():
            sides = {name: Measured(hands, make, writers) for name, make in makes.items()}
            columns = dict(zip(sides, by_turns(*(one.per_second for one in sides.values())), strict=True))
            name = f"{writers} writer{'s' * (writers > 1)}, acknowledged"
            rows += _against(name, columns, target)
            notes += [f"{name}, {who}: {one.times(lambda made: made.took)}" for who, one in sides.items()]
        for writers in CROWDED:
            sides = {
                who: Measured(hands, make, writers, LISTENERS)
                for who, make in makes.items()
                if who != "ShareDB, PostgreSQL"
            }
            measures = [one.delivered_per_second for one in sides.values()]
            columns = dict(zip(sides, by_turns(*measures), strict=True))
            name = f"{writers} writers, {LISTENERS} listeners, delivered"
            rows += _against(name, columns, None)
            notes += [f"{name}, {who}: {one.times(lambda m: m.deliveries)}" for who, one in sides.items()]
    return rows, notes


def _against(name: str, columns: dict[str, list[float]], target: float | None) -> list[Row]:
    ours = columns["ours"]
    rows: list[Row] = []
    for rival in ("ShareDB, in memory", "ShareDB, PostgreSQL"):
        theirs = columns.get(rival)
        if theirs is not None:
            wanted = target if rival == "ShareDB, in memory" else None
            rows.append(Row(name, rival, rate(theirs), rate(ours), paired_ratio(ours, theirs), wanted))
    return rows or [Row(name, "ShareDB", "not installed", rate(ours), float("nan"), None)]


def durable_store(server: Server) -> str:
    """A database for ShareDB in the same cluster, with the tables that its store ships; its address."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("create database sharedb")
    with psycopg.connect(server.dsn_for("sharedb"), autocommit=True) as connection:
        connection.execute(sharedb_tables().encode())
        user = connection.info.user
    return f"socket://{user}@{server.socket_folder}/?db=sharedb"


def transform_rows() -> list[Row]:
    """Transforms a second of the same pairs: nearly all a keystroke over a keystroke, as they come."""
    pairs = [(_keystroke(), _keystroke(), _dice.random() < 0.5) for _ in range(PAIRS)]
    ours_made = sum(len(transform(op, over, later=later)) for op, over, later in pairs)
    told = [[_npm(op), _npm(over), "left" if later else "right"] for op, over, later in pairs]

    def ours() -> float:
        until, count = time.perf_counter() + 0.5, 0
        began = time.perf_counter()
        while time.perf_counter() < until:
            for op, over, later in pairs:
                transform(op, over, later=later)
            count += len(pairs)
        return count / (time.perf_counter() - began)

    def theirs(package: str) -> float:
        per_second, parts = npm_transforms(package, told, 0.5)
        assert parts == ours_made, f"{package} made {parts} parts, we {ours_made}"
        return per_second

    rows: list[Row] = []
    for package, target in TEXT_TYPES.items():
        try:
            mine, other = by_turns(ours, partial(theirs, package))
        except NotInstalled as reason:
            rows.append(Row("transform", package, str(reason), rate([ours()]), float("nan"), None))
        else:
            ratio = paired_ratio(mine, other)
            rows.append(Row("transform", f"{package} in Node", rate(other), rate(mine), ratio, target))
    return rows


_dice = random.Random(11)


def _keystroke() -> Operation:
    """A letter somewhere, or a deletion; every tenth a change in two places."""
    at = _dice.randrange(1, 400)
    change = _dice.choice("abcdefgh") if _dice.random() < 0.75 else -_dice.randrange(1, 4)
    if _dice.random() < 0.9:
        return (at, change)
    return (at, change, _dice.randrange(1, 400), "new")


def _npm(op: Operation) -> list[object]:
    return [{"d": -part} if not isinstance(part, str) and part < 0 else part for part in op]


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data) as server:
        rows, notes = live_rows(server, data.parent)
    rows += transform_rows()
    notes.append(
        f"each run writes for {SECONDS:g} s on a new document; times are to the ack, or to a listener"
    )
    show("text: many writers on one document", rows, load, notes)


if __name__ == "__main__":
    main()
