"""Reading an old `wigg_points` file: CSV or JSON lines, line by line. Pure.

Invariant: every line that holds anything yields either a point or a reason why not, with its number.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any, BinaryIO, Final

import msgspec

from quintet.apps.wigg.model import NewWigg
from quintet.kernel import json
from quintet.kernel.refusals import InvalidRequest

_USER: Final = ("user_id", "user_email", "email", "username", "user")
_TITLE: Final = ("title_id", "media_id")
_POSITION: Final = ("position_pct", "pct")
_RATINGS: Final = {"zzz": 0, "good": 1, "better": 2, "peak": 3}
_LONGEST_LINE: Final = 1024 * 1024


class OldPoint(msgspec.Struct, frozen=True):
    """A mark of old: who placed it on what."""

    line: int
    user: str
    title_id: str
    mark: NewWigg


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no mark, and why."""

    line: int
    reason: str


def read_points(file: BinaryIO) -> Iterator[OldPoint | BadLine]:
    """Each line of the file as a point or as a bad line; CSV unless it begins with a brace."""
    lines = iter(lambda: file.readline(_LONGEST_LINE), b"")
    first = next(lines, b"").removeprefix(b"\xef\xbb\xbf")
    begin = chain([first], lines)
    rows = _json_rows(begin) if first.lstrip()[:1] in {b"{", b"["} else _csv_rows(begin)
    for line, row in rows:
        yield _point(line, row)


def _json_rows(lines: Iterator[bytes]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                json.check_depth(line)
                yield number, msgspec.json.decode(line)
            except Exception as error:  # noqa: BLE001 (whatever is wrong with it, it is one bad line)
                yield number, f"not JSON: {error}"


def _csv_rows(lines: Iterator[bytes]) -> Iterator[tuple[int, Any]]:
    """Rows as dicts with the number of their first line: a quoted note may go on over several."""
    header = next(lines, b"")
    delimiter = max(",;\t", key=lambda one: header.count(one.encode()))
    # Bytes that are no UTF-8 become lone surrogates, which the check of each row's text refuses.
    texts = (line.decode(errors="surrogateescape") for line in chain([header], lines))
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        yield 1, f"not CSV: {error}"
        return
    if missing := [" or ".join(known) for known in (_USER, _TITLE, _POSITION) if not set(known) & set(names)]:
        yield 1, f"the header has no column {', none '.join(missing)}"
        return
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield number, f"not CSV: {error}"
            continue
        if row is None:
            return
        if not row:
            continue
        if len(row) != len(names):
            yield number, f"{len(row)} columns where the header has {len(names)}"
            continue
        yield number, {name: text for name, text in zip(names, row, strict=True) if text.strip()}


def _point(line: int, row: Any) -> OldPoint | BadLine:
    if isinstance(row, str):
        return BadLine(line, row)
    if not isinstance(row, dict):
        return BadLine(line, "not an object")
    user, title_id, position = (_first(row, names) for names in (_USER, _TITLE, _POSITION))
    for value, names in ((user, _USER), (title_id, _TITLE), (position, _POSITION)):
        if value is None:
            return BadLine(line, f"no {names[0]}")
    given = {
        "position_pct": _number(position),
        "rating": _rating(row.get("rating")),
        "note": row.get("note"),
        "created_at": _zoned(row.get("created_at")),
    }
    try:
        json.check_text(row)
        mark = msgspec.convert(given, NewWigg)
    except msgspec.ValidationError as error:
        return BadLine(line, str(error))
    except InvalidRequest as error:
        return BadLine(line, str(error.detail))
    return OldPoint(line, str(user), str(title_id), mark)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these columns that says anything."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def _number(value: Any) -> Any:
    """A figure as CSV writes it; what is none is left for the check to name."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _rating(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip().lower()
        return _RATINGS.get(
            text, int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else value
        )
    return value


def _zoned(value: Any) -> Any:
    """A time as databases export it: `2024-05-01 12:00:00+00`, or without a zone, which is UTC."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
