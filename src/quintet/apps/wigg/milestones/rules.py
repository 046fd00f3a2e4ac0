"""What a milestone may be called, which of them are the same, and where chapters stand. Pure."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import msgspec

from quintet.apps.wigg.milestones.chapters import Chapter, Chapters, Unreadable
from quintet.apps.wigg.milestones.model import LONGEST_LABEL, LengthUnknown
from quintet.apps.wigg.rules import WHOLE
from quintet.kernel.refusals import invalid

SAME_WITHIN: Final = 500_000  # half a percent, in millionths of a percent


class Named(msgspec.Struct, frozen=True):
    """A position with a label folded for comparison."""

    position: int
    folded_label: str


class Place(msgspec.Struct, frozen=True):
    """Where a milestone is wanted, and how it is to be called."""

    position: int
    label: str


class PastTheEnd(Unreadable):
    """A chapter that starts after its title has ended."""


def trimmed(label: str) -> str:
    """The label without surrounding space; raises `out_of_range` where nothing or too much is left."""
    label = label.strip()
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise invalid("out_of_range", f"1 to {LONGEST_LABEL} characters", pointer="/label")
    return label


def same_as(known: Iterable[Named], wanted: Iterable[Named]) -> list[int]:
    """For each wanted one, the index of the one it is the same as: among `known`, or behind them those
    wanted ones that are new, in their order.

    The same is: the same folded label, at most half a percent away; of several the nearest, at a tie the
    first. A wanted one that is the same as an earlier wanted one is not new either.
    """
    by_label: dict[str, list[tuple[int, int]]] = {}
    count = 0
    for one in known:
        by_label.setdefault(one.folded_label, []).append((one.position, count))
        count += 1
    found: list[int] = []
    for one in wanted:
        alike = by_label.setdefault(one.folded_label, [])
        near = [
            (abs(position - one.position), index)
            for position, index in alike
            if abs(position - one.position) <= SAME_WITHIN
        ]
        if near:
            found.append(min(near)[1])
        else:
            alike.append((one.position, count))
            found.append(count)
            count += 1
    return found


def places_of(chapters: Chapters, total_length_seconds: float | None) -> list[Place]:
    """Where chapters stand on their title, in millionths of a percent, half up.

    By the title's length, else by the file's own (books are always measured by their own text). Raises
    LengthUnknown where neither is known, PastTheEnd for a chapter that starts behind the end.
    """
    if not chapters.items:
        return []
    whole = chapters.whole
    if chapters.counts_seconds and total_length_seconds is not None:
        whole = Fraction(total_length_seconds)
    if not whole:
        raise LengthUnknown
    for chapter in chapters.items:
        if chapter.at > whole:
            raise _past_the_end(chapter, whole)
    return [
        Place(int(chapter.at * WHOLE / whole + Fraction(1, 2)), chapter.label) for chapter in chapters.items
    ]


def _past_the_end(chapter: Chapter, whole: Fraction) -> PastTheEnd:
    reason = f"{_clock(chapter.at)} is past the end, which is at {_clock(whole)}"
    return PastTheEnd(reason, line=chapter.line, part=chapter.part)


def _clock(seconds: Fraction) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
