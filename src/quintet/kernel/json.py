"""JSON in and out: strict, bounded in depth, and with an entry and a pointer for whatever is wrong.

Invariant: no text with NUL or a lone surrogate gets past `decode`, so none reaches the database.
"""

import json
import re
from functools import cache
from itertools import accumulate
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from quintet.kernel.clock import Instant
from quintet.kernel.refusals import Fault, InvalidRequest, MalformedJson, NotUtf8, TooDeep, invalid

T = TypeVar("T")
MAX_DEPTH = 32
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # up and, as a signed byte, down
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = (
    (re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL), "unknown_field"),
    (re.compile(r"Object missing required field `(?P<field>.*)`"), "missing"),
    (re.compile(r"Expected `str` of length <="), "too_long"),
    (re.compile(r"Expected `\w+`(?: of length)? [<>=]"), "out_of_range"),
    (re.compile(r"Number out of range"), "not_finite"),
    (re.compile(r"Integer value out of range"), "out_of_range"),
    (re.compile(r"Invalid (?:enum )?value"), "out_of_range"),
    (re.compile(r"Expected `str` matching regex"), "invalid_text"),
)


class HasServerOwnedFields(Protocol):
    """A body type that ignores the fields of its resource which the server owns."""

    server_owned: ClassVar[frozenset[str]]


def _encode_other(value: object) -> object:
    if isinstance(value, Instant):
        return str(value)
    raise NotImplementedError(type(value))  # how msgspec wants to hear "not mine"


_encoder = msgspec.json.Encoder(enc_hook=_encode_other)
encode = _encoder.encode


@cache
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted, strict=True)


def decode(body: bytes, wanted: type[T]) -> T:
    """The body as a `wanted`, strictly.

    Raises MalformedJson, NotUtf8, TooDeep, or InvalidRequest with one entry and its pointer.
    """
    check_depth(body)
    try:
        if hasattr(wanted, "server_owned"):
            value = _decode_ignoring(body, wanted)
        else:
            value = _decoder(wanted).decode(body)
    except msgspec.ValidationError as error:
        raise refusal_for(error) from error
    except UnicodeDecodeError as error:
        raise NotUtf8 from error
    except msgspec.DecodeError as error:
        raise _unreadable(body, str(error)) from error
    if b"\\u0000" in body:
        check_text(msgspec.to_builtins(value, enc_hook=_encode_other))
    return value


def _decode_ignoring(body: bytes, wanted: Any) -> Any:
    """Decode after dropping the server's own fields: front ends send whole objects back."""
    raw = msgspec.json.decode(body)
    if isinstance(raw, dict):
        raw = {name: value for name, value in raw.items() if name not in wanted.server_owned}
    return msgspec.convert(raw, wanted, strict=True)


def check_depth(body: bytes) -> None:
    """Raise TooDeep past 32 levels; done before decoding, whose recursion a hostile body could exhaust.

    Everything here runs over the bytes in C, so that a mebibyte of brackets holds nobody else up.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", body).translate(_STEPS, _NO_BRACKETS)
    if max(accumulate(memoryview(brackets).cast("b")), default=0) > MAX_DEPTH:
        raise TooDeep(f"at most {MAX_DEPTH} levels")


def _unreadable(body: bytes, reason: str) -> Exception:
    """Msgspec calls a lone surrogate truncated data; the caller deserves the true reason."""
    try:
        check_text(json.loads(body))
    except InvalidRequest as refusal:
        return refusal
    except ValueError:
        pass
    return MalformedJson(reason)


def refusal_for(error: msgspec.ValidationError) -> InvalidRequest:
    """What msgspec says, as an `invalid_request` with code, message and pointer (RFC 6901)."""
    message, _, path = str(error).partition(" - at `$")
    pointer = _pointer(path.rstrip("`"))
    for pattern, code in _KINDS:
        if match := pattern.match(message):
            if (field := match.groupdict().get("field")) is not None:
                pointer += f"/{_escaped(field)}"
            return InvalidRequest(message, errors=[Fault(code, message, pointer=pointer)])
    return InvalidRequest(message, errors=[Fault("wrong_type", message, pointer=pointer)])


def _pointer(path: str) -> str:
    # Of a key that is not a field msgspec says only `[...]`: the pointer ends at the object that holds it.
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path.partition("[...]")[0])
    return "".join(f"/{name or index}" for name, index in parts)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def check_text(value: object, pointer: str = "") -> None:
    """Raise `invalid_text` for a NUL or a lone surrogate anywhere in plain JSON data."""
    if isinstance(value, str):
        if "\0" in value or _LONE_SURROGATE.search(value):
            raise invalid("invalid_text", "text with NUL or a lone surrogate", pointer=pointer)
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_text(name, pointer)
            check_text(inner, f"{pointer}/{_escaped(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            check_text(inner, f"{pointer}/{index}")
