"""The mathematics of collaborative text against slow, obvious twins (Hypothesis)."""

import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.domains.documents.slow_text import (
    Shape,
    operations,
    slow_merge,
    slow_transform,
    texts_with,
)

from quintet.domains.documents.ot import (
    InvalidOperation,
    Operation,
    OutOfBounds,
    apply,
    base_length,
    compose,
    from_plain,
    invert,
    length_change,
    plain_parts,
    transform,
    transform_position,
)

MANY = settings(max_examples=300)


@MANY
@given(texts_with(2))
def test_both_orders_give_the_text_of_the_twin(made: tuple[str, list[Operation]]) -> None:
    text, (earlier, later) = made
    one = apply(apply(text, earlier), transform(later, earlier, later=True))
    other = apply(apply(text, later), transform(earlier, later, later=False))
    assert one == other == slow_merge(text, earlier, later)


@MANY
@given(texts_with(2), st.booleans())
def test_a_transform_is_the_twins_part_by_part(made: tuple[str, list[Operation]], later: bool) -> None:
    text, (op, over) = made
    assert transform(op, over, later=later) == slow_transform(op, over, len(text), later=later)


@MANY
@given(texts_with(1))
def test_applying_is_the_twins(made: tuple[str, list[Operation]]) -> None:
    text, (op,) = made
    after = apply(text, op)
    assert after == Shape.of(op, len(text)).applied(text)
    assert len(after) == len(text) + length_change(op)


@MANY
@given(st.data())
def test_composing_is_one_after_the_other_however_it_is_grouped(data: st.DataObject) -> None:
    text, (first,) = data.draw(texts_with(1))
    middle = apply(text, first)
    second = data.draw(operations(len(middle)))
    end = apply(middle, second)
    third = data.draw(operations(len(end)))
    both = compose(first, second)
    assert apply(text, both) == end
    assert compose(both, third) == compose(first, compose(second, third))
    assert base_length(both) <= len(text)


@MANY
@given(texts_with(1))
def test_an_inversion_brings_the_text_back(made: tuple[str, list[Operation]]) -> None:
    text, (op,) = made
    back = invert(op, text)
    assert apply(apply(text, op), back) == text
    assert Shape.of(invert(back, apply(text, op)), len(text)) == Shape.of(op, len(text))


@MANY
@given(texts_with(1))
def test_plain_parts_are_the_operation(made: tuple[str, list[Operation]]) -> None:
    text, (op,) = made
    now = text
    parts = plain_parts(op, text)
    for part in parts:
        assert part.type == "Insert" or now[part.position : part.position + part.length] == part.content
        now = apply(now, from_plain(part.type, part.position, part.content))
    assert now == apply(text, op)
    assert len(parts) == max(1, sum(isinstance(part, str) or part < 0 for part in op))


def test_an_operation_that_changes_nothing_is_a_deletion_of_nothing() -> None:
    (part,) = plain_parts((), "abc")
    assert part == ("Delete", 0, "", 0)
    assert from_plain("Delete", 0, "") == from_plain("Delete", 0, length=0) == ()


def test_the_rules_of_the_contract_one_by_one() -> None:
    # The one committed later stands to the left.
    assert transform((2, "later"), (2, "earlier"), later=True) == (2, "later")
    assert transform((2, "earlier"), (2, "later"), later=False) == (7, "earlier")
    # An insertion inside a deleted range survives at the range's start.
    assert transform((3, "x"), (2, -3), later=True) == (2, "x")
    assert transform((2, -3), (3, "x"), later=False) == (2, -1, 1, -2)
    # At a deletion's start it shifts it, at its end it leaves it.
    for later in (True, False):
        assert transform((2, -3), (2, "x"), later=later) == (3, -3)
        assert transform((2, -3), (5, "x"), later=later) == (2, -3)
    # What both delete is deleted once; what comes out empty is an operation too.
    assert transform((1, -4), (2, -1), later=True) == (1, -3)
    assert transform((2, -1), (1, -4), later=True) == ()


def test_the_order_of_the_parts_decides_where_an_insertion_stands() -> None:
    before, after, inside = ("x", -3), (-3, "x"), (1, "y")
    assert apply("abc", before) == apply("abc", after)
    assert transform(before, inside, later=True) == ("x", -1, 1, -2)
    assert transform(after, inside, later=True) == (-1, 1, -2, "x")
    # So the same two texts, transformed over the same third one, end differently.
    assert apply(apply("abc", inside), transform(before, inside, later=True)) == "xy"
    assert apply(apply("abc", inside), transform(after, inside, later=True)) == "yx"


def test_transforming_over_a_composed_history_gives_other_text() -> None:
    """Why histories are walked one by one: a composition has forgotten the places of what is gone."""
    removing, typing, mine = (-2,), ("y",), (1, "x")
    stepwise = transform(transform(mine, removing, later=True), typing, later=True)
    at_once = transform(mine, compose(removing, typing), later=True)
    assert apply("y", stepwise) == "xy"
    assert apply("y", at_once) == "yx"


@given(texts_with(1), st.integers(0, 15))
def test_a_cursor_moves_like_a_later_insertion(made: tuple[str, list[Operation]], position: int) -> None:
    text, (op,) = made
    assume(position <= len(text))
    cursor = (position, "|") if position else ("|",)
    moved = transform_position(position, op)
    assert apply(apply(text, op), (moved, "|") if moved else ("|",)) == apply(
        apply(text, op), transform(cursor, op, later=True)
    )


