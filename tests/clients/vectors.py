"""Operations that Python and JavaScript must agree on; `python -m tests.clients.vectors` writes them.

Only `Random.random` is drawn from, since that alone gives the same numbers in every Python.
"""

import json
import random
from pathlib import Path
from typing import Any

from quintet.domains.documents.ot import (
    Operation,
    apply,
    compose,
    invert,
    plain_parts,
    to_utf16,
    transform,
    transform_position,
    utf16_length,
)
from quintet.domains.documents.ot.operation import append

PLACE = Path(__file__).parent.parent.parent / "clients" / "javascript" / "test" / "vectors.json"
COUNT = 2_000
LETTERS = "abcdefß\n漢\u0301\u200d😀🎹\U0001f1e6"


class Dice:
    """Chances that are the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def text(self, longest: int) -> str:
        return "".join(LETTERS[self.number(0, len(LETTERS) - 1)] for _ in range(self.number(1, longest)))

    def operation(self, size: int) -> Operation:
        """Mostly a keystroke; now and then many changes."""
        changes = (0, 1, 1, 1, 1, 2, 3, 6)[self.number(0, 7)]
        op: list[int | str] = []
        at = 0
        for _ in range(changes):
            kept = self.number(0, size - at)
            at += kept
            parts: list[int | str] = [kept] if kept else []
            if gone := self.number(0, min(4, size - at)) * self.number(0, 1):
                parts.append(-gone)
                at += gone
            if not gone or self.number(0, 1):
                parts.insert(self.number(bool(kept), len(parts)), self.text(3))
            for part in parts:
                append(op, part)
        return tuple(op)


def vector(dice: Dice) -> dict[str, Any]:
    """Two operations on one text, and all that follows from them."""
    text = dice.text(14) if dice.number(0, 9) else ""
    earlier, later = dice.operation(len(text)), dice.operation(len(text))
    after_earlier, after_later = apply(text, earlier), apply(text, later)
    moved_later = transform(later, earlier, later=True)
    moved_earlier = transform(earlier, later, later=False)
    then = dice.operation(len(after_earlier))
    position = dice.number(0, len(text))
    moved = transform_position(position, earlier)
    return {
        "text": text,
        "earlier": to_utf16(earlier, text),
        "later": to_utf16(later, text),
        "moved_later": to_utf16(moved_later, after_earlier),
        "moved_earlier": to_utf16(moved_earlier, after_later),
        "merged": apply(after_earlier, moved_later),
        "then": to_utf16(then, after_earlier),
        "both": to_utf16(compose(earlier, then), text),
        "back": to_utf16(invert(earlier, text), after_earlier),
        "steps": [[part.type, part.position, part.content] for part in plain_parts(earlier, text, "utf16")],
        "position": utf16_length(text[:position]),
        "moved_position": utf16_length(after_earlier[:moved]),
    }


def vectors() -> str:
    """The file: the names of the fields, then one vector a line."""
    dice = Dice(7)
    made = [vector(dice) for _ in range(COUNT)]
    lines = [json.dumps([*one.values()], ensure_ascii=False, separators=(",", ":")) for one in made]
    head = json.dumps([*made[0]])
    return '{"fields": ' + head + ',\n"vectors": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    PLACE.write_text(vectors())
