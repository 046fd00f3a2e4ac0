"""Operations and what they do to a text.

Invariant: what a function here gives is canonical: no empty part, no two neighbours of one kind, nothing kept
at the end. Only what came from outside (`parse_ops`) may end in a number to keep: the text must reach so far.
"""

from typing import Final

MOST_CODE_POINTS: Final = 1024 * 1024  # no document is longer, in any unit

Part = int | str
Operation = tuple[Part, ...]


class InvalidOperation(ValueError):
    """The operation is none; its only argument is a sentence for whoever sent it."""

    @property
    def reason(self) -> str:
        """What is wrong with it."""
        return str(self.args[0])


class OutOfBounds(InvalidOperation):
    """The operation does not fit the text it is meant for."""


def append(parts: list[Part], part: Part) -> None:
    """Add a part at the end, joined with a neighbour of its kind; an empty one adds nothing."""
    if not part:
        return
    if parts:
        last = parts[-1]
        if isinstance(part, str):
            if isinstance(last, str):
                parts[-1] = last + part
                return
        elif not isinstance(last, str) and (last > 0) == (part > 0):
            parts[-1] = last + part
            return
    parts.append(part)


def size_of(part: Part) -> int:
    """How many characters a part inserts, keeps or deletes."""
    return len(part) if isinstance(part, str) else abs(part)


def take(rest: list[Part], most: int) -> Part:
    """Take the next part, which is the list's last, or the head of it where it is longer than `most`."""
    part = rest.pop()
    if size_of(part) <= most:
        return part
    if isinstance(part, str):
        rest.append(part[most:])
        return part[:most]
    head = most if part > 0 else -most
    rest.append(part - head)
    return head


def finished(parts: list[Part]) -> Operation:
    """The parts as an operation, without what is only kept at the end."""
    if parts and not isinstance(last := parts[-1], str) and last > 0:
        parts.pop()
    return tuple(parts)


def base_length(op: Operation) -> int:
    """How much of the text before it an operation speaks of; that text must be at least as long."""
    return sum(abs(part) for part in op if not isinstance(part, str))


def length_change(op: Operation) -> int:
    """How much longer the text is afterwards; negative where it is shorter."""
    return sum(len(part) if isinstance(part, str) else min(part, 0) for part in op)


def apply(text: str, op: Operation) -> str:
    """The text afterwards; raises OutOfBounds where the text is too short for it."""
    pieces: list[str] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            pieces.append(part)
        elif part > 0:
            pieces.append(text[at : at + part])
            at += part
        else:
            at -= part
    if at > len(text):
        raise OutOfBounds(f"it speaks of {at} characters, and the text has {len(text)}")
    pieces.append(text[at:])
    return "".join(pieces)


def compose(first: Operation, second: Operation) -> Operation:
    """One operation that does to every text what the two do one after the other."""
    new: list[Part] = []
    rest = [*reversed(first)]
    for part in second:
        if isinstance(part, str):
            append(new, part)
            continue
        left = abs(part)
        while left and rest:
            if not isinstance(gone := rest[-1], str) and gone < 0:
                append(new, rest.pop())
                continue
            earlier = take(rest, left)
            left -= size_of(earlier)
            if part > 0:
                append(new, earlier)
            elif not isinstance(earlier, str):
                append(new, -earlier)
        append(new, left if part > 0 else -left)
    while rest:
        append(new, rest.pop())
    return finished(new)


def invert(op: Operation, text_before: str) -> Operation:
    """What brings the text before it back; raises OutOfBounds as `apply` does."""
    if base_length(op) > len(text_before):
        raise OutOfBounds(f"it speaks of {base_length(op)} characters, and the text has {len(text_before)}")
    new: list[Part] = []
    at = 0
    for part in op:
        if isinstance(part, str):
            append(new, -len(part))
        elif part > 0:
            append(new, part)
            at += part
        else:
            append(new, text_before[at : at - part])
            at -= part
    return finished(new)
