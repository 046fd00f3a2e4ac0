"""Finding a title's place by comparing it: a binary search whose whole state is the answers given so far.

Invariant: while the tier stays as it is, the place is found after at most ⌈log2(n + 1)⌉ questions. Pure.
"""

from collections.abc import Iterable

import msgspec

from quintet.apps.marquee.rankings.model import AnswersContradict


class Search(msgspec.Struct, frozen=True):
    """Where the place lies: it has at least `lowest` titles above it, and at most `highest`."""

    lowest: int
    highest: int

    @property
    def is_done(self) -> bool:
        """Whether only one place is left; `lowest` titles are above it."""
        return self.lowest == self.highest

    @property
    def question(self) -> int:
        """What to compare with next, counted from the top, the best being 0."""
        return (self.lowest + self.highest) // 2


def search(titles: int, answers: Iterable[tuple[int | None, bool]]) -> Search:
    """Where the place lies in a tier of so many titles.

    An answer is the position of the title compared with (0 is the best, None where it has gone meanwhile, and
    then says nothing) and whether the new title is the better. Raises AnswersContradict.
    """
    lowest, highest = 0, titles
    for position, better in answers:
        if position is None:
            continue
        if better:
            highest = min(highest, position)
        else:
            lowest = max(lowest, position + 1)
    if lowest > highest:
        raise AnswersContradict
    return Search(lowest, highest)


def most_questions(titles: int) -> int:
    """⌈log2(n + 1)⌉: the questions that find a place among n titles, by halving what is left each time."""
    return titles.bit_length()


def at_most(titles: int, asked: int, found: Search) -> int:
    """How many questions there are in all, at most; more than `most_questions` only where titles moved."""
    return max(most_questions(titles), asked + most_questions(found.highest - found.lowest))
