"""Fractional keys in PostgreSQL: equal to the published scheme, and between whatever they are asked to be."""

import hashlib
from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors
from tests.apps.marquee.ranking import DIGITS, grown_keys

Cursor = psycopg.Cursor[Any]
SMALLEST = "A" + "0" * 26
LARGEST = "z" * 27


WALK = "00e09fd131a8d06fa7b0f20075db944f40989aad85079056c6ca98ef01916aef"  # the package's


@pytest.fixture(scope="module")
def sql(dsn: str) -> Generator[Cursor]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection.cursor()


def key_between(sql: Cursor, a: str | None, b: str | None) -> str:
    """The key, or what was refused."""
    try:
        row = sql.execute("select marquee.key_between(%s, %s)", (a, b)).fetchone()
    except errors.InvalidParameterValue as error:
        return str(error.diag.message_primary)
    assert row is not None
    return row[0]


def keys_between(sql: Cursor, a: str | None, b: str | None, count: int) -> list[str]:
    row = sql.execute("select marquee.keys_between(%s, %s, %s)", (a, b, count)).fetchone()
    assert row is not None
    return row[0]


# What release 3.2.0 of rocicorp/fractional-indexing answers; the first block is its own table of tests.
@pytest.mark.parametrize(
    ("a", "b", "key"),
    [
        (None, None, "a0"),
        (None, "a0", "Zz"),
        (None, "Zz", "Zy"),
        ("a0", None, "a1"),
        ("a1", None, "a2"),
        ("a0", "a1", "a0V"),
        ("a1", "a2", "a1V"),
        ("a0V", "a1", "a0l"),
        ("Zz", "a0", "ZzV"),
        ("Zz", "a1", "a0"),
        (None, "Y00", "Xzzz"),
        ("bzz", None, "c000"),
        ("a0", "a0V", "a0G"),
        ("a0", "a0G", "a08"),
        ("b125", "b129", "b127"),
        ("a0", "a1V", "a1"),
        ("Zz", "a01", "a0"),
        (None, "a0V", "a0"),
        (None, "b999", "b99"),
        (None, SMALLEST, f"invalid order key: {SMALLEST}"),
        (None, f"{SMALLEST}1", f"{SMALLEST}0V"),
        ("z" * 26 + "y", None, LARGEST),
        (LARGEST, None, f"{LARGEST}V"),
        ("a00", None, "invalid order key: a00"),
        ("a00", "a1", "invalid order key: a00"),
        ("0", "1", "invalid order key head: 0"),
        ("a1", "a0", "a1 >= a0"),
        ("a1", "a1", "a1 >= a1"),
        ("a", None, "invalid order key: a"),
        (None, "b0", "invalid order key: b0"),
        ("a0", "a0" + "0" * 50 + "1", "a0" + "0" * 50 + "0V"),
        ("a0zz", "a1", "a0zzV"),
        ("a", "", "invalid order key: a"),
        ("", None, "invalid order key head: "),
        ("a0!", None, "invalid order key: a0!"),  # here we are stricter: it is no digit
    ],
)
def test_published_vectors(sql: Cursor, a: str | None, b: str | None, key: str) -> None:
    assert key_between(sql, a, b) == key


@pytest.mark.parametrize(
    ("a", "b", "count", "keys"),
    [
        (None, None, 5, "a0 a1 a2 a3 a4"),
        ("ay", None, 4, "az b00 b01 b02"),
        (None, "a0", 5, "Zv Zw Zx Zy Zz"),
        ("a0", "a1", 4, "a08 a0G a0V a0l"),
        ("a0", "a2", 7, "a0G a0V a0l a1 a1G a1V a1l"),
        (None, None, 0, ""),
        ("a0", "a1", 0, ""),
        ("a0", "a1", 1, "a0V"),
    ],
)
def test_several_keys_at_once(sql: Cursor, a: str | None, b: str | None, count: int, keys: str) -> None:
    assert keys_between(sql, a, b, count) == keys.split()


def test_a_walk_is_that_of_the_package(sql: Cursor) -> None:
    """2,000 insertions at places drawn by a fixed generator; the hash of all keys is the package's."""
    keys: list[str] = []
    state = 1
    for number in range(2000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        place = [state % (len(keys) + 1), 0, len(keys), len(keys) // 2][number % 4]
        above = keys[place - 1] if place else None
        keys.insert(place, key_between(sql, above, keys[place] if place < len(keys) else None))
    assert keys == sorted(set(keys))
    print(f"{len(keys)} keys as release 3.2.0 makes them, the longest of {max(map(len, keys))} characters")
    assert hashlib.sha256(" ".join(keys).encode()).hexdigest() == WALK


def test_ten_thousand_keys_are_counted_up(sql: Cursor) -> None:
    keys = keys_between(sql, None, None, 10_000)
    assert keys == grown_keys(10_000) == sorted(keys)
    assert max(map(len, keys)) == 4


fractions = st.text(DIGITS, max_size=6).map(lambda text: text.rstrip("0"))


@st.composite
def order_keys(draw: st.DrawFn) -> str:
    """Any key: a head, as many digits as it asks for, a fraction."""
    head = draw(st.sampled_from("AYZabz"))
    length = ord(head) - 96 if head >= "a" else 91 - ord(head)
    key = head + draw(st.text(DIGITS, min_size=length, max_size=length)) + draw(fractions)
    return "a0" if key == SMALLEST else key


@given(order_keys() | st.none(), order_keys() | st.none(), st.integers(0, 40))
def test_keys_lie_between_and_in_their_order(sql: Cursor, a: str | None, b: str | None, count: int) -> None:
    if a is not None and b is not None:
        if a == b:
            return
        a, b = min(a, b), max(a, b)
    keys = keys_between(sql, a, b, count)
    assert len(keys) == count
    walk = [a or "", *keys, b or "~"]
    assert walk == sorted(set(walk))
    for key in keys:
        assert key_between(sql, key, None) > key > key_between(sql, None, key)  # they are keys themselves
