"""What the tests of error tracking say again and again: reports, sending them, at other times than now."""

import random
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from tests.world import Person, World

from quintet.apps.sidechain.errors.actions import record_reports
from quintet.apps.sidechain.errors.merging import reports_of
from quintet.apps.sidechain.errors.model import MOST_OPENED_A_DAY, NewError
from quintet.kernel.actor import Actor, SessionId, UserId
from quintet.kernel.clock import Instant, SystemClock
from quintet.kernel.database import Database

ERRORS = "/api/v1/errors"
BATCH = f"{ERRORS}/batch"


def entry(message: str = "Buffer underrun", **given: Any) -> dict[str, Any]:
    """One report."""
    return {"source": "Audio", "severity": "Error", "message": message, **given}


def new_word() -> str:
    """A word that no other test reports, and that is folded nowhere."""
    return "".join(random.choices("ghijklmnopqrstuvwxyz", k=16))


async def report(person: Person, *entries: dict[str, Any]) -> dict[str, Any]:
    """Send a batch; the answer's body."""
    answer = await person.post(BATCH, json={"errors": entries})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rows(person: Person, query: str = "") -> list[dict[str, Any]]:
    """One page of a list."""
    answer = await person.get(f"{ERRORS}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


class Past(SystemClock):
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.moment = super().now()

    def now(self) -> Instant:
        return self.moment


class Recorder:
    """Records reports at any time, without moving the world's clock."""

    def __init__(self, database: Database, clock: Past) -> None:
        self.database = database
        self.clock = clock

    async def record(
        self, at: Instant, user_id: str, entries: Iterable[NewError], most_a_day: int = MOST_OPENED_A_DAY
    ) -> int:
        """Record a batch as if it came at that time; how many rows it opened."""
        self.clock.moment = at
        actor = Actor(UserId(UUID(user_id)), SessionId(uuid4()), "user")
        reports = reports_of(entries, at)
        return await self.database.transact(lambda tx: record_reports(tx, actor, reports, most_a_day))


@asynccontextmanager
async def recording(world: World) -> AsyncGenerator[Recorder]:
    """Connections of its own to the world's database, under a clock of its own."""
    clock = Past()
    database = Database(world.dsn, connections=2, clock=clock)
    await database.open()
    try:
        yield Recorder(database, clock)
    finally:
        await database.close()
