"""What operations do, as slow and obvious as can be: a text is places, and gaps between them.

An operation says of each place whether it goes, and of each gap what comes into it; nothing else. At a gap
before and after a deleted place an insertion stands differently to what others do there.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from quintet.domains.documents.ot import Operation

# One code point or two UTF-16 units, alone or combining with the one before.
LETTERS = st.sampled_from("abcß\n漢\u0301\u200d😀🎹\U0001f1e6\U0010ffff")
TEXTS = st.text(LETTERS, max_size=12)


@dataclass
class Shape:
    """What an operation says about a text of `size` characters."""

    size: int
    gone: set[int]
    comes: list[str]

    @classmethod
    def of(cls, op: Operation, size: int) -> "Shape":
        shape = cls(size, set(), [""] * (size + 1))
        at = 0
        for part in op:
            if isinstance(part, str):
                shape.comes[at] += part
                continue
            if part < 0:
                shape.gone |= set(range(at, at - part))
            at += abs(part)
        assert at <= size
        return shape

    def applied(self, text: str) -> str:
        kept = ["" if place in self.gone else letter for place, letter in enumerate(text)]
        return "".join(come + keep for come, keep in zip(self.comes, [*kept, ""], strict=True))


def operation_of(steps: list[int | str]) -> Operation:
    """Steps one character long each, as an operation."""
    parts: list[int | str] = []
    for step in filter(None, steps):
        if parts and isinstance(step, str) == isinstance(parts[-1], str):
            if isinstance(step, str):
                parts[-1] += step  # type: ignore[operator]
                continue
            if (step > 0) == (parts[-1] > 0):  # type: ignore[operator]
                parts[-1] += step  # type: ignore[operator]
                continue
        parts.append(step)
    while parts and not isinstance(parts[-1], str) and parts[-1] > 0:
        parts.pop()
    return tuple(parts)


def slow_transform(op: Operation, over: Operation, size: int, *, later: bool) -> Operation:
    """Gap by gap, place by place."""
    mine, other = Shape.of(op, size), Shape.of(over, size)
    steps: list[int | str] = []
    for gap in range(size + 1):
        passed = len(other.comes[gap])
        steps += [mine.comes[gap], passed] if later else [passed, mine.comes[gap]]
        if gap < size and gap not in other.gone:
            steps.append(-1 if gap in mine.gone else 1)
    return operation_of(steps)


def slow_merge(text: str, earlier: Operation, later: Operation) -> str:
    """What everybody must have in the end: both changes, the later one to the left."""
    first, second = Shape.of(earlier, len(text)), Shape.of(later, len(text))
    both = [second.comes[gap] + first.comes[gap] for gap in range(len(text) + 1)]
    return Shape(len(text), first.gone | second.gone, both).applied(text)


@st.composite
def operations(draw: st.DrawFn, size: int) -> Operation:
    """Any operation on a text so long; half of them are a single change, as keystrokes are."""
    if draw(st.booleans()):
        at = draw(st.integers(0, size))
        most = size - at
        change = draw(st.text(LETTERS, min_size=1, max_size=3) | st.integers(-most, -1 if most else 0))
        return operation_of([at, change])
    steps: list[int | str] = []
    for _ in range(size):
        steps.append(draw(st.sampled_from(("", "", "x", "yz", "😀"))))
        steps.append(draw(st.sampled_from((1, 1, -1))))
    return operation_of([*steps, draw(st.sampled_from(("", "w")))])


@st.composite
def texts_with(draw: st.DrawFn, count: int) -> tuple[str, list[Operation]]:
    """A text, and operations that were made on it at the same time."""
    text = draw(TEXTS)
    return text, [draw(operations(len(text))) for _ in range(count)]
