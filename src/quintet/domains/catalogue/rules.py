"""The rules of the catalogue: when a name is what somebody meant who cannot spell it, and what fits. Pure."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from quintet.domains.catalogue.model import MOST_ATTRIBUTE_BYTES, Found, Hit
from quintet.kernel import json

LETTERS_PER_EDIT: Final = 4
GOOD_ENOUGH: Final = 5  # so many good hits, and nobody outside is asked
EXACT, SQUEEZED, BEGINNING = (
    4.0,
    3.0,
    2.0,
)  # how well a whole or begun name fits; what is only like it: below 1
MOST_ALTERNATIVES: Final = 8
_BEGUN: Final = 0.7  # what a word weighs that begins with the one asked for
_SWAP_COST: Final = 0.75  # of one edit, in weighing: two letters in the wrong order are no ignorance


def edits(a: str, b: str, most: int) -> int:
    """How many letters to insert, drop, change or swap with their neighbour to get from `a` to `b`.

    Beyond `most` the answer is `most` + 1. The restricted Damerau-Levenshtein distance ("optimal string
    alignment": no letter is edited twice), by dynamic programming over the diagonal band of `most` cells to
    each side, the rest being out of reach.
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    out_of_reach = most + 1
    before: list[int] = []
    last = [min(column, out_of_reach) for column in range(len(b) + 1)]
    for row, letter in enumerate(a, start=1):
        low, high = max(1, row - most), min(len(b), row + most)
        now = [out_of_reach] * (len(b) + 1)
        if row <= most:
            now[0] = row
        for column in range(low, high + 1):
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (letter != b[column - 1]))
            if row > 1 and column > 1 and letter == b[column - 2] and a[row - 2] == b[column - 1]:
                cost = min(cost, before[column - 2] + 1)
            now[column] = min(cost, out_of_reach)
        if min(now[low - 1 : high + 1]) > most:
            return out_of_reach
        before, last = last, now
    return last[len(b)]


def is_close(asked: str, name: str) -> bool:
    """Whether at most one edit per four letters of what was asked leads to the name; both without spaces."""
    most = len(asked) // LETTERS_PER_EDIT
    return edits(asked, name, most) <= most


def is_good(found: Found, hit: Hit) -> bool:
    """Whether a hit is what was asked for: a whole or begun name, or one edit per four letters away."""
    return hit.fit >= BEGINNING or is_close(found.asked, hit.squeezed)


class Like(msgspec.Struct, frozen=True):
    """A word of the catalogue that resembles the word asked for at `place` (from 1)."""

    place: int
    asked: str
    word: str
    similarity: float


def weight(like: Like) -> float:
    """How likely the word was meant: 1 the very same, then near ones, longer ones, similar ones; above 0."""
    if like.word == like.asked:
        return 1.0
    length = len(like.asked)
    most = length // LETTERS_PER_EDIT
    distance = edits(like.asked, like.word, most)
    if distance <= most:
        swapped = length == len(like.word) and sorted(like.asked) == sorted(like.word)
        return 1 - distance * (_SWAP_COST if swapped else 1) / max(length, len(like.word))
    if like.word.startswith(like.asked):
        return _BEGUN
    return like.similarity / 2


class Meant(msgspec.Struct, frozen=True):
    """The words that may have been meant, each with its weight and the place of the word it stands for.

    A name that has the very words asked for weighs 1: a long word counts for more than a short one.
    """

    words: list[str]
    weights: list[float]
    places: list[int]

    def of_all(self) -> str:
        """The `tsquery` of names that have a word for every place that has any."""
        return " & ".join(self._at(place) for place in sorted(set(self.places)))

    def of_weightiest(self) -> str:
        """The `tsquery` of names that have a word for the one place that counts most."""
        return self._at(max(zip(self.weights, self.places, strict=True))[1])

    def _at(self, place: int) -> str:
        words = [word for word, at in zip(self.words, self.places, strict=True) if at == place]
        return f"({' | '.join(map(_quoted, words))})"


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def meant(likes: Sequence[Like]) -> Meant | None:
    """The likeliest words for every place, None where there are none at all.

    Where the very word is known, only near ones stand beside it; else none less than half as likely as the
    best: a word that hardly resembles the one asked for may stand in half of all names.
    """
    places: dict[int, list[tuple[float, str]]] = {}
    asked: dict[int, int] = {}
    for like in likes:
        places.setdefault(like.place, []).append((weight(like), like.word))
        asked[like.place] = len(like.asked)
    chosen = [
        (place, one * asked[place] / sum(asked.values()), word)
        for place, weighed in sorted(places.items())
        for one, word in _likeliest(weighed)
    ]
    if not chosen:
        return None
    return Meant(
        [word for _, _, word in chosen], [one for _, one, _ in chosen], [place for place, _, _ in chosen]
    )


def _likeliest(weighed: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    ordered = sorted(weighed, key=lambda one: (-one[0], one[1]))
    best = ordered[0][0]
    least = _BEGUN if best == 1 else best / 2
    return [one for one in ordered if one[0] > least][:MOST_ALTERNATIVES]


def normalised(query: str) -> str:
    """A query without case, accents and spare spaces: what is asked outside, and remembered, once for all."""
    letters = unicodedata.normalize("NFKD", query.casefold())
    plain = "".join(one for one in letters if not unicodedata.combining(one))
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def numbers_are_plain(value: Any) -> bool:
    """Whether no number in plain JSON data swells in the database.

    PostgreSQL writes 1e308 out with all its digits: sixteen KiB of those would come back as a megabyte.
    """
    if isinstance(value, dict):
        return all(map(numbers_are_plain, value.values()))
    if isinstance(value, list):
        return all(map(numbers_are_plain, value))
    return not isinstance(value, (int, float)) or value == 0 or 1e-15 <= abs(value) <= 1e15


def attributes_fit(attributes: dict[str, Any]) -> bool:
    """Whether attributes are within the bounds of a work's."""
    return len(json.encode(attributes)) <= MOST_ATTRIBUTE_BYTES and numbers_are_plain(attributes)
