"""The verbs of marks: place, change, remove.

Invariant: a transaction changes the marks first and the title's curve last, so that the curve (which all of
a title's visitors share) is locked as briefly as can be.
"""

import hashlib
from uuid import UUID

import msgspec
from msgspec import UNSET

from quintet.apps.wigg import access, queries
from quintet.apps.wigg.editing import queries as editing_queries
from quintet.apps.wigg.editing import sessions as editing
from quintet.apps.wigg.editing.model import Absent
from quintet.apps.wigg.editing.records import MarkChange, NewAction, Record, never, new_action, undo_token
from quintet.apps.wigg.model import (
    ActionId,
    ChangedWigg,
    NewWigg,
    OptimisticIdReused,
    PlacedBatch,
    PlacedWigg,
    ShownWigg,
    TooClose,
    UndoToken,
    Wigg,
    WiggBatch,
    WiggChange,
    WiggChanged,
    WiggId,
    WiggMoved,
    WiggPlaced,
    WiggRemoved,
)
from quintet.apps.wigg.placing import Step, check_client_time, place, said
from quintet.apps.wigg.queries import KnownPlacing, Own, Writing
from quintet.apps.wigg.rules import MERGE_WITHIN, NO_CHANGE, curve_change, pct_of, position_of
from quintet.domains.catalogue import WorkId, title_room
from quintet.kernel import json
from quintet.kernel.actor import Actor
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.secrets import Secrets


async def place_wigg(tx: Tx, actor: Actor, secrets: Secrets, title_id: str, mark: NewWigg) -> PlacedWigg:
    """Mark where a title gets good; a mark within 1 % of one's own is merged into it."""
    placed = await _place_all(tx, actor, secrets, title_id, [mark], batch_id=None)
    return placed[0]


async def place_batch(tx: Tx, actor: Actor, secrets: Secrets, title_id: str, batch: WiggBatch) -> PlacedBatch:
    """Place many marks, all or none."""
    batch_id = ActionId(new_id())
    marks = [
        msgspec.structs.replace(mark, session_id=mark.session_id or batch.session_id) for mark in batch.wiggs
    ]
    items = await _place_all(
        tx, actor, secrets, title_id, marks, batch_id=batch_id, session_id=batch.session_id
    )
    if all(item.outcome == "known" for item in items):
        batch_id = await _batch_again(tx, actor, secrets, title_id, marks, batch_id)
    return PlacedBatch(items, undo_token(secrets, batch_id))


async def _batch_again(
    tx: Tx, actor: Actor, secrets: Secrets, title_id: str, marks: list[NewWigg], batch_id: ActionId
) -> ActionId:
    """The batch that placed these marks already, whose token is told again; else a new, empty one."""
    known = [mark.optimistic_id for mark in marks if mark.optimistic_id is not None]
    batches = await queries.batches_of(tx, actor.id, known)
    if len(batches) == 1 and batches[0] is not None:
        return batches[0]
    record = new_action(secrets, batch_id, "place_batch", Record())
    await queries.write(tx, actor.id, access.title_id_of(title_id), Writing([], [], [record], 0, NO_CHANGE))
    return batch_id


async def change_wigg(
    tx: Tx, actor: Actor, secrets: Secrets, title_id: str, wigg_id: UUID, change: WiggChange
) -> ChangedWigg:
    """Change one's own mark; raises TooClose to another of one's own."""
    wigg, own = await access.wigg_to_change(tx, actor, title_id, wigg_id, change.session_id)
    action_id = ActionId(new_id())
    changed = msgspec.structs.replace(
        wigg,
        position=wigg.position if change.position_pct is UNSET else position_of(change.position_pct),
        note=wigg.note if change.note is UNSET else change.note,
        rating=wigg.rating if change.rating is UNSET else change.rating,
        action_id=action_id,
        marked_at=tx.now,
        updated_at=tx.now,
    )
    if changed.position != wigg.position:
        for other in own.wiggs:
            if other.id != wigg.id and abs(other.position - changed.position) < MERGE_WITHIN:
                raise TooClose(members={"wigg_id": other.id, "position_pct": pct_of(other.position)})
    step = Step(action_id, wigg, changed, change.session_id)
    await _write(tx, actor, secrets, own, [step], "change_wigg", batch_id=None)
    fields = msgspec.structs.asdict(shown(changed))
    return ChangedWigg(**fields, undo_token=undo_token(secrets, action_id))


async def remove_wigg(
    tx: Tx, actor: Actor, secrets: Secrets, title_id: str, wigg_id: UUID, session_id: UUID | None
) -> UndoToken:
    """Remove one's own mark."""
    wigg, own = await access.wigg_to_change(tx, actor, title_id, wigg_id, session_id)
    step = Step(ActionId(new_id()), wigg, None, session_id)
    await _write(tx, actor, secrets, own, [step], "remove_wigg", batch_id=None)
    absent = [Absent(wigg.id, step.action_id)]
    await editing_queries.remember_removers(tx, actor.id, own.title_id, absent)
    return UndoToken(undo_token(secrets, step.action_id))


def shown(wigg: Wigg) -> ShownWigg:
    """A mark as its author sees it."""
    pct = pct_of(wigg.position)
    return ShownWigg(wigg.id, pct, pct, wigg.note, wigg.rating, wigg.created_at, wigg.updated_at)


