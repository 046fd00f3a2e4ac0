"""Importing old marks, for operators: placed by the same action as anybody's, many in one transaction.

Invariant: a line is placed at most once, however often its file is imported: what it says makes its
`optimistic_id`.
"""

import hashlib
from collections.abc import Callable
from itertools import islice
from typing import BinaryIO, Final
from uuid import UUID

import msgspec

from quintet.apps.wigg.actions import place_batch
from quintet.apps.wigg.model import NewWigg, PlacedWigg, WiggBatch
from quintet.apps.wigg.placing import check_client_time
from quintet.apps.wigg.points_file import BadLine, OldPoint, read_points
from quintet.apps.wigg.rules import position_of
from quintet.domains.accounts import users_named
from quintet.domains.catalogue import WorkId
from quintet.kernel import json
from quintet.kernel.actor import Actor, SessionId, UserId
from quintet.kernel.database import Database, Tx
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import InvalidRequest, Refusal, Unavailable
from quintet.kernel.secrets import Secrets, load_secrets

LINES_AT_ONCE: Final = 5000  # looked at together, so that one user's marks of a title are placed together
MARKS_IN_A_BATCH: Final = 100
# One commit for many saves waiting for the disk; not too many, since titles are locked until then.
BATCHES_IN_A_TRANSACTION: Final = 50


class Imported(msgspec.Struct):
    """What has become of the lines."""

    created: int = 0
    merged: int = 0
    known: int = 0
    bad: int = 0


class _Batch(msgspec.Struct, frozen=True):
    """Marks of one user on one title, in the order of their lines."""

    user_id: UserId
    title_id: WorkId
    points: list[OldPoint]


async def import_points(
    database: Database, file: BinaryIO, bad: Callable[[int, str], None], told: Callable[[int], None]
) -> Imported:
    """Place every mark of the file.

    `bad` hears of each line that cannot be taken and why, `told` of how many bytes are done.
    """
    secrets = await load_secrets(database)
    done, bytes_done = Imported(), 0
    lines = read_points(file)
    while some := list(islice(lines, LINES_AT_ONCE)):
        batches, wrong = await _batches(database, some)
        bytes_read = file.tell()
        for begin in range(0, len(batches), BATCHES_IN_A_TRANSACTION):
            wrong += await _place(database, secrets, batches[begin : begin + BATCHES_IN_A_TRANSACTION], done)
            told(bytes_done + (bytes_read - bytes_done) * begin // len(batches))
        for line in sorted(wrong, key=lambda one: one.line):
            bad(line.line, line.reason)
        done.bad += len(wrong)
        bytes_done = bytes_read
        told(bytes_done)
    return done


async def _batches(database: Database, lines: list[OldPoint | BadLine]) -> tuple[list[_Batch], list[BadLine]]:
    """What can be placed, in the order of the titles, and what is wrong with the rest."""
    points = [one for one in lines if isinstance(one, OldPoint)]
    wrong = [one for one in lines if isinstance(one, BadLine)]
    async with database.reading() as tx:
        users = await users_named(tx, (point.user for point in points))
        titles = await titles_there(tx, list({point.title_id for point in points}))
        now = tx.now
    together: dict[tuple[WorkId, UserId], list[OldPoint]] = {}
    for point in points:
        user_id = users.get(point.user)
        if user_id is None:
            wrong.append(BadLine(point.line, f"no account has this id, e-mail address or name: {point.user}"))
        elif point.title_id not in titles:
            wrong.append(BadLine(point.line, f"no such title: {point.title_id}"))
        else:
            try:
                check_client_time(point.mark.created_at, now, "")
            except InvalidRequest as error:
                wrong.append(BadLine(point.line, f"created_at is not {error.detail}"))
                continue
            together.setdefault((WorkId(point.title_id), user_id), []).append(point)
    # All importers take titles in one order, so that two of them never wait for each other in a circle.
    batches = [
        _Batch(user_id, title_id, placed[begin : begin + MARKS_IN_A_BATCH])
        for (title_id, user_id), placed in sorted(together.items(), key=lambda item: item[0])
        for begin in range(0, len(placed), MARKS_IN_A_BATCH)
    ]
    return batches, wrong


async def _place(
    database: Database, secrets: Secrets, batches: list[_Batch], done: Imported
) -> list[BadLine]:
    """Place batches in one transaction; where one is refused, each in its own, and tell which were."""

    async def act(tx: Tx) -> list[PlacedWigg]:
        placed: list[PlacedWigg] = []
        for batch in batches:
            actor = Actor(batch.user_id, SessionId(new_id()), "user")
            marks = [_once(batch, point.mark) for point in batch.points]
            answer = await place_batch(tx, actor, secrets, batch.title_id, WiggBatch(marks))
            placed += answer.items
        return placed

    try:
        placed = await database.transact(act)
    except Unavailable:  # says nothing about the lines: the import is broken off, and can be run again
        raise
    except Refusal as error:
        if len(batches) == 1:
            return [BadLine(point.line, str(error)) for point in batches[0].points]
        return [one for batch in batches for one in await _place(database, secrets, [batch], done)]
    for one in placed:
        setattr(done, one.outcome, getattr(done, one.outcome) + 1)
    return []


def _once(batch: _Batch, mark: NewWigg) -> NewWigg:
    """The mark with an id made of all that its line says, by which it is known the next time."""
    said = [batch.user_id, batch.title_id, position_of(mark.position_pct), mark.rating, mark.note]
    digest = hashlib.sha256(b"wigg_points" + json.encode([*said, mark.created_at])).digest()
    return msgspec.structs.replace(mark, optimistic_id=UUID(bytes=digest[:16], version=5))


async def titles_there(tx: Tx, title_ids: list[str]) -> set[str]:
    """Those of the ids that are titles."""
    return set(await tx.all(str, "select id from catalogue.titles where id = any($1)", title_ids))