@pytest.mark.parametrize("op", [(4, "x"), (-4,), (2, -2), (4,)])
def test_an_operation_beyond_the_text_is_out_of_bounds(op: Operation) -> None:
    for does in (apply, lambda text, op: invert(op, text), lambda text, op: plain_parts(op, text)):
        with pytest.raises(OutOfBounds, match=r"4 characters, and the text has 3"):
            does("abc", op)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"kind": "Insert", "position": 0, "content": "x"}, ("x",)),
        ({"kind": "Insert", "position": 4, "content": "😀"}, (4, "😀")),
        ({"kind": "Delete", "position": 4, "content": "😀"}, (4, -1)),
        ({"kind": "Delete", "position": 4, "content": "😀", "unit": "utf16"}, (4, -2)),
        ({"kind": "Delete", "position": 4, "content": "", "length": 3}, (4, -3)),
        ({"kind": "Delete", "position": 4, "length": 3, "content": "abc"}, (4, -3)),
        ({"kind": "Delete", "position": 4, "content": ""}, (4,)),
    ],
)
def test_the_plain_form_is_read(said: dict[str, Any], meant: Operation) -> None:
    assert from_plain(**said) == meant


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "Insert", "position": 0},
        {"kind": "Insert", "position": 0, "content": ""},
        {"kind": "Insert", "position": -1, "content": "x"},
        {"kind": "Insert", "position": True, "content": "x"},
        {"kind": "Insert", "position": 1.0, "content": "x"},
        {"kind": "Insert", "position": None, "content": "x"},
        {"kind": "Insert", "position": 10**30, "content": "x"},
        {"kind": "Insert", "position": 0, "content": "a\0b"},
        {"kind": "Insert", "position": 0, "content": "\ud83d"},
        {"kind": "Insert", "position": 0, "content": ["x"]},
        {"kind": "Delete", "position": 0},
        {"kind": "Delete", "position": 0, "length": -1},
        {"kind": "Delete", "position": 0, "length": True},
        {"kind": "Delete", "position": 0, "length": 2, "content": "abc"},
        {"kind": "Delete", "position": 0, "content": "\udc00"},
        {"kind": "Delete", "position": 0, "content": 3},
        {"kind": "Replace", "position": 0, "content": "x"},
        {"kind": None, "position": 0, "content": "x"},
        {"kind": ["Insert"], "position": 0, "content": "x"},
    ],
)
def test_a_plain_form_that_is_none_is_refused_with_a_reason(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation) as refused:
        from_plain(**said)
    assert refused.value.reason


class Writer:
    """A client as the contract has it: one operation under way, what is typed meanwhile behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rev = 0
        self.under_way: Operation | None = None
        self.buffer: Operation | None = None

    def type(self, op: Operation) -> None:
        self.text = apply(self.text, op)
        self.buffer = op if self.buffer is None else compose(self.buffer, op)

    def hear(self, op: Operation) -> None:
        self.rev += 1
        if self.under_way is not None:
            mine, self.under_way = self.under_way, transform(self.under_way, op, later=True)
            op = transform(op, mine, later=False)
        if self.buffer is not None:
            mine, self.buffer = self.buffer, transform(self.buffer, op, later=True)
            op = transform(op, mine, later=False)
        self.text = apply(self.text, op)

    def acked(self) -> None:
        self.rev += 1
        self.under_way = None


def test_random_histories_of_many_writers_converge() -> None:
    """Two to eight writers, each as late as chance has it: one text for all."""
    chance = random.Random(5)
    histories = operations_made = 0
    for _ in range(1_000):
        writers = [Writer("some text") for _ in range(chance.randint(2, 8))]
        history: list[tuple[Writer, Operation]] = []
        text = "some text"
        for _ in range(40):
            writer = chance.choice(writers)
            match chance.random():
                case deed if deed < 0.4:
                    writer.type(random_operation(chance, len(writer.text)))
                case deed if deed < 0.6 and writer.buffer is not None and writer.under_way is None:
                    writer.under_way, writer.buffer = writer.buffer, None
                    op, base = writer.under_way, writer.rev
                    for _, passed in history[base:]:
                        op = transform(op, passed, later=True)
                    text = apply(text, op)
                    history.append((writer, op))
                    operations_made += 1
                case _:
                    hear_next(writer, history)
        for writer in writers:
            while writer.rev < len(history):
                hear_next(writer, history)
            assert writer.under_way is None
            expected = text if writer.buffer is None else apply(text, writer.buffer)
            assert writer.text == expected
        histories += 1
    print(f"{operations_made} operations in {histories} histories: every writer has the server's text")


def hear_next(writer: Writer, history: list[tuple[Writer, Operation]]) -> None:
    if writer.rev == len(history):
        return
    author, op = history[writer.rev]
    if author is writer:
        writer.acked()
    else:
        writer.hear(op)


def random_operation(chance: random.Random, size: int) -> Operation:
    at = chance.randint(0, size)
    head = (at,) if at else ()
    if chance.random() < 0.6 or at == size:
        return (*head, chance.choice("abcdefgh") * chance.randint(1, 3))
    gone = -chance.randint(1, size - at)
    return (*head, gone) if chance.random() < 0.7 else (*head, *chance.sample([gone, "new"], 2))
