"""The plain form of an operation: one `Insert` or `Delete` at a position, for peers that know no lists.

Invariant: the parts of an operation, applied one after the other, do what the operation does.
"""

from typing import Any, Literal, NamedTuple

from quintet.domains.documents.ot.operation import InvalidOperation, Operation, OutOfBounds, base_length
from quintet.domains.documents.ot.reading import checked_count, checked_text
from quintet.domains.documents.ot.units import Unit, utf16_length


class PlainPart(NamedTuple):
    """One step; `content` is what is inserted or deleted, numbers are in the unit asked for."""

    type: Literal["Insert", "Delete"]
    position: int
    content: str
    length: int


def plain_parts(op: Operation, text_before: str, unit: Unit = "codepoint") -> list[PlainPart]:
    """The operation (in code points) as single steps from the end to the start: none shifts the others.

    One that changes nothing is a `Delete` of length 0. Raises OutOfBounds where the text is too short.
    """
    if base_length(op) > len(text_before):
        raise OutOfBounds(f"it speaks of {base_length(op)} characters, and the text has {len(text_before)}")
    measure = len if unit == "codepoint" else utf16_length
    parts: list[PlainPart] = []
    at = position = 0
    for part in op:
        if isinstance(part, str):
            parts.append(PlainPart("Insert", position, part, measure(part)))
            continue
        passed = text_before[at : at + abs(part)]
        at += len(passed)
        length = measure(passed)
        if part < 0:
            parts.append(PlainPart("Delete", position, passed, length))
        position += length
    return parts[::-1] or [PlainPart("Delete", 0, "", 0)]


def from_plain(
    kind: Any, position: Any, content: Any = None, length: Any = None, unit: Unit = "codepoint"
) -> Operation:
    """The operation that one step says, in its unit; raises InvalidOperation with the reason.

    A deletion names the deleted text, or says how many characters it has, or both alike; it may be empty.
    """
    at = checked_count(position, "position", least=0)
    start = (at,) if at else ()
    if kind == "Insert":
        return (*start, checked_text(content, "content"))
    if kind != "Delete":
        raise InvalidOperation("`type` is Insert or Delete")
    count = None if length is None else checked_count(length, "length", least=0)
    if content:
        size = (len if unit == "codepoint" else utf16_length)(checked_text(content, "content"))
        if count not in {None, size}:
            raise InvalidOperation("`length` is not the length of `content`")
        count = size
    elif content == "" and count is None:
        count = 0
    if count is None:
        raise InvalidOperation("a Delete names its `content`, or says its `length`")
    return (*start, -count) if count else start
