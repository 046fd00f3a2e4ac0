"""The words of live capture: captures, what is asked of them, what they tell, and what can be refused.

As everywhere in WIGG, a position is an integer of millionths of a percent; only the edge speaks in percent.
"""

from datetime import datetime
from typing import Annotated, Literal, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

from quintet.apps.wigg.model import Moment, Note, Pct, Rating
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound

CaptureId = NewType("CaptureId", UUID)
Mode = Literal["manual", "timed", "player"]
Speed = Annotated[float, Meta(gt=0, le=16)]


class Capture(msgspec.Struct, frozen=True):
    """A capture as stored: at `anchor_at` it stood at `anchor_position`."""

    id: CaptureId
    user_id: UserId
    title_id: WorkId
    mode: Mode
    speed: float
    length_seconds: float | None
    anchor_position: int
    anchor_at: Instant
    paused_at: Instant | None
    started_at: Instant
    updated_at: Instant
    stopped_at: Instant | None


class NewCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A capture to be started."""

    title_id: str
    mode: Mode
    start_pct: Pct = 0.0
    speed: Speed = 1.0


class CapturePosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where somebody is now."""

    current_pct: Pct


class MarkNow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mark to be placed from a capture, named by its title or itself; without `pct` where it stands."""

    title_id: str | None = None
    capture_id: UUID | None = None
    pct: Pct | None = None
    note: Note | None = None
    rating: Rating | None = None
    session_id: UUID | None = None
    optimistic_id: UUID | None = None
    created_at: Moment | None = None


class ShownCapture(msgspec.Struct, frozen=True):
    """A capture as its owner sees it."""

    id: CaptureId
    title_id: WorkId
    mode: Mode
    speed: float
    current_pct: float
    is_active: bool
    is_paused: bool
    started_at: datetime
    updated_at: datetime
    stopped_at: datetime | None


class Captures(msgspec.Struct, frozen=True):
    """One's captures, active ones first; at the top what the newest active one says."""

    current_pct: float | None
    is_active: bool
    is_paused: bool
    items: list[ShownCapture]
    next_cursor: str | None = None


class Reached(msgspec.Struct, frozen=True):
    """A milestone that a capture has passed for the first time."""

    capture_id: CaptureId
    milestone_id: UUID
    label: str
    icon: str
    position: int


class CaptureNotFound(NotFound):
    """You have no such capture."""

    code = "not_found"


class CaptureStopped(Conflict):
    """The capture is stopped: start another one."""


class NoActiveCapture(Conflict):
    """You capture nothing of this title now, so say where the mark belongs."""


class CaptureChanged(Event, frozen=True):
    """A capture started, moved, paused, resumed, changed its speed or stopped."""

    capture_id: CaptureId
    title_id: WorkId
    current_pct: float
    is_active: bool
    is_paused: bool
    mode: Mode
    speed: float


class MilestoneReached(Event, frozen=True):
    """A capture has passed a milestone forwards, for the first time."""

    capture_id: CaptureId
    title_id: WorkId
    milestone_id: UUID
    label: str
    icon: str
    pct: float
