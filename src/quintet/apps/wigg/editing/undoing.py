"""The verbs of undo: undo, redo, undo a session, and what there is to undo.

Invariant: whoever reverses holds the user's own lock on the title, so tokens are spent one after the other,
and what stands is compared with what was done while nobody else of that user writes.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.wigg import access, queries
from quintet.apps.wigg.editing import queries as editing_queries
from quintet.apps.wigg.editing.model import (
    Absent,
    ActionRedone,
    ActionUndone,
    Direction,
    EditSession,
    Redone,
    RestoredPart,
    RestoredWigg,
    SessionEnded,
    SessionNotFound,
    SkippedPart,
    SkippedWigg,
    TokenExpired,
    TokenNotFound,
    TokenUsed,
    Undone,
    UndoOutcome,
)
from quintet.apps.wigg.editing.painting import rows_between
from quintet.apps.wigg.editing.queries import KeptAction, PaintWriting
from quintet.apps.wigg.editing.records import Record, action_of_token, is_token, new_action, undo_token
from quintet.apps.wigg.editing.reversal import Reversal
from quintet.apps.wigg.editing.telling import seen, shown_states, skipped, told_parts, told_wiggs
from quintet.apps.wigg.model import ActionId, Wigg
from quintet.apps.wigg.placing import said
from quintet.apps.wigg.queries import Own, Writing
from quintet.apps.wigg.rules import NO_CHANGE, curve_change
from quintet.domains.catalogue import title_room
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.secrets import Secrets

SESSION_UNDONE_WITHIN: Final = timedelta(hours=24)
_SESSION_PAGE: Final = 200
_UUID_LENGTH: Final = 36


class Told(msgspec.Struct, frozen=True):
    """A reversal: its own id, and what it is about, as callers are told."""

    direction: Direction
    id: ActionId
    subject_id: ActionId
    action_type: str


async def undo(tx: Tx, actor: Actor, secrets: Secrets, token: str, undo_seconds: int) -> Undone:
    """Take an action back, by its token or its id, wherever what it made still stands."""
    kept, own = await _to_reverse(tx, actor, token, {"do", "redo"}, undo_seconds)
    reversal = Reversal(own.wiggs, own.painting)
    actions = [kept]
    if kept.action_type == "place_batch" and kept.direction == "do":
        actions = await editing_queries.standing_in_batch(tx, actor.id, kept.id)
    done = await _take_back(tx, actor, own, reversal, actions)
    targets = [one.id for one in done]
    if done and actions != [kept]:
        targets.append(kept.id)
    elif done and kept.direction == "redo":
        targets = kept.targets or []
    told = Told("undo", ActionId(new_id()), kept.subject_id or kept.id, kept.action_type)
    await editing_queries.spend(tx, [kept.id])
    version, redo_token = await _write(tx, actor, secrets, own, reversal, told, targets)
    return Undone(told.subject_id, told.action_type, *_outcome(reversal), version, redo_token)


async def redo(tx: Tx, actor: Actor, secrets: Secrets, token: str, undo_seconds: int) -> Redone:
    """Return to the state just before an undo, wherever what the undo made still stands."""
    kept, own = await _to_reverse(tx, actor, token, {"undo"}, undo_seconds)
    reversal = Reversal(own.wiggs, own.painting)
    done = await _take_back(tx, actor, own, reversal, [kept])
    targets = (kept.targets or []) if done else []
    told = Told("redo", ActionId(new_id()), kept.subject_id or kept.id, kept.action_type)
    await editing_queries.spend(tx, [kept.id])
    version, new_token = await _write(tx, actor, secrets, own, reversal, told, targets)
    return Redone(told.subject_id, told.action_type, *_outcome(reversal), version, new_token)


async def undo_session(tx: Tx, actor: Actor, secrets: Secrets, title_id: str, session_id: UUID) -> Undone:
    """Take back every action of a session that still stands, newest first, at once."""
    own = await access.own_to_change(tx, actor, title_id, [session_id])
    _check_not_long_ended(tx, own.sessions)
    reversal = Reversal(own.wiggs, own.painting)
    targets: list[ActionId] = []
    batches: set[ActionId | None] = set()
    below = 2**63 - 1
    # A page at a time: a session may hold thousands, and others want to be served meanwhile.
    while page := await editing_queries.standing_in_session(tx, actor.id, session_id, below, _SESSION_PAGE):
        done = await _take_back(tx, actor, own, reversal, page)
        batches |= {one.batch_id for one in done}  # a batch's own row is older than its placings
        targets += [one.id for one in done] + [one.id for one in page if one.id in batches]
        below = page[-1].number
    undo_id = ActionId(new_id())
    told = Told("undo", undo_id, undo_id, "session")
    version, redo_token = await _write(tx, actor, secrets, own, reversal, told, targets)
    return Undone(told.subject_id, told.action_type, *_outcome(reversal), version, redo_token)


async def _to_reverse(
    tx: Tx, actor: Actor, token: str, directions: set[Direction], undo_seconds: int
) -> tuple[KeptAction, Own]:
    """What a token (or an action's id, for an undo) stands for, fit to be reversed, and all it stands among.

    The lock comes between two looks: what the first tells never changes, what the second tells may have.
    """
    by_id = _action_id(token) if "do" in directions else None
    action_id = by_id or action_of_token(token)
    kept = await editing_queries.action_to_reverse(tx, actor.id, action_id) if action_id else None
    if kept is None or kept.direction not in directions:
        raise TokenNotFound
    if by_id is None and not is_token(token, kept.token_hash):
        raise TokenNotFound
    if by_id is not None and kept.direction != "do":
        raise TokenNotFound
    own = await access.own_to_change(tx, actor, kept.title_id)
    now = await editing_queries.newest_redo(tx, actor.id, kept.id) if by_id else None
    now = now or await editing_queries.action_to_reverse(tx, actor.id, kept.id)
    if now is None:
        raise TokenNotFound
    if now.spent_at is not None:
        raise TokenUsed
    if tx.now >= now.created_at + timedelta(seconds=undo_seconds):
        raise TokenExpired
    return now, own


def _action_id(text: str) -> ActionId | None:
    try:
        return ActionId(UUID(text)) if len(text) == _UUID_LENGTH else None
    except ValueError:
        return None


def _check_not_long_ended(tx: Tx, sessions: list[EditSession]) -> None:
    if not sessions:
        raise SessionNotFound
    ended_at = access.ended_at(sessions[0], tx.now)
    if ended_at is not None and tx.now >= ended_at + SESSION_UNDONE_WITHIN:
        raise SessionEnded("it can be undone within 24 hours of its end")


async def _take_back(
    tx: Tx, actor: Actor, own: Own, reversal: Reversal, actions: Iterable[KeptAction]
) -> list[KeptAction]:
    """Take actions back in their order; those of which anything was."""
    # A batch's own row changes nothing: its placings do.
    single = [
        (one, one.record) for one in actions if one.direction != "do" or one.action_type != "place_batch"
    ]
    if unknown := reversal.unknown(record for _, record in single):
        reversal.learn(await editing_queries.removers(tx, actor.id, own.title_id, unknown))
    return [one for one, record in single if reversal.take_back(record)]


async def _write(
    tx: Tx,
    actor: Actor,
    secrets: Secrets,
    own: Own,
    reversal: Reversal,
    told: Told,
    targets: list[ActionId],
) -> tuple[int, str | None]:
    """Write what a reversal has changed, and the reversal itself; the version, and what turns it."""
    if not targets:
        return await editing_queries.version(tx, own.title_id), None
    net = reversal.net()
    painting = reversal.painting(net)
    marks = [change.after for change in net.marks if isinstance(change.after, Wigg)]
    absent = [change.after for change in net.marks if isinstance(change.after, Absent)]
    if net.marks:
        gone = [one.id for one in absent]
        await queries.write(tx, actor.id, own.title_id, Writing(marks, gone, [], 0, NO_CHANGE))
        back = [Absent(one.id, None) for one in marks]
        await editing_queries.remember_removers(tx, actor.id, own.title_id, absent + back)
    await editing_queries.note_undone(tx, targets, tx.now if told.direction == "undo" else None)
    wiggs = {wigg.id: wigg for wigg in own.wiggs}
    for one in absent:
        wiggs.pop(one.id, None)
    wiggs |= {one.id: one for one in marks}
    action = new_action(
        secrets,
        told.id,
        told.action_type,
        net,
        direction=told.direction,
        subject_id=told.subject_id,
        targets=targets,
    )
    change = curve_change(said(own.wiggs, own.painting), said(wiggs.values(), painting))
    removed, pieces = rows_between(own.painting, painting)
    writing = PaintWriting(removed, pieces, action, len(wiggs) - len(own.wiggs), change)
    version = await editing_queries.write_painting(tx, actor.id, own.title_id, writing)
    _tell(tx, actor, own, told, net, version)
    return version, undo_token(secrets, action.id)


def _tell(tx: Tx, actor: Actor, own: Own, told: Told, net: Record, version: int) -> None:
    kind = ActionUndone if told.direction == "undo" else ActionRedone
    event = kind(
        user_id=actor.id,
        title_id=own.title_id,
        action_id=told.subject_id,
        action_type=told.action_type,
        wiggs=told_wiggs(change.after for change in seen(net).marks),
        painted=told_parts(change.after for change in net.painting),
        version=version,
    )
    tx.emit(title_room(own.title_id), event)


def _outcome(
    reversal: Reversal,
) -> tuple[UndoOutcome, list[RestoredWigg | RestoredPart], list[SkippedWigg | SkippedPart]]:
    net = seen(reversal.net())
    restored = shown_states([c.after for c in net.marks], [c.after for c in net.painting])
    return reversal.outcome, restored, skipped(reversal)
