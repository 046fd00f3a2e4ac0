"""The verbs of live capture: start, seek, pause, resume, stop, mark, and waking up at milestones.

Invariant: every change goes through `make_moves`, which tells what was passed, plans the next wake-up and
writes the capture, in the transaction of the change itself; so nothing is told twice, nor lost in a crash.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from quintet.apps.wigg.access import title_id_of
from quintet.apps.wigg.actions import place_wigg
from quintet.apps.wigg.capture import access, queries, rules, wake_queries
from quintet.apps.wigg.capture.model import (
    Capture,
    CaptureChanged,
    CaptureId,
    CaptureStopped,
    MarkNow,
    MilestoneReached,
    Mode,
    NewCapture,
    NoActiveCapture,
    ShownCapture,
)
from quintet.apps.wigg.capture.rules import Move
from quintet.apps.wigg.capture.wake_queries import Planned, Span
from quintet.apps.wigg.milestones.model import LengthUnknown
from quintet.apps.wigg.model import NewWigg, PlacedWigg
from quintet.apps.wigg.push import queries as push_queries
from quintet.apps.wigg.push.queries import NewPush
from quintet.apps.wigg.rules import pct_of, position_of
from quintet.domains.catalogue import Work, WorkId, work_to_see
from quintet.kernel import json
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Database, Tx
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import user_room
from quintet.kernel.refusals import invalid
from quintet.kernel.secrets import Secrets

MOST_ACTIVE: Final = 100
MOST_STOPPED: Final = 100
MOST_AT_ONCE: Final = 100
PUSH_LIFETIME: Final = timedelta(minutes=10)  # "you have come to the twist" is no news an hour later


async def start_capture(tx: Tx, actor: Actor, new: NewCapture) -> tuple[Capture, bool]:
    """Start capturing a title, or answer what one captures of it already; and whether it is new."""
    work = await work_to_see(tx, new.title_id)
    if new.mode == "timed" and work.total_length_seconds is None:
        raise LengthUnknown
    await queries.lock_user(tx, actor.id)
    known = await queries.active_capture(tx, actor.id, work.id)
    if known is not None:
        return known, False
    position = position_of(new.start_pct)
    started = await begin(tx, actor.id, work, new.mode, new.speed, position, work.total_length_seconds)
    return started, True


async def begin(
    tx: Tx, user_id: UserId, work: Work, mode: Mode, speed: float, position: int, length_seconds: float | None
) -> Capture:
    """Write a new capture, under the user's lock; room is made by stopping what was untouched for longest."""
    capture = Capture(
        id=CaptureId(new_id()),
        user_id=user_id,
        title_id=work.id,
        mode=mode,
        speed=speed,
        length_seconds=length_seconds,
        anchor_position=position,
        anchor_at=tx.now,
        paused_at=None,
        started_at=tx.now,
        updated_at=tx.now,
        stopped_at=None,
    )
    await wake_queries.let_milestones_settle(tx, work.id)
    await queries.insert_capture(tx, capture)
    stale = await queries.stalest_active(tx, user_id, MOST_ACTIVE)
    moves = [rules.stopped(one, tx.now) for one in stale]
    await make_moves(tx, [*moves, Move(capture, capture, position)])
    await queries.forget_old(tx, user_id, MOST_STOPPED)
    return capture


async def seek(tx: Tx, actor: Actor, capture_id: UUID, pct: float) -> Capture:
    """Say where one is; raises CaptureNotFound or CaptureStopped."""
    capture = await access.capture_to_change(tx, actor, capture_id)
    return await _make(tx, rules.sought(capture, position_of(pct), tx.now))


async def pause(tx: Tx, actor: Actor, capture_id: UUID) -> Capture:
    """Stand still; again changes nothing. Raises CaptureNotFound or CaptureStopped."""
    capture = await access.capture_to_change(tx, actor, capture_id)
    return capture if capture.paused_at is not None else await _make(tx, rules.paused(capture, tx.now))


async def resume(tx: Tx, actor: Actor, capture_id: UUID) -> Capture:
    """Go on; again changes nothing. Raises CaptureNotFound or CaptureStopped."""
    capture = await access.capture_to_change(tx, actor, capture_id)
    return capture if capture.paused_at is None else await _make(tx, rules.resumed(capture, tx.now))


async def stop(tx: Tx, actor: Actor, capture_id: UUID) -> Capture:
    """End a capture; raises CaptureNotFound or CaptureStopped."""
    capture = await access.capture_to_change(tx, actor, capture_id)
    return await _make(tx, rules.stopped(capture, tx.now))


async def mark_now(tx: Tx, actor: Actor, secrets: Secrets, mark: MarkNow) -> PlacedWigg:
    """Place a mark where one is; raises NoActiveCapture or CaptureStopped where nothing says where."""
    title_id, pct = await _place_of(tx, actor, mark)
    new = NewWigg(
        position_pct=pct,
        note=mark.note,
        rating=mark.rating,
        session_id=mark.session_id,
        optimistic_id=mark.optimistic_id,
        created_at=mark.created_at,
    )
    return await place_wigg(tx, actor, secrets, title_id, new)


