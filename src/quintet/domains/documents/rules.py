"""Decisions about operations that need no database: what they delete, undo, show and were made on.

Invariant: an operation and the text it deleted are enough: nothing here needs the text before it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from quintet.domains.documents.ot import Operation

Piece = str | tuple[int, int]  # text that is gone, or a range of the text that is there


class Step(NamedTuple):
    """One step of the plain form."""

    type: Literal["Insert", "Delete"]
    position: int
    content: str
    length: int


def wide(text: str) -> str:
    """The text with a surrogate pair, two characters long, for every character that UTF-16 writes so."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    units = text.encode("utf-16-le")
    return "".join(map(chr, memoryview(units).cast("H")))


def narrow(text: str) -> str:
    """The text without surrogate pairs again."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def widened(op: Operation) -> Operation:
    """The operation with its insertions `wide`; its numbers are taken to be in UTF-16 units already."""
    return tuple(wide(part) if isinstance(part, str) else part for part in op)


def narrowed(op: Operation) -> Operation:
    """The operation with its insertions `narrow`."""
    return tuple(narrow(part) if isinstance(part, str) else part for part in op)


def astral_count(text: str) -> int:
    """How many characters UTF-16 writes as a surrogate pair."""
    return 0 if text.isascii() else sum(character > "\uffff" for character in text)


def octets(text: str) -> int:
    """How many bytes the text takes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def inserted(op: Operation) -> str:
    """What the operation inserts, all of it in its order."""
    return "".join(part for part in op if isinstance(part, str))


def without_end(op: Operation) -> Operation:
    """The operation without what it keeps at the end."""
    return op[:-1] if op and isinstance(last := op[-1], int) and last > 0 else op


def removed_by(op: Operation, text: str) -> str:
    """What the operation deletes from the text, all of it in its order."""
    found: list[str] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            continue
        if part < 0:
            found.append(text[at : at - part])
        at += abs(part)
    return "".join(found)


def inverse(op: Operation, removed: str) -> Operation:
    """What takes the operation back, which deleted `removed`."""
    parts: list[int | str] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            parts.append(-len(part))
        elif part > 0:
            parts.append(part)
        else:
            parts.append(removed[at : at - part])
            at -= part
    return tuple(parts)


def steps(op: Operation, removed: str, measure: Callable[[str], int] = len) -> list[Step]:
    """The operation as single steps from the end to the start: none shifts the others.

    Numbers are those of `op`; `measure` tells how long a text is in its unit. One that changes nothing is a
    deletion of length 0.
    """
    found: list[Step] = []
    position = at = 0
    for part in op:
        if isinstance(part, str):
            found.append(Step("Insert", position, part, measure(part)))
            continue
        if part < 0:
            end = at
            left = -part
            if measure is len:
                end += left
            else:
                while left > 0:
                    left -= measure(removed[end])
                    end += 1
            found.append(Step("Delete", position, removed[at:end], -part))
            at = end
        position += abs(part)
    return found[::-1] or [Step("Delete", 0, "", 0)]


def text_before(start: int, end: int, later: Iterable[tuple[Operation, str]], text: str) -> str:
    """What stood in a range of the text before some operations (each with what it deleted) led to `text`."""
    pieces: list[Piece] = [(start, end)]
    for op, removed in later:
        pieces = [moved for piece in pieces for moved in _moved(piece, op, removed)]
    return "".join(piece if isinstance(piece, str) else text[piece[0] : piece[1]] for piece in pieces)


def _moved(piece: Piece, op: Operation, removed: str) -> list[Piece]:
    """Where a piece of text is after an operation: here and there, and in part gone."""
    if isinstance(piece, str):
        return [piece]
    start, end = piece
    found: list[Piece] = []
    at = shift = gone = 0
    for part in op:
        if isinstance(part, str):
            shift += len(part)
            continue
        size = abs(part)
        low, high = max(start, at), min(end, at + size)
        if part > 0:
            if low < high:
                found.append((low + shift, high + shift))
        else:
            if low < high:
                found.append(removed[gone + low - at : gone + high - at])
            gone += size
            shift -= size
        at += size
    if (low := max(start, at)) < end:
        found.append((low + shift, end + shift))
    return found


def still_removed(op: Operation, removed: str, over: Operation) -> str:
    """Of what an operation deletes, that which another one on the same text does not."""
    gone = _deleted_ranges(over)
    found: list[str] = []
    at = taken = 0
    for part in op:
        if isinstance(part, str):
            continue
        if part < 0:
            position = at
            for start, end in gone:
                low, high = max(position, start), min(at - part, end)
                if low < high:
                    found.append(removed[taken + position - at : taken + low - at])
                    position = high
            found.append(removed[taken + position - at : taken - part])
            taken -= part
        at += abs(part)
    return "".join(found)


def _deleted_ranges(op: Operation) -> Sequence[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            continue
        if part < 0:
            found.append((at, at - part))
        at += abs(part)
    return found


def next_timestamp(last: int, now_milliseconds: int) -> int:
    """The time of the next operation of a document: the server's, and always later than the last."""
    return max(last + 1, now_milliseconds)
