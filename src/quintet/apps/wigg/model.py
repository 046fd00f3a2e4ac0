"""The words of WIGG: marks, scores, segments, curves, and what can be refused.

A position is an integer of millionths of a percent, 0..100,000,000; a score or a voice is an integer of
millionths, 0..4,000,000. Only the edge speaks in percent and decimals.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from quintet.domains.catalogue import Kind, WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound, Unprocessable

WiggId = NewType("WiggId", UUID)
ActionId = NewType("ActionId", UUID)
Outcome = Literal["created", "merged", "known"]
Confidence = Literal["low", "medium", "high"]
Basis = Literal["community", "genre", "kind", "all", "none"]

Pct = Annotated[float, Meta(ge=0, le=100)]
Note = Annotated[str, Meta(max_length=2000)]
Moment = Annotated[datetime, Meta(tz=True)]
Rating = Annotated[int, Meta(ge=0, le=3)]


class Wigg(msgspec.Struct, frozen=True):
    """A mark as stored."""

    id: WiggId
    position: int
    rating: int | None
    note: str | None
    session_id: UUID | None
    action_id: ActionId
    marked_at: Instant
    client_created_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Piece(msgspec.Struct, frozen=True):
    """A piece of a painting: `score` from `starts` up to `ends`."""

    starts: int
    ends: int
    score: int


class NewWigg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mark to be placed."""

    position_pct: Pct
    note: Note | None = None
    rating: Rating | None = None
    session_id: UUID | None = None
    optimistic_id: UUID | None = None
    created_at: Moment | None = None


class WiggBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Marks to be placed together; how offline clients replay."""

    wiggs: Annotated[list[NewWigg], Meta(min_length=1, max_length=100)]
    session_id: UUID | None = None


class WiggChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of a mark; what is left out stays, null empties."""

    position_pct: Pct | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET
    rating: Rating | UnsetType | None = UNSET
    session_id: UUID | None = None


class PlacedWigg(msgspec.Struct, frozen=True):
    """The answer to a placing."""

    id: WiggId
    position_pct: float
    note: str | None
    rating: int | None
    created_at: datetime
    undo_token: str
    outcome: Outcome
    merged: bool


class PlacedBatch(msgspec.Struct, frozen=True):
    """The answer to a batch: each placing in order, and one token that undoes them all."""

    items: list[PlacedWigg]
    undo_token: str


class ShownWigg(msgspec.Struct, frozen=True):
    """A mark as its author sees it; `pct` is the name an older hook reads."""

    id: WiggId
    pct: float
    position_pct: float
    note: str | None
    rating: int | None
    created_at: datetime
    updated_at: datetime


class ChangedWigg(ShownWigg, frozen=True):
    """The answer to a change."""

    undo_token: str


class UndoToken(msgspec.Struct, frozen=True):
    """What takes an action back."""

    undo_token: str


class OwnWiggs(msgspec.Struct, frozen=True):
    """The caller's own marks of a title, complete."""

    entries: list[ShownWigg]
    t2g_estimate_pct: float | None
    next_cursor: str | None = None


class Segment(msgspec.Struct, frozen=True):
    """One of N equal parts of a title."""

    index: int
    start_pct: float
    end_pct: float
    mean_score: float | None
    user_score: float | None
    sample_size: int


class Progress(msgspec.Struct, frozen=True):
    """The pacing curve of a title."""

    title_id: WorkId
    total_length_seconds: float | None
    version: int
    segments: list[Segment]
    total_length_percent: int = 100


class PctInterval(msgspec.Struct, frozen=True):
    """From where to where the time to good lies, with four chances in five."""

    start_pct: float
    end_pct: float


class T2g(msgspec.Struct, frozen=True):
    """How long until it gets good."""

    title_id: WorkId
    t2g_estimate_pct: float | None
    t2g_estimate_seconds: float | None
    own_estimate_pct: float | None
    threshold: float
    steady_from_pct: float | None
    confidence: Confidence
    sample_size: int
    segment_sample_size: int
    basis: Basis
    interval: PctInterval | None
    revision: int
    updated_at: datetime


class T2gThen(msgspec.Struct, frozen=True):
    """What the time to good was."""

    t2g_estimate_pct: float | None
    confidence: Confidence
    sample_size: int
    basis: Basis
    at: datetime


class Headline(msgspec.Struct, frozen=True):
    """The time to good in short."""

    t2g_estimate_pct: float | None
    t2g_estimate_seconds: float | None
    confidence: Confidence
    sample_size: int
    basis: Basis


class TitleStats(msgspec.Struct, frozen=True):
    """How much was said of a title."""

    wiggs_count: int
    users_count: int


class Title(msgspec.Struct, frozen=True):
    """A work as WIGG shows it."""

    id: WorkId
    title: str
    kind: Kind
    total_length_seconds: float | None
    year: int | None
    genres: list[str]
    attributes: dict[str, Any]
    created_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    t2g: Headline | None = None
    stats: TitleStats | None = None


class Cell(msgspec.Struct, frozen=True):
    """A piece of the caller's own painting."""

    start_pct: float
    end_pct: float
    score: float
    version: int
    painted_at: datetime
    session_id: UUID | None


class WiggNotFound(NotFound):
    """You have no such mark on this title."""

    code = "not_found"


class TooClose(Conflict):
    """Another of your marks is less than 1 % away."""


class OptimisticIdReused(Unprocessable):
    """This optimistic_id was used for another mark."""


class WiggPlaced(Event, frozen=True):
    """A mark was placed."""

    user_id: UserId
    title_id: WorkId
    wigg_id: WiggId
    position_pct: float
    rating: int | None


class WiggMoved(Event, frozen=True):
    """A mark changed its position; it may have changed its rating, too."""

    user_id: UserId
    title_id: WorkId
    wigg_id: WiggId
    position_pct: float
    rating: int | None


class WiggChanged(Event, frozen=True):
    """A mark changed its rating and stays where it was."""

    user_id: UserId
    title_id: WorkId
    wigg_id: WiggId
    position_pct: float
    rating: int | None


class WiggRemoved(Event, frozen=True):
    """A mark was removed."""

    user_id: UserId
    title_id: WorkId
    wigg_id: WiggId
    position_pct: float


class CurveRebuilt(Event, frozen=True):
    """An operator had the curve computed anew, and it had drifted."""

    title_id: WorkId


class T2gUpdated(T2g, Event, frozen=True, tag_field="type", tag="t2g_updated"):
    """The time to good changed; all of it."""


class EstimatesChanged(Event, frozen=True):
    """A community estimate changed somewhere, so fallbacks may have; for the server's own nodes."""
