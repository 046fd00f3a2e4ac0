"""Operations as clients write them, and positions in their units (Hypothesis)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.documents.slow_text import TEXTS, texts_with

from quintet.domains.documents.ot import (
    MOST_CODE_POINTS,
    MOST_PARTS,
    InvalidOperation,
    Operation,
    OutOfBounds,
    apply,
    parse_ops,
    plain_parts,
    to_codepoints,
    to_json,
    to_utf16,
    transform,
    utf16_length,
)

MANY = settings(max_examples=300)


@MANY
@given(texts_with(1))
def test_what_is_written_is_read_again(made: tuple[str, list[Operation]]) -> None:
    _, (op,) = made
    assert parse_ops(json.loads(json.dumps(to_json(op)))) == op


def test_neighbours_of_one_kind_are_joined_and_the_order_stays() -> None:
    said = [{"retain": 1}, {"retain": 2}, {"delete": 1}, {"delete": 1}, {"insert": "a"}, {"insert": "b"}]
    assert parse_ops(said) == (3, -2, "ab")
    assert parse_ops([{"insert": "a"}, {"delete": 2}]) == ("a", -2)
    assert parse_ops([{"delete": 2}, {"insert": "a"}]) == (-2, "a")
    assert parse_ops([]) == ()


def test_what_is_kept_at_the_end_is_judged_but_not_passed_on() -> None:
    op = parse_ops([{"insert": "a"}, {"retain": 3}])
    assert apply("abc", op) == "aabc"
    with pytest.raises(OutOfBounds):
        apply("ab", op)
    with pytest.raises(OutOfBounds):
        to_codepoints(op, "ab")
    assert transform(op, (3, "x"), later=True) == ("a",)
    assert transform(parse_ops([{"retain": 3}]), ("x",), later=True) == ()
    assert transform(("x",), parse_ops([{"retain": 3}]), later=True) == ("x",)


@pytest.mark.parametrize(
    "said",
    [
        None, "insert", {"insert": "a"}, [None], ["a"], [3], [[]], [{}],
        [{"insert": "a", "delete": 1}], [{"keep": 1}], [{"Insert": "a"}],
        [{"insert": ""}], [{"insert": 1}], [{"insert": None}], [{"insert": "a\0"}],
        [{"insert": "\ud83d"}], [{"insert": "\ud83d"}, {"insert": "\ude00"}],
        [{"retain": 0}], [{"retain": -1}], [{"retain": True}], [{"retain": 1.0}], [{"retain": "1"}],
        [{"delete": 0}], [{"delete": -1}], [{"delete": False}], [{"delete": None}],
        [{"delete": MOST_CODE_POINTS + 1}], [{"retain": 1}] * (MOST_PARTS + 1),
    ],
)  # fmt: skip
def test_what_is_no_list_of_operations_is_refused_with_a_reason(said: Any) -> None:
    with pytest.raises(InvalidOperation) as refused:
        parse_ops(said)
    assert refused.value.reason
    assert len(refused.value.reason) < 100


def as_javascript_sees_it(text: str) -> list[bytes]:
    """Its UTF-16 units, one by one."""
    data = text.encode("utf-16-le")
    return [data[at : at + 2] for at in range(0, len(data), 2)]


def applied_in_utf16(text: str, op: Operation) -> str:
    units, at, pieces = as_javascript_sees_it(text), 0, list[bytes]()
    for part in op:
        if isinstance(part, str):
            pieces.append(part.encode("utf-16-le"))
            continue
        pieces += units[at : at + part] if part > 0 else []
        at += abs(part)
    return b"".join([*pieces, *units[at:]]).decode("utf-16-le")


@MANY
@given(texts_with(1))
def test_units_are_converted_there_and_back(made: tuple[str, list[Operation]]) -> None:
    text, (op,) = made
    narrow = to_utf16(op, text)
    assert applied_in_utf16(text, narrow) == apply(text, op)
    assert to_codepoints(narrow, text) == op
    assert utf16_length(text) == len(as_javascript_sees_it(text))


@MANY
@given(TEXTS, st.data())
def test_a_position_is_refused_exactly_where_it_is_none(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, utf16_length(text) + 2))
    starts = {utf16_length(text[:count]): count for count in range(len(text) + 1)}
    op: Operation = (at, "x") if at else ("x",)
    if at not in starts:
        with pytest.raises(OutOfBounds):
            to_codepoints(op, text)
        return
    assert to_codepoints(op, text) == ((starts[at], "x") if at else ("x",))


def test_half_of_a_pair_can_neither_be_deleted_nor_written_into() -> None:
    for op in ((1, "x"), (-1,), (1, -1), (2, -1), (3, "x")):
        with pytest.raises(OutOfBounds, match="surrogate"):
            to_codepoints(op, "😀🎹")
    assert to_codepoints((2, -2), "😀🎹") == (1, -1)
    for op in ((5,), (-5,), (4, -1)):
        with pytest.raises(OutOfBounds, match="the text has fewer"):
            to_codepoints(op, "😀🎹")
    with pytest.raises(OutOfBounds):
        to_utf16((3, "x"), "😀🎹")


@MANY
@given(texts_with(1))
def test_plain_parts_speak_the_unit_asked_for(made: tuple[str, list[Operation]]) -> None:
    text, (op,) = made
    now = text
    for part in plain_parts(op, text, "utf16"):
        change = part.content if part.type == "Insert" else -part.length
        assert utf16_length(part.content) == part.length
        now = applied_in_utf16(now, (part.position, change))
    assert now == apply(text, op)
