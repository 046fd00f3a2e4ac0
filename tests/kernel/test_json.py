"""JSON in: strict, bounded, and told exactly what is wrong where."""

import contextlib
import json as stdlib
import time
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world import World, code_of, new_title

from quintet.kernel import json
from quintet.kernel.refusals import InvalidRequest, MalformedJson, NotUtf8, Refusal, TooDeep


class Body(msgspec.Struct, forbid_unknown_fields=True):
    any: Any = None
    many: list[dict[str, int]] = []
    number: float = 0
    text: str = ""


class Owned(msgspec.Struct, forbid_unknown_fields=True):
    server_owned: ClassVar[frozenset[str]] = frozenset({"id", "stats"})
    text: str = ""
    any: Any = None


def refused(body: bytes, wanted: Any = Body) -> Refusal:
    with pytest.raises(Refusal) as caught:
        json.decode(body, wanted)
    return caught.value


def faults(body: bytes, wanted: Any = Body) -> list[tuple[str, str | None]]:
    refusal = refused(body, wanted)
    assert isinstance(refusal, InvalidRequest), refusal
    return [(fault.code, fault.pointer) for fault in refusal.errors]


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_32_levels_and_no_more(opening: bytes, closing: bytes) -> None:
    inner = b'{"any":' + opening * 31 + b"1" + closing * 31 + b"}"
    assert json.decode(inner, Body).any is not None
    deeper = b'{"any":' + opening * 32 + b"1" + closing * 32 + b"}"
    assert isinstance(refused(deeper), TooDeep)
    assert isinstance(refused(deeper, Owned), TooDeep)


def test_depth_is_refused_before_anything_is_decoded() -> None:
    assert isinstance(refused(b"\xff" + b"[" * 33), TooDeep)
    assert isinstance(refused(b"[" * 33), TooDeep)  # not even closed


@pytest.mark.parametrize(
    "text", ["[" * 100, "{[" * 100, '\\"[' * 100, "\\" * 100 + "[" * 50, '"[' * 60, "]" * 50 + "[" * 90]
)
def test_brackets_in_strings_do_not_count(text: str) -> None:
    body = stdlib.dumps({"text": text, "any": [[[text]]]}).encode()
    assert json.decode(body, Body).text == text


_NESTED = st.recursive(
    st.none() | st.text('"\\[]{}a', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\[]{}', max_size=3), inner, max_size=2)
    ),
    max_leaves=20,
)


