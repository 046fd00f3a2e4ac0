"""The words of Edit Graph Mode: painting, edit sessions, undo and redo, and what can be refused.

What was at a place is always a state with an identity, the id of the action that made it; a state without one
is nobody's: unpainted, or a mark that never was.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from quintet.apps.wigg.model import ActionId, Piece, Wigg, WiggId
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, Forbidden, Gone, NotFound

Score = Annotated[float, Meta(ge=0, le=4)]
Weight = Annotated[float, Meta(gt=0, le=1)]
Version = Annotated[int, Meta(ge=0, le=2**63 - 1)]
SegmentIndex = Annotated[int, Meta(ge=0, le=39)]
Direction = Literal["do", "undo", "redo"]
UndoOutcome = Literal["restored", "partly_restored", "superseded"]
SkipReason = Literal["newer", "full"]


class Painted(Piece, frozen=True):
    """A piece of a painting as stored; version 0 stands for that of the write under way."""

    version: int
    action_id: ActionId
    painted_at: Instant
    session_id: UUID | None = None


class Gap(msgspec.Struct, frozen=True):
    """Where nothing is painted."""

    starts: int
    ends: int
    action_id: None = None


Stretch = Painted | Gap


class Absent(msgspec.Struct, frozen=True):
    """A mark that is not there: removed by an action, or by none, since it never was."""

    id: WiggId
    action_id: ActionId | None


WiggState = Wigg | Absent


class EditSession(msgspec.Struct, frozen=True):
    """A stay in Edit Graph Mode."""

    id: UUID
    title_id: WorkId
    started_at: Instant
    expires_at: Instant
    ended_at: Instant | None
    actions_count: int


class OpenSession(msgspec.Struct, frozen=True):
    """A session that takes writes, and how long it does without one."""

    id: UUID
    expires_at: datetime


class NewScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a segment is to be painted with."""

    score: Score
    paint_session_id: UUID | None = None
    base_version: Version | None = None
    user_id: UUID | None = None


class Operation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finger passing over a segment: it moves what is there towards `score` by `weight`."""

    segment_index: SegmentIndex
    score: Score
    weight: Weight


class Stroke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Operations to be applied in order, all or none."""

    operations: Annotated[list[Operation], Meta(min_length=1, max_length=100)]
    session_id: UUID | None = None
    base_version: Version | None = None


class PaintedCell(msgspec.Struct, frozen=True):
    """A segment as a write has left it."""

    segment_index: int
    new_score: float
    previous_score: float | None
    version: int


class PaintedSegment(PaintedCell, frozen=True):
    """The answer to painting one segment."""

    undo_token: str


class PaintedStroke(msgspec.Struct, frozen=True):
    """The answer to a stroke: the segments it has touched, and one token that undoes it."""

    cells: list[PaintedCell]
    version: int
    undo_token: str


class StaleCell(msgspec.Struct, frozen=True):
    """A segment that was painted meanwhile, as it is."""

    segment_index: int
    start_pct: float
    end_pct: float
    score: float
    version: int
    painted_at: Instant
    session_id: UUID | None


class ToldWigg(msgspec.Struct, frozen=True):
    """A mark as an undo has left it; `position_pct` and `rating` are null where it is removed."""

    wigg_id: WiggId
    position_pct: float | None
    rating: int | None
    removed: bool


class ToldPart(msgspec.Struct, frozen=True):
    """A part of a painting as an undo has left it; `score` is null where nothing is painted."""

    start_pct: float
    end_pct: float
    score: float | None


class RestoredWigg(ToldWigg, frozen=True, tag_field="kind", tag="wigg"):
    """A mark that an undo has put back or taken away."""


class RestoredPart(ToldPart, frozen=True, tag_field="kind", tag="painting"):
    """A part of a painting that an undo has put back."""


class SkippedWigg(msgspec.Struct, frozen=True, tag_field="kind", tag="wigg"):
    """A mark that an undo has left alone: something newer was done to it, or there are too many marks."""

    wigg_id: WiggId
    reason: SkipReason


class SkippedPart(msgspec.Struct, frozen=True, tag_field="kind", tag="painting"):
    """A part of a painting that an undo has left alone: something newer is there."""

    start_pct: float
    end_pct: float
    reason: SkipReason


class Undone(msgspec.Struct, frozen=True):
    """The answer to an undo. Of a whole session `action_id` is the undo's own, and the type is `session`."""

    action_id: UUID
    action_type: str
    outcome: UndoOutcome
    restored: list[RestoredWigg | RestoredPart]
    skipped: list[SkippedWigg | SkippedPart]
    version: int
    redo_token: str | None


class Redone(msgspec.Struct, frozen=True):
    """The answer to a redo."""

    action_id: UUID
    action_type: str
    outcome: UndoOutcome
    restored: list[RestoredWigg | RestoredPart]
    skipped: list[SkippedWigg | SkippedPart]
    version: int
    undo_token: str | None


class ShownAction(msgspec.Struct, frozen=True):
    """Something the caller did: `before` and `after` say what was there and what came, part by part."""

    action_id: UUID
    action_type: str
    session_id: UUID | None
    batch_id: UUID | None
    created_at: datetime
    undone_at: datetime | None
    undoable: bool
    before: list[RestoredWigg | RestoredPart]
    after: list[RestoredWigg | RestoredPart]


class ShownSession(msgspec.Struct, frozen=True):
    """An edit session with its newest actions, at most 100; the others are in the title's list of actions."""

    id: UUID
    title_id: WorkId
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    actions_count: int
    actions: list[ShownAction]


class SessionNotFound(NotFound):
    """You have no such edit session on this title."""

    code = "not_found"


class SessionEnded(Conflict):
    """The edit session has ended: start another."""


class StaleSegment(Conflict):
    """You have painted this segment meanwhile; see `cell`."""


class NotYourPainting(Forbidden):
    """Everybody paints for themselves."""

    code = "forbidden"


class TokenNotFound(NotFound):
    """You have no such action or token."""

    code = "not_found"


class TokenUsed(Gone):
    """The token was used already."""


class TokenExpired(Gone):
    """The token has run out."""


class EditModeEntered(Event, frozen=True):
    """Somebody has started an edit session."""

    user_id: UserId
    title_id: WorkId
    session_id: UUID
    timestamp: Instant


class EditModeLeft(Event, frozen=True):
    """An edit session has ended."""

    user_id: UserId
    title_id: WorkId
    session_id: UUID
    timestamp: Instant


class SegmentPainted(Event, frozen=True):
    """Somebody has painted one of `segments` segments."""

    user_id: UserId
    title_id: WorkId
    segment_index: int
    new_score: float
    segments: int
    version: int


class ToldCell(msgspec.Struct, frozen=True):
    """A segment as a stroke has left it."""

    segment_index: int
    new_score: float


class SegmentsPainted(Event, frozen=True):
    """Somebody has painted several of `segments` segments with one stroke."""

    user_id: UserId
    title_id: WorkId
    segments: int
    version: int
    cells: list[ToldCell]


class ActionUndone(Event, frozen=True):
    """Somebody has undone something: what is in `wiggs` and `painted` is so now, all else is as before."""

    user_id: UserId
    title_id: WorkId
    action_id: UUID
    action_type: str
    wiggs: list[ToldWigg]
    painted: list[ToldPart]
    version: int


class ActionRedone(Event, frozen=True):
    """Somebody has redone what was undone; told as an undo is."""

    user_id: UserId
    title_id: WorkId
    action_id: UUID
    action_type: str
    wiggs: list[ToldWigg]
    painted: list[ToldPart]
    version: int
