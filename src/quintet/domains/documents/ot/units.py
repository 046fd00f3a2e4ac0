"""Positions in code points and in UTF-16 units, the ones in which JavaScript counts.

Invariant: only numbers change; a position that does not exist in the other unit is refused, not moved.
"""

from typing import Literal

from quintet.domains.documents.ot.operation import Operation, OutOfBounds, Part

Unit = Literal["codepoint", "utf16"]


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text without lone surrogates has."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def to_utf16(op: Operation, text_before: str) -> Operation:
    """An operation in code points, in UTF-16 units; raises OutOfBounds where the text is too short for it."""
    new: list[Part] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            new.append(part)
            continue
        end = at + abs(part)
        size = utf16_length(text_before[at:end])
        new.append(size if part > 0 else -size)
        at = end
    if at > len(text_before):
        raise OutOfBounds(f"it speaks of {at} characters, and the text has {len(text_before)}")
    return tuple(new)


def to_codepoints(op: Operation, text_before: str) -> Operation:
    """An operation in UTF-16 units, in code points.

    Raises OutOfBounds where the text is too short, or a position lies inside a surrogate pair.
    """
    spoken_of = sum(abs(part) for part in op if not isinstance(part, str))
    units = text_before[:spoken_of].encode("utf-16-le")  # as many code points hold at least as many units
    new: list[Part] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            new.append(part)
            continue
        end = at + 2 * abs(part)
        if end > len(units):
            raise OutOfBounds(f"it speaks of {spoken_of} UTF-16 units, and the text has fewer")
        try:
            size = len(units[at:end].decode("utf-16-le"))
        except UnicodeDecodeError:
            raise OutOfBounds("a position lies inside a surrogate pair") from None
        new.append(size if part > 0 else -size)
        at = end
    return tuple(new)
