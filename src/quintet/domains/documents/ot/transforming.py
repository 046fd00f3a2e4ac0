"""Operations and positions moved over what somebody else did to the same text.

Invariant: b and then `transform(a, b, later=True)` give the same text as a and then
`transform(b, a, later=False)`.
A list of operations is always walked one by one: transforming over their composition gives other text, since
a composition does not tell any more where inside a deleted range something stood.
"""

from quintet.domains.documents.ot.operation import Operation, Part, append, finished, size_of, take


def transform(op: Operation, over: Operation, *, later: bool) -> Operation:
    """`op` as it reads after `over`, both made on the same text; `later`: `op` is the one committed later.

    Of two insertions at one place the later one stands to the left. One inside a range that the other deletes
    survives at that range's start; one at a deletion's start shifts it, one at its end leaves it; what both
    delete is deleted once.
    """
    mine, other = _only_change(op), _only_change(over)
    if mine is None or other is None:
        return _transform_parts(op, over, later=later)
    # Nearly everything is a keystroke on a keystroke: the same as the walk gives, several times as fast.
    there, change = other
    if isinstance(change, str):
        return _over_insertion(op, *mine, there, len(change), later=later)
    return _over_deletion(*mine, there, there - change)


def _only_change(op: Operation) -> tuple[int, Part] | None:
    """Where the operation's one change is, and which; None where it has none or several."""
    if len(op) == 1:
        part = op[0]
        return (0, part) if isinstance(part, str) or part < 0 else None
    if len(op) == 2:
        at, part = op
        if not isinstance(at, str) and at > 0:
            return at, part
    return None


def _over_insertion(op: Operation, at: int, part: Part, there: int, length: int, *, later: bool) -> Operation:
    if there < at or (there == at and not (later and isinstance(part, str))):
        return (at + length, part)
    if isinstance(part, str) or there >= at - part:
        return op
    spared = (at - there, length, part - (at - there))  # deleted around what the other inserted
    return (at, *spared) if at else spared


def _over_deletion(at: int, part: Part, there: int, end: int) -> Operation:
    if at >= end:
        at -= end - there
    elif isinstance(part, str):
        at = min(at, there)
    else:
        part += max(0, min(at - part, end) - max(at, there))  # deleted by both
        at = min(at, there)
    if not part:
        return ()
    return (at, part) if at else (part,)


def _transform_parts(op: Operation, over: Operation, *, later: bool) -> Operation:
    """Walk over the text that both know; what `over` inserts is kept, what it deletes is there no more."""
    new: list[Part] = []
    rest = [*reversed(op)]
    for other in over:
        if isinstance(other, str):
            if later and rest and isinstance(rest[-1], str):
                append(new, rest.pop())
            append(new, len(other))
            continue
        left = abs(other)
        while left and rest:
            if isinstance(rest[-1], str):
                append(new, rest.pop())
                continue
            part = take(rest, left)
            left -= size_of(part)
            if other > 0:
                append(new, part)
    while rest:
        append(new, rest.pop())
    return finished(new)


def transform_position(position: int, over: Operation) -> int:
    """Where a cursor is after `over`. Text inserted right at it comes after it: what is typed there next is
    committed later, and so stands to the left.
    """
    at = 0
    for part in over:
        if at >= position:
            break
        if isinstance(part, str):
            at += len(part)
            position += len(part)
        elif part > 0:
            at += part
        else:
            position = max(at, position + part)
    return position
