"""Where a capture is, and when it will be somewhere else. Pure.

Invariant: between two changes a position is a function of the time alone, so nothing ever ticks.
"""

import math
from datetime import timedelta
from typing import Final

import msgspec

from quintet.apps.wigg.capture.model import Capture
from quintet.kernel.clock import Instant

WHOLE: Final = 100_000_000
# A report this much ahead of where a capture should be is a jump; anything less is a player's imprecision.
JUMP_SECONDS: Final = 15
_FARTHEST_SECONDS: Final = 10 * 365 * 86_400  # what would happen later than in ten years is not planned


class Move(msgspec.Struct, frozen=True):
    """A change of a capture; everything from the anchor before it to `played_to` was played through."""

    before: Capture
    after: Capture
    played_to: int


def is_moving(capture: Capture) -> bool:
    """Whether time alone moves it."""
    return (
        capture.mode != "manual"
        and capture.paused_at is None
        and capture.stopped_at is None
        and capture.length_seconds is not None
    )


def position_at(capture: Capture, now: Instant) -> int:
    """The position in millionths of a percent at `now`, half up; never behind the anchor, never past the end.

    A clock of another node may be a little behind the one that set the anchor: then it stands there.
    """
    if capture.length_seconds is None or not is_moving(capture):
        return capture.anchor_position
    elapsed = max(0.0, (now - capture.anchor_at).total_seconds())
    moved = min(WHOLE, WHOLE * capture.speed * elapsed / capture.length_seconds)
    return min(WHOLE, capture.anchor_position + math.floor(moved + 0.5))


def passes_at(capture: Capture, position: int) -> Instant | None:
    """When it will have come to `position`, to the millisecond after; None if that takes ten years."""
    if capture.length_seconds is None or not is_moving(capture):
        return None
    seconds = (position - capture.anchor_position) / WHOLE * capture.length_seconds / capture.speed
    if seconds > _FARTHEST_SECONDS:
        return None
    return Instant.at(capture.anchor_at + timedelta(milliseconds=math.ceil(max(0.0, seconds) * 1000)))


def anchored(capture: Capture, position: int, at: Instant) -> Capture:
    """The same capture, standing at `position` at the time `at`."""
    return msgspec.structs.replace(capture, anchor_position=position, anchor_at=at)


def settled(capture: Capture, now: Instant) -> Move:
    """Nothing but time has passed."""
    position = position_at(capture, now)
    return Move(capture, anchored(capture, position, now), position)


def sought(capture: Capture, position: int, now: Instant) -> Move:
    """Its owner says where it is.

    A manual capture moves in no other way, so what lies between was gone through; any other has jumped.
    """
    played_to = position if capture.mode == "manual" else position_at(capture, now)
    after = msgspec.structs.replace(anchored(capture, position, now), updated_at=now)
    return Move(capture, after, played_to)


def paused(capture: Capture, now: Instant) -> Move:
    """It stands still from now on."""
    move = settled(capture, now)
    return msgspec.structs.replace(
        move, after=msgspec.structs.replace(move.after, paused_at=now, updated_at=now)
    )


def resumed(capture: Capture, now: Instant) -> Move:
    """It goes on from where it stands."""
    after = anchored(capture, capture.anchor_position, now)
    after = msgspec.structs.replace(after, paused_at=None, updated_at=now)
    return Move(capture, after, capture.anchor_position)


def stopped(capture: Capture, now: Instant) -> Move:
    """It is over, and keeps its last position."""
    move = settled(capture, now)
    return msgspec.structs.replace(
        move, after=msgspec.structs.replace(move.after, paused_at=None, stopped_at=now, updated_at=now)
    )


def played_through(capture: Capture, reported: int, at: Instant) -> int:
    """How far a capture was played through when a player reports a position, short of a jump."""
    expected = position_at(capture, at)
    if reported <= expected:
        return max(capture.anchor_position, reported)
    if capture.length_seconds is None:
        return reported
    slack = WHOLE * JUMP_SECONDS / capture.length_seconds * max(1.0, capture.speed)
    return reported if reported - expected <= slack else expected
