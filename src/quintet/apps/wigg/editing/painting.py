"""The arithmetic of paintings: step functions over a title, piece by piece. Pure.

Invariant: a painting is a list of pieces in order that do not overlap; what one action painted at a place is
one state, known by the action's id. Boundaries are those of grids of 12 to 40 segments, so that a painting
has at most 490 pieces, the number of fractions up to 1 with such denominators.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from quintet.apps.wigg.editing.model import Gap, Painted, Stretch
from quintet.apps.wigg.model import Piece
from quintet.apps.wigg.rules import WHOLE, rounded_quotient


class PaintChange(msgspec.Struct, frozen=True):
    """What was and what came between the same two places."""

    before: Stretch
    after: Stretch


def over(painting: Sequence[Painted], starts: int, ends: int) -> list[Stretch]:
    """All that covers the interval from `starts` up to `ends`, cut to it, gaps included, in order."""
    covering: list[Stretch] = []
    if starts >= ends:
        return covering
    at = starts
    first = max(0, bisect_right(painting, starts, key=lambda piece: piece.starts) - 1)
    for index in range(first, len(painting)):
        piece = painting[index]
        if piece.starts >= ends:
            break
        if piece.ends <= at:
            continue
        if piece.starts > at:
            covering.append(Gap(at, piece.starts))
        here = cut(piece, max(at, piece.starts), min(piece.ends, ends))
        covering.append(here)
        at = here.ends
    if at < ends:
        covering.append(Gap(at, ends))
    return covering


def cut(stretch: Stretch, starts: int, ends: int) -> Stretch:
    """The part of a stretch, or all that it says, from `starts` up to `ends`."""
    if stretch.starts == starts and stretch.ends == ends:
        return stretch
    return msgspec.structs.replace(stretch, starts=starts, ends=ends)


def repaint(painting: Sequence[Painted], new: Iterable[Stretch]) -> list[Painted]:
    """The painting with each new stretch in place of what was there; a gap wipes.

    The new ones are in order and do not overlap. Neighbours alike in everything become one piece.
    """
    after: list[Painted] = []
    at = 0
    for stretch in new:
        _append(after, over(painting, at, stretch.starts))
        _append(after, [stretch])
        at = stretch.ends
    _append(after, over(painting, at, WHOLE))
    return after


def _append(painting: list[Painted], stretches: Iterable[Stretch]) -> None:
    for stretch in stretches:
        if isinstance(stretch, Gap):
            continue
        if painting and painting[-1].ends == stretch.starts and _alike(painting[-1], stretch):
            painting[-1] = msgspec.structs.replace(painting[-1], ends=stretch.ends)
        else:
            painting.append(stretch)


def _alike(one: Painted, other: Painted) -> bool:
    # Time and session are the action's.
    return (one.action_id, one.score, one.version) == (other.action_id, other.score, other.version)


def mean_over(painting: Sequence[Piece], starts: int, ends: int) -> int | None:
    """The mean of what is painted from `starts` up to `ends`, weighted by length, half up; None: nothing."""
    total = length = 0
    for piece in painting:
        shared = min(piece.ends, ends) - max(piece.starts, starts)
        if shared > 0:
            total += piece.score * shared
            length += shared
    return rounded_quotient(total, length) if length else None


def moved(previous: int | None, score: int, weight: float) -> int:
    """Where a finger that passes moves a score: `previous + weight · (score - previous)`, half up.

    All in millionths but the weight; without a previous score it is the new one.
    """
    if previous is None:
        return score
    there = Decimal(previous) + Decimal(repr(weight)) * (score - previous)
    return int(there.quantize(Decimal(1), ROUND_HALF_UP))


def newest_over(painting: Sequence[Painted], starts: int, ends: int) -> Painted | None:
    """The piece that changed last of those which overlap the interval."""
    here = (stretch for stretch in over(painting, starts, ends) if isinstance(stretch, Painted))
    return max(here, key=lambda piece: piece.version, default=None)


def changes_between(before: Sequence[Painted], after: Sequence[Painted]) -> list[PaintChange]:
    """Where two paintings are not the same states, and what each says there, in order."""
    changes: list[PaintChange] = []
    for was in over(before, 0, WHOLE):
        changes += [
            PaintChange(cut(was, now.starts, now.ends), now)
            for now in over(after, was.starts, was.ends)
            if was.action_id != now.action_id
        ]
    return changes


def put_back(
    painting: Sequence[Painted], changes: Iterable[PaintChange]
) -> tuple[list[Stretch], list[tuple[int, int]]]:
    """What to repaint to take changes back, and the intervals that something newer has covered.

    A change is taken back wherever the present state is still the one it made, by identity.
    """
    back: list[Stretch] = []
    newer: list[tuple[int, int]] = []
    for change in changes:
        for now in over(painting, change.after.starts, change.after.ends):
            if now.action_id == change.after.action_id:
                back.append(cut(change.before, now.starts, now.ends))
            else:
                newer.append((now.starts, now.ends))
    return back, newer


def as_new(stretch: Stretch) -> Stretch:
    """The same, as changed by the write under way."""
    return stretch if isinstance(stretch, Gap) else msgspec.structs.replace(stretch, version=0)


def united(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places as few intervals in order."""
    merged: list[tuple[int, int]] = []
    for starts, ends in sorted(intervals):
        if merged and starts <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ends, merged[-1][1]))
        else:
            merged.append((starts, ends))
    return merged


def rows_between(before: Sequence[Painted], after: Sequence[Painted]) -> tuple[list[int], list[Painted]]:
    """Which pieces go, by where they start, and which are written, to make one painting of another."""
    kept = {piece.starts: piece for piece in after}
    old = {piece.starts: piece for piece in before}
    return (
        [starts for starts in old if starts not in kept],
        [piece for piece in after if old.get(piece.starts) != piece],
    )
