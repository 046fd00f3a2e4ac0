"""What placing a mark does to the marks a user has already. Pure.

Invariant: a mark is merged into at most one other, and nothing is merged as a consequence.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.wigg.model import ActionId, NewWigg, Piece, Wigg, WiggId
from quintet.apps.wigg.rules import Contribution, nearest, position_of
from quintet.kernel.clock import Instant
from quintet.kernel.refusals import invalid

CLOCK_AHEAD: Final = timedelta(minutes=5)
_EARLIEST: Final = 1970


class Step(msgspec.Struct, frozen=True):
    """One change of one mark; `before` is None where it is new, `after` None where it is gone."""

    action_id: ActionId
    before: Wigg | None
    after: Wigg | None
    session_id: UUID | None = None
    optimistic_id: UUID | None = None


def place(own: Iterable[Wigg], mark: NewWigg, action_id: ActionId, new_id: WiggId, now: Instant) -> Step:
    """Place a mark among one's own: a new one, or merged into the nearest less than 1 % away."""
    marks = list(own)
    position = position_of(mark.position_pct)
    given = Instant.at(mark.created_at) if mark.created_at is not None else None
    at = given or now
    ages = {w.id: age for age, w in enumerate(sorted(marks, key=lambda w: (w.created_at, w.id)))}
    target = nearest(((w.position, ages[w.id], i) for i, w in enumerate(marks)), position)
    if target is None:
        return Step(
            action_id,
            None,
            Wigg(
                id=new_id,
                position=position,
                rating=mark.rating,
                note=mark.note,
                session_id=mark.session_id,
                action_id=action_id,
                marked_at=at,
                client_created_at=given,
                created_at=now,
                updated_at=now,
            ),
            mark.session_id,
            mark.optimistic_id,
        )
    older = marks[target]
    merged = _merged(older, mark, position, given, action_id, now)
    return Step(action_id, older, merged, mark.session_id, mark.optimistic_id)


def _merged(
    older: Wigg, mark: NewWigg, position: int, given: Instant | None, action_id: ActionId, now: Instant
) -> Wigg:
    """The mark that stays: what the newer one gives wins, by its author's clock (offline marks come late)."""
    at = given or now
    newer_came = at >= older.marked_at
    first, second = (mark, older) if newer_came else (older, mark)
    return msgspec.structs.replace(
        older,
        position=position if newer_came else older.position,
        rating=first.rating if first.rating is not None else second.rating,
        note=first.note if first.note is not None else second.note,
        session_id=mark.session_id or older.session_id,
        action_id=action_id,
        marked_at=at if newer_came else older.marked_at,
        client_created_at=given if newer_came else older.client_created_at,
        updated_at=now,
    )


def said(wiggs: Iterable[Wigg], painting: Iterable[Piece]) -> Contribution:
    """What marks and painting say together."""
    return Contribution(tuple((w.position, w.rating) for w in wiggs), tuple(painting))


def check_client_time(at: datetime | None, now: Instant, pointer: str) -> None:
    """Raise `out_of_range` for a time that no honest clock shows: over five minutes ahead, or before 1970."""
    if at is not None and (at.year < _EARLIEST or at > now + CLOCK_AHEAD):
        raise invalid("out_of_range", "a time from 1970 to five minutes from now", pointer=pointer)
