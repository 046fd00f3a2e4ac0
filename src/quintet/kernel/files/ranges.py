"""Which part of a file a request asks for (RFC 9110, sections 13.1.5 and 14)."""

import re
from typing import Final

import msgspec

# Digits are bounded, since reading a number costs more the longer it is; no file has this many bytes.
_ONE_RANGE: Final = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*", re.IGNORECASE | re.ASCII)


class Part(msgspec.Struct, frozen=True):
    """The bytes from `start` to before `stop`."""

    start: int
    stop: int


class Unsatisfiable(Exception):
    """The range asked for lies behind the file's end."""


def part_asked_for(header: str | None, if_range: str | None, size: int, etag: str) -> Part | None:
    """The part that a `Range` header names of a file of `size` bytes; None where the whole file is due.

    That is: without the header, with one that does not parse or names several ranges (which may be answered
    with the whole), and with an `If-Range` that is not exactly the tag `etag`, quotes included.
    Raises Unsatisfiable.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match[1], match[2]
    if not first:
        if not last:
            return None
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return Part(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return Part(int(first), min(size, int(last) + 1) if last else size)