async def _place_of(tx: Tx, actor: Actor, mark: MarkNow) -> tuple[WorkId, float]:
    """Title and percent of a mark. The same optimistic id marks where it marked the first time."""
    if (mark.title_id is None) == (mark.capture_id is None):
        code = "missing" if mark.title_id is None else "unknown_field"
        pointer = "/title_id" if mark.title_id is None else "/capture_id"
        raise invalid(code, "name either title_id or capture_id", pointer=pointer)
    if mark.capture_id is not None:
        capture = await access.capture_to_see(tx, actor, mark.capture_id)
        title_id = capture.title_id
    else:
        title_id = title_id_of(mark.title_id or "")
        capture = None
    if mark.pct is not None:
        return title_id, mark.pct
    if mark.optimistic_id is not None:
        before = await queries.marked_at(tx, actor.id, mark.optimistic_id)
        if before is not None:
            return title_id, pct_of(before)
    if capture is None:
        capture = await queries.active_capture(tx, actor.id, title_id)
        if capture is None:
            await work_to_see(tx, title_id)
            raise NoActiveCapture
    elif capture.stopped_at is not None:
        raise CaptureStopped
    position = rules.position_at(capture, tx.now)
    if mark.optimistic_id is not None:
        position = await queries.remember_mark(tx, actor.id, mark.optimistic_id, position)
    return title_id, pct_of(position)


def shown(capture: Capture, now: Instant) -> ShownCapture:
    """A capture as its owner sees it now."""
    return ShownCapture(
        id=capture.id,
        title_id=capture.title_id,
        mode=capture.mode,
        speed=capture.speed,
        current_pct=pct_of(rules.position_at(capture, now)),
        is_active=capture.stopped_at is None,
        is_paused=capture.paused_at is not None,
        started_at=capture.started_at,
        updated_at=capture.updated_at,
        stopped_at=capture.stopped_at,
    )


async def _make(tx: Tx, move: Move) -> Capture:
    await make_moves(tx, [move])
    return move.after


async def make_moves(tx: Tx, moves: Sequence[Move], *, told: bool = True) -> None:
    """Make changes of locked captures: tell what was passed, plan, write, and tell of the change itself."""
    by_id = {move.after.id: move.after for move in moves}
    spans = [
        Span(m.before.id, m.before.title_id, m.before.anchor_position, m.played_to)
        for m in moves
        if m.played_to > m.before.anchor_position
    ]
    reached = await wake_queries.reach_milestones(tx, spans) if spans else []
    ahead = [Span(c.id, c.title_id, 0, c.anchor_position) for c in by_id.values() if rules.is_moving(c)]
    upcoming = await wake_queries.next_milestones(tx, ahead) if ahead else {}
    await wake_queries.write_captures(tx, [_planned(c, upcoming.get(c.id)) for c in by_id.values()])
    for capture in by_id.values() if told else ():
        tx.emit(user_room(capture.user_id), _changed(capture))
    messages: list[NewPush] = []
    for one in reached:
        capture = by_id[one.capture_id]
        event = MilestoneReached(
            capture_id=capture.id,
            title_id=capture.title_id,
            milestone_id=one.milestone_id,
            label=one.label,
            icon=one.icon,
            pct=pct_of(one.position),
        )
        tx.emit(user_room(capture.user_id), event)
        messages.append(NewPush(capture.user_id, json.encode(event).decode()))
    if messages:
        await push_queries.queue_pushes(tx, messages, Instant.at(tx.now + PUSH_LIFETIME))


def _planned(capture: Capture, upcoming: int | None) -> Planned:
    return Planned(
        id=capture.id,
        mode=capture.mode,
        speed=capture.speed,
        length_seconds=capture.length_seconds,
        anchor_position=capture.anchor_position,
        anchor_at=capture.anchor_at,
        paused_at=capture.paused_at,
        updated_at=capture.updated_at,
        stopped_at=capture.stopped_at,
        wakes_at=None if upcoming is None else rules.passes_at(capture, upcoming),
    )


def _changed(capture: Capture) -> CaptureChanged:
    return CaptureChanged(
        capture_id=capture.id,
        title_id=capture.title_id,
        current_pct=pct_of(capture.anchor_position),
        is_active=capture.stopped_at is None,
        is_paused=capture.paused_at is not None,
        mode=capture.mode,
        speed=capture.speed,
    )


async def replan_title(tx: Tx, title_id: WorkId) -> None:
    """Plan anew what moves along a title; to be called wherever its milestones or its length are written."""
    await wake_queries.replan_captures(tx, title_id)


async def wake_due(database: Database) -> int:
    """Wake up captures that have come to a milestone, a bounded part of them; how many."""

    async def wake(tx: Tx) -> int:
        due = await wake_queries.due_captures(tx, MOST_AT_ONCE)
        await make_moves(tx, [rules.settled(one, tx.now) for one in due], told=False)
        return len(due)

    return await database.transact(wake)
