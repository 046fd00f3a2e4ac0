"""The mathematics of curves: positions, segments, voices and how a mark changes them. Pure.

Invariant: everything is integers (positions in millionths of a percent, scores and voices in millionths),
so sums never drift and no rounding moves a mark that stands on a boundary.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Final

import msgspec

from quintet.apps.wigg.model import Piece

WHOLE: Final = 100_000_000
MILLION: Final = 1_000_000
MERGE_WITHIN: Final = 1_000_000  # one percent
GRIDS: Final = (12, 20, 30, 40)
LEAST_SEGMENTS, MOST_SEGMENTS, USUAL_SEGMENTS = 12, 40, 20
LEVELS: Final = 5
# zzz, good, better, peak on the scale 0..4; a mark without a rating says good.
SCORE_OF_RATING: Final = (0, 2, 3, 4)
_OFFSETS: Final = {12: 0, 20: 12, 30: 32, 40: 62}


def millionths_of(number: float) -> int:
    """A number from 0 on as millionths, half up; decimal, so that 12.3456785 rounds up."""
    return int((Decimal(repr(number)) * MILLION).quantize(Decimal(1), ROUND_HALF_UP))


position_of = millionths_of  # a percentage as millionths of a percent


def pct_of(position: int) -> float:
    """Millionths of a percent as a percentage."""
    return position / MILLION


@cache
def boundaries(segments: int) -> tuple[int, ...]:
    """Where the segments start, and 100 % at the end: `segments + 1` positions, k·100/N rounded half up."""
    return tuple((2 * k * WHOLE + segments) // (2 * segments) for k in range(segments + 1))


def segment_of(position: int, segments: int) -> int:
    """The index of the segment a position falls in: the last boundary at or before it, at most N-1."""
    edges = boundaries(segments)
    guess = min(position * segments // WHOLE, segments - 1)
    while guess > 0 and edges[guess] > position:
        guess -= 1
    while guess < segments - 1 and edges[guess + 1] <= position:
        guess += 1
    return guess


def score_of(rating: int | None) -> int:
    """What a mark says, on the scale 0..4."""
    return SCORE_OF_RATING[1 if rating is None else rating]


def rounded_quotient(dividend: int, divisor: int) -> int:
    """Dividend / divisor, rounded half up; both are not negative."""
    return (2 * dividend + divisor) // (2 * divisor)


class Contribution(msgspec.Struct, frozen=True):
    """All that one user says of one title: marks as (position, rating), and the pieces of the painting."""

    marks: tuple[tuple[int, int | None], ...] = ()
    painting: tuple[Piece, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.marks or self.painting)


def voices(contribution: Contribution, segments: int) -> dict[int, int]:
    """The user's voice for each segment spoken of, in millionths.

    Where any part of a segment is painted: the mean of the painted parts weighted by length. Else the mean
    of the user's marks inside it. Half up.
    """
    said: dict[int, int] = {}
    scores: dict[int, list[int]] = {}
    for position, rating in contribution.marks:
        scores.setdefault(segment_of(position, segments), []).append(score_of(rating))
    for segment, given in scores.items():
        said[segment] = rounded_quotient(sum(given) * MILLION, len(given))
    return said | _painted_voices(contribution.painting, segments)


def _painted_voices(painting: Sequence[Piece], segments: int) -> dict[int, int]:
    edges = boundaries(segments)
    weighted: dict[int, tuple[int, int]] = {}
    for piece in painting:
        segment = segment_of(piece.starts, segments)
        while segment < segments and edges[segment] < piece.ends:
            length = min(piece.ends, edges[segment + 1]) - max(piece.starts, edges[segment])
            total, painted = weighted.get(segment, (0, 0))
            weighted[segment] = (total + piece.score * length, painted + length)
            segment += 1
    return {segment: rounded_quotient(total, length) for segment, (total, length) in weighted.items()}


def spread(voice: int) -> tuple[tuple[int, int], ...]:
    """A voice as levels 0..4 with weights in millionths; one between two levels is shared linearly."""
    level, share = divmod(voice, MILLION)
    return ((level, MILLION - share), (level + 1, share)) if share else ((level, MILLION),)


class CurveChange(msgspec.Struct, frozen=True):
    """What to add to a title's curve; cells and level cells are numbered from 1, as PostgreSQL does."""

    users: int
    cells: list[int]
    sums: list[int]
    voices: list[int]
    level_cells: list[int]
    levels: list[int]

    def __bool__(self) -> bool:
        return bool(self.users or self.cells or self.level_cells)


NO_CHANGE: Final = CurveChange(0, [], [], [], [], [])


def curve_change(before: Contribution, after: Contribution) -> CurveChange:
    """How a title's curve changes when a user's contribution goes from `before` to `after`."""
    change = CurveChange(bool(after) - bool(before), [], [], [], [], [])
    levels: dict[int, int] = {}
    for segments in GRIDS:
        old, new = voices(before, segments), voices(after, segments)
        for segment in sorted(old.keys() | new.keys()):
            was, becomes = old.get(segment), new.get(segment)
            if was == becomes:
                continue
            change.cells.append(_OFFSETS[segments] + segment + 1)
            change.sums.append((becomes or 0) - (was or 0))
            change.voices.append((becomes is not None) - (was is not None))
            if segments == USUAL_SEGMENTS:
                _add_levels(levels, segment, was, -1)
                _add_levels(levels, segment, becomes, 1)
    for cell, weight in sorted(levels.items()):
        if weight:
            change.level_cells.append(cell)
            change.levels.append(weight)
    return change


def _add_levels(levels: dict[int, int], segment: int, voice: int | None, sign: int) -> None:
    for level, weight in spread(voice) if voice is not None else ():
        cell = segment * LEVELS + level + 1
        levels[cell] = levels.get(cell, 0) + sign * weight


def grid_slice(segments: int) -> tuple[int, int]:
    """The first and last cell, numbered from 1, of a grid that is kept ready."""
    return _OFFSETS[segments] + 1, _OFFSETS[segments] + segments


def shown_mean(total: int, count: int) -> float | None:
    """The mean of `count` voices that sum to `total` millionths; None where nobody spoke.

    Two decimals, half up.
    """
    if not count:
        return None
    return rounded_quotient(total, count * (MILLION // 100)) / 100


def nearest(marks: Iterable[tuple[int, float, int]], position: int) -> int | None:
    """The index of the own mark that a new one at `position` merges into, or None.

    `marks` are (position, age rank, index). Less than 1 % away, the nearest, at a tie the older.
    """
    near = [(abs(at - position), age, index) for at, age, index in marks if abs(at - position) < MERGE_WITHIN]
    return min(near)[2] if near else None


def whole_curve(everyone: Iterable[Mapping[int, int]], segments: int) -> tuple[list[int], list[int]]:
    """Sums and counts of voices per segment, from every user's voices; the slow, obvious way."""
    sums, counts = [0] * segments, [0] * segments
    for said in everyone:
        for segment, voice in said.items():
            sums[segment] += voice
            counts[segment] += 1
    return sums, counts