async def _place_all(
    tx: Tx,
    actor: Actor,
    secrets: Secrets,
    title_id: str,
    marks: list[NewWigg],
    *,
    batch_id: ActionId | None,
    session_id: UUID | None = None,
) -> list[PlacedWigg]:
    """Place marks one after the other; what an optimistic id has become already is only told again."""
    for index, mark in enumerate(marks):
        check_client_time(
            mark.created_at, tx.now, "/created_at" if batch_id is None else f"/wiggs/{index}/created_at"
        )
    sessions = {session_id, *(mark.session_id for mark in marks)}
    before = await access.own_to_change(tx, actor, title_id, sessions)
    asked = [mark.optimistic_id for mark in marks if mark.optimistic_id is not None]
    known = (
        {one.optimistic_id: one for one in await queries.known_placings(tx, actor.id, asked)} if asked else {}
    )
    own = {wigg.id: wigg for wigg in before.wiggs}
    steps: list[Step] = []
    placed: list[PlacedWigg] = []
    for mark in marks:
        again = known.get(mark.optimistic_id) if mark.optimistic_id else None
        if again is not None:
            placed.append(_told_again(secrets, again, before.title_id, mark))
            continue
        access.check_session(before, mark.session_id, tx.now)
        step = place(own.values(), mark, ActionId(new_id()), WiggId(new_id()), tx.now)
        if step.after is None:
            raise AssertionError("a placing leaves a mark")
        own[step.after.id] = step.after
        steps.append(step)
        answer = _placed(secrets, step, step.after)
        placed.append(answer)
        if mark.optimistic_id is not None:
            told = {k: v for k, v in msgspec.to_builtins(answer, enc_hook=str).items() if k != "undo_token"}
            row = KnownPlacing(mark.optimistic_id, before.title_id, _fingerprint(mark), step.action_id, told)
            known[mark.optimistic_id] = row
            await queries.remember_placing(tx, actor.id, row)
    if steps:
        access.check_session(before, session_id, tx.now)
        await _write(
            tx, actor, secrets, before, steps, "place_wigg", batch_id=batch_id, session_id=session_id
        )
    return placed


async def _write(
    tx: Tx,
    actor: Actor,
    secrets: Secrets,
    before: Own,
    steps: list[Step],
    action_type: str,
    *,
    batch_id: ActionId | None,
    session_id: UUID | None = None,
) -> None:
    """Write marks, actions, events and the curve for steps taken from `before`."""
    title_id = before.title_id
    own = {wigg.id: wigg for wigg in before.wiggs}
    marks: dict[WiggId, Wigg] = {}
    gone: list[WiggId] = []
    for step in steps:
        if step.after is not None:
            own[step.after.id] = marks[step.after.id] = step.after
        elif step.before is not None:
            del own[step.before.id]
            gone.append(step.before.id)
        _emit(tx, actor, title_id, step)
    records = [_action(secrets, step, action_type, batch_id) for step in steps]
    if batch_id is not None:
        records.insert(0, new_action(secrets, batch_id, "place_batch", Record(), session_id=session_id))
    change = curve_change(said(before.wiggs, before.painting), said(own.values(), before.painting))
    added = len(own) - len(before.wiggs)
    writing = Writing(list(marks.values()), gone, records, added, change)
    await editing.count_actions(tx, actor, before, (record.session_id for record in records))
    await queries.write(tx, actor.id, title_id, writing)


def _action(secrets: Secrets, step: Step, action_type: str, batch_id: ActionId | None) -> NewAction:
    before = step.before or (never(step.after.id) if step.after else None)
    after = step.after or (Absent(step.before.id, step.action_id) if step.before else None)
    record = Record([MarkChange(before, after)] if before and after else [])
    return new_action(
        secrets, step.action_id, action_type, record, session_id=step.session_id, batch_id=batch_id
    )


def _emit(tx: Tx, actor: Actor, title_id: WorkId, step: Step) -> None:
    """Tell the title's room, so that old state + events = new state. Notes are never told."""
    room, before, after = title_room(title_id), step.before, step.after
    cause = None if step.optimistic_id is None else str(step.optimistic_id)
    if after is None:
        if before is not None:
            pct = pct_of(before.position)
            tx.emit(
                room, WiggRemoved(user_id=actor.id, title_id=title_id, wigg_id=before.id, position_pct=pct)
            )
        return
    kind = None
    if before is None:
        kind = WiggPlaced
    elif before.position != after.position:
        kind = WiggMoved
    elif before.rating != after.rating:
        kind = WiggChanged
    if kind is not None:
        pct = pct_of(after.position)
        event = kind(
            user_id=actor.id, title_id=title_id, wigg_id=after.id, position_pct=pct, rating=after.rating
        )
        tx.emit(room, event, cause=cause)


def _placed(secrets: Secrets, step: Step, wigg: Wigg) -> PlacedWigg:
    return PlacedWigg(
        id=wigg.id,
        position_pct=pct_of(wigg.position),
        note=wigg.note,
        rating=wigg.rating,
        created_at=wigg.created_at,
        undo_token=undo_token(secrets, step.action_id),
        outcome="created" if step.before is None else "merged",
        merged=step.before is not None,
    )


def _told_again(secrets: Secrets, known: KnownPlacing, title_id: WorkId, mark: NewWigg) -> PlacedWigg:
    if known.title_id != title_id or known.fingerprint != _fingerprint(mark):
        raise OptimisticIdReused
    token = undo_token(secrets, known.action_id)
    first = msgspec.convert({**known.answer, "undo_token": token, "outcome": "known"}, PlacedWigg)
    return msgspec.structs.replace(first, created_at=Instant.at(first.created_at))


def _fingerprint(mark: NewWigg) -> bytes:
    """What must be the same when an optimistic id comes again; the edit session may be another by then."""
    said = [position_of(mark.position_pct), mark.note, mark.rating, mark.created_at]
    return hashlib.sha256(json.encode(said)).digest()
