"""Operations as clients write them: lists of `{"retain": n}`, `{"insert": "…"}` and `{"delete": n}`.

Invariant: what is accepted can be stored as UTF-8 text and costs a bounded amount of work, whoever sent it.
"""

from typing import Any, Final

from quintet.domains.documents.ot.operation import (
    MOST_CODE_POINTS,
    InvalidOperation,
    Operation,
    Part,
    append,
)

MOST_PARTS: Final = 1_000  # transforming takes time in proportion to them, for each operation meanwhile


def parse_ops(ops: Any) -> Operation:
    """The operation that a list says, parts in their order; raises InvalidOperation with the reason.

    A number to keep at its end stays, so that it is judged whether the text is long enough for it.
    """
    if not isinstance(ops, list):
        raise InvalidOperation("`ops` is a list of retain, insert and delete")
    if len(ops) > MOST_PARTS:
        raise InvalidOperation(f"`ops` has at most {MOST_PARTS} parts")
    parts: list[Part] = []
    for place, component in enumerate(ops):
        append(parts, _part_of(place, component))
    return tuple(parts)


def _part_of(place: int, component: Any) -> Part:
    if not isinstance(component, dict) or len(component) != 1:
        raise InvalidOperation(f"part {place} has exactly one of retain, insert and delete")
    ((kind, value),) = component.items()
    match kind:
        case "insert":
            return checked_text(value, f"part {place}")
        case "retain":
            return checked_count(value, f"part {place}")
        case "delete":
            return -checked_count(value, f"part {place}")
        case _:
            raise InvalidOperation(f"part {place} has exactly one of retain, insert and delete")


def checked_text(value: Any, name: str) -> str:
    """Text that can be inserted: not empty, no NUL (PostgreSQL stores none), no half of a surrogate pair."""
    if not isinstance(value, str) or not value:
        raise InvalidOperation(f"{name} is not a text of at least one character")
    if "\0" in value:
        raise InvalidOperation(f"{name} holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidOperation(f"{name} holds half a surrogate pair") from None
    return value


def checked_count(value: Any, name: str, *, least: int = 1) -> int:
    """A number of characters; true and 1.0 are none."""
    if type(value) is not int or not least <= value <= MOST_CODE_POINTS:
        raise InvalidOperation(
            f"{name} counts a whole number of characters from {least} up to {MOST_CODE_POINTS}"
        )
    return value


def to_json(op: Operation) -> list[dict[str, int | str]]:
    """The operation as `parse_ops` reads it."""
    return [
        {"insert": part} if isinstance(part, str) else {"retain": part} if part > 0 else {"delete": -part}
        for part in op
    ]
