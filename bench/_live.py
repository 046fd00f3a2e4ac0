"""Our side of the live benches: sockets that hear a title's room, and marks whose events it tells.

Invariant: every event is durable; a mark makes exactly one, placed or moved, and none is made twice.
"""

import json
import random
from collections.abc import Sequence

from bench._listeners import Door
from bench._load import request
from bench._server import Server
from bench._world import Person

MARKER = b'"type":"wigg_'  # once in each event of a mark
_random = random.Random(22)


def door(server: Server, persons: Sequence[Person], joins: Sequence[str]) -> Door:
    """A socket for each person, who joins a room by the message of the same place."""
    paths = [f"/ws?token={person.token}" for person in persons]
    return Door(server.port, paths, [[message] for message in joins], [(b'"type":"subscribed"', 1)])


def subscribe(room: str, **behind: object) -> str:
    """The message that joins a room; `behind` are `since` and `epoch`."""
    return json.dumps({"type": "subscribe", "id": 1, "room": room, **behind})


def place(person: Person, title: str) -> bytes:
    """One mark, anywhere."""
    body = json.dumps({"position_pct": round(_random.uniform(0, 100), 6), "rating": _random.randrange(4)})
    return request("POST", f"/api/titles/{title}/wiggs", token=person.token, body=body.encode())


def place_many(person: Person, title: str, count: int) -> bytes:
    """Marks spread evenly over the title, at other positions each time, in one transaction."""
    step, start = 100 / count, _random.random()
    marks = [
        {"position_pct": round((n + start) * step, 6), "rating": _random.randrange(4)} for n in range(count)
    ]
    body = json.dumps({"wiggs": marks}).encode()
    return request("POST", f"/api/titles/{title}/wiggs/batch", token=person.token, body=body)