@given(_NESTED, st.integers(0, 40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_depth_is_what_a_walk_says(value: Any, more: int, as_object: bool) -> None:
    for _ in range(more):
        value = {"k[": value} if as_object else [value]

    def depth(one: Any) -> int:
        if isinstance(one, dict):
            return 1 + max(map(depth, one.values()), default=0)
        return 1 + max(map(depth, one), default=0) if isinstance(one, list) else 0

    body = stdlib.dumps(value).encode()
    if depth(value) > 32:
        assert isinstance(refused(body, Any), TooDeep)
    else:
        json.check_depth(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10**6, b"]" * 10**6, b"[]" * (10**6 // 2), b"[" + b"[]," * (10**6 // 3) + b"1]",
        b'"' * 10**6, b'"' + b"\\" * 10**6, b'{"text":"' + b'\\"[' * (10**6 // 3) + b'"}',
        b'"[' * (10**6 // 2),
    ],
    ids=lambda body: body[:8].decode(),
)  # fmt: skip
def test_a_million_brackets_are_cheap(body: bytes) -> None:
    begun = time.process_time()
    with contextlib.suppress(Refusal):
        json.decode(body, Body)
    assert time.process_time() - begun < 0.4


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"nul", b"{'text': 1}", b'{"text": "a"} x', b"{}{}", b'{"number": NaN}',
        b'{"number": Infinity}', b'{"number": -Infinity}', b'{"number": 01}', b'{"number": .5}',
        b'{"text": "\x01"}',
        b'{"text": "a\nb"}', b'{"text": "\\x41"}', b'{"text": "\\u12"}', b'{"text":"a",}',
        b"\xef\xbb\xbf{}", b"// x\n{}",
        '{"text": "x"}'.encode("utf-16"), b"\x00", b'{"text": "\x00"}',
    ],
)  # fmt: skip
def test_malformed(body: bytes) -> None:
    assert isinstance(refused(body), MalformedJson)
    assert isinstance(refused(body, Owned), MalformedJson)


@pytest.mark.parametrize(
    "body", [b'{"text": "\xff"}', b'{"text": "\xc0\xaf"}', b'{"\xff": 1}', b'{"any": {"\xed\xa0\x80": 1}}']
)
def test_not_utf8(body: bytes) -> None:
    assert isinstance(refused(body), NotUtf8)
    assert isinstance(refused(body, Owned), NotUtf8)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (rb'{"text": "a\u0000b"}', "invalid_text", "/text"),
        (rb'{"any": ["x", {"a": "\u0000"}]}', "invalid_text", "/any/1/a"),
        (rb'{"any": {"a/b~c": {"": "\u0000"}}}', "invalid_text", "/any/a~1b~0c/"),
        (rb'{"any": {"\u0000": 1}}', "invalid_text", "/any"),
        (rb'{"text": "\ud800"}', "invalid_text", "/text"),
        (rb'{"text": "\udc00\ud800"}', "invalid_text", "/text"),
        (rb'{"any": [{"b~": "x\uD83D"}]}', "invalid_text", "/any/0/b~0"),
        (b'{"number": 1e999}', "not_finite", "/number"),
        (b'{"any": {"deep": [-1e999]}}', "not_finite", "/any"),
        (b'{"number": "1"}', "wrong_type", "/number"),
        (b'{"number": true}', "wrong_type", "/number"),
        (b'{"number": null}', "wrong_type", "/number"),
        (b'{"many": [{}, {"a": "x"}]}', "wrong_type", "/many/1"),
        (b'{"many": [{"a": 1}, 7]}', "wrong_type", "/many/1"),
        (b'{"any": ' + b"9" * 5000 + b"}", "out_of_range", "/any"),
        (b'{"a/b~c": 1}', "unknown_field", "/a~1b~0c"),
        (b'{"a\\nb": 1}', "unknown_field", "/a\nb"),
        (b'{"": 1}', "unknown_field", "/"),
        (b"[]", "wrong_type", ""),
        (b"null", "wrong_type", ""),
        (b'"text"', "wrong_type", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(body: bytes, code: str, pointer: str) -> None:
    assert faults(body) == [(code, pointer)]


def test_server_owned_fields_are_dropped_whatever_they_hold() -> None:
    assert json.decode(b'{"id": {"x": [1]}, "stats": null, "text": "t"}', Owned) == Owned("t")
    assert faults(b'{"id": 1, "ids": 1}', Owned) == [("unknown_field", "/ids")]
    assert faults(b'{"text": 1, "id": 2}', Owned) == [("wrong_type", "/text")]
    assert faults(rb'{"any": "\u0000"}', Owned) == [("invalid_text", "/any")]
    assert faults(b"[]", Owned) == [("wrong_type", "")]


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert json.decode(b'{"text": "a", "text": "b"}', Body).text == "b"
    assert json.decode(b'{"text": "a", "text": "b"}', Owned).text == "b"


def test_text_beyond_the_basic_plane_is_text() -> None:
    assert json.decode(rb'{"text": "\ud83d\ude00"}', Body).text == "😀"


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_decoded_or_refused(body: bytes) -> None:
    for wanted in (Body, Owned):
        try:
            value = json.decode(body, wanted)
        except Refusal:
            continue
        assert isinstance(value, wanted)


async def test_through_the_door(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    headers = {"Content-Type": "application/json"}
    for body, status, code in (
        (b"", 422, "invalid_request"),  # no body at all is a missing one
        (b" ", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b'{"position_pct": NaN}', 400, "malformed_json"),
        (b'{"position_pct": 1, "note": "\xff"}', 400, "not_utf8"),
        (b'{"position_pct": ' + b"[" * 33, 400, "too_deep"),
        (b'{"position_pct": 1e999}', 422, "invalid_request"),
        (b'{"position_pct": 1} {}', 400, "malformed_json"),
    ):
        answer = await ada.post(f"/api/titles/{title}/wiggs", content=body, headers=headers)
        assert code_of(answer) == (status, code), (body, answer.text)
    assert (await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"] == []
