"""What a player's event does to a capture, and which work it speaks of. Pure.

Invariant: what was told earlier never overrides what was told later, in whatever order they arrive.
"""

from collections.abc import Sequence

import msgspec

from quintet.apps.wigg.capture import rules
from quintet.apps.wigg.capture.model import Capture
from quintet.apps.wigg.capture.rules import Move
from quintet.apps.wigg.players.payloads.event import Medium, PlayerEvent
from quintet.domains.catalogue import Work
from quintet.kernel.clock import Instant

_JUMPS = frozenset({"seek", "play"})


def heard(capture: Capture, event: PlayerEvent, at: Instant) -> Move | None:
    """What an event that arrived at `at` does to an active capture; None where it changes nothing.

    It makes the capture follow the player. A jump is not playing: what lies between is not passed.
    """
    if at < capture.updated_at:
        return None
    length = event.duration_seconds or capture.length_seconds
    reported = event.position(capture.length_seconds)
    expected = rules.position_at(capture, at)
    position = expected if reported is None else reported
    played_to = expected
    if reported is not None and event.event not in _JUMPS:
        played_to = rules.played_through(capture, reported, at)
    stands = capture.paused_at is not None
    if event.event == "pause" or event.plays is False:
        stands = True
    elif event.event in {"play", "resume"} or event.plays is True:
        stands = False
    stops = event.event == "stop"
    after = msgspec.structs.replace(
        rules.anchored(capture, position, at),
        mode="player",
        length_seconds=length,
        speed=event.rate if event.event == "rate" and event.rate else capture.speed,
        paused_at=None if stops or not stands else capture.paused_at or at,
        stopped_at=at if stops else None,
        updated_at=at,
    )
    unchanged = msgspec.structs.replace(after, anchor_at=capture.anchor_at, updated_at=capture.updated_at)
    if unchanged == capture and not rules.is_moving(capture):
        return None
    return Move(capture, after, played_to)


def spellings(medium: Medium) -> list[str]:
    """How the catalogue may call a medium. An episode's own name is none: every series has its pilot."""
    if medium.series is None:
        return [medium.title]
    if not medium.numbers:
        return []
    crossed = f"{medium.season}x{medium.episode:02}"
    names = [f"{medium.series} {numbers}" for numbers in (medium.numbers, crossed)]
    titled = [f"{name}{gap}{medium.title}" for name in names for gap in (" ", ": ", " - ", " – ")]  # noqa: RUF001 (titles are written with it)
    return [*names, *titled]


def matching(medium: Medium, works: Sequence[Work]) -> Work | None:
    """The one work of those titled like the medium that it must be; None where it could be several.

    A known year decides. Players tell an episode's year or its series', so there it says nothing.
    """
    year = medium.year if medium.series is None else None
    same = [work for work in works if year is not None and work.year == year]
    open_ones = [work for work in works if year is None or work.year is None]
    found = same or open_ones
    return found[0] if len(found) == 1 else None
