"""JSON chapters of the podcast namespace (Podcasting 2.0, application/json+chapters 1.2). Pure."""

import json
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from quintet.apps.wigg.milestones.chapters.model import (
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    text_of,
    whole_of,
)
from quintet.kernel.json import check_depth
from quintet.kernel.refusals import TooDeep

_LATEST: Final = 10**9
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


_decoder = json.JSONDecoder(parse_constant=_no_number)


def read_podcasting20(content: bytes) -> Chapters:
    """The chapters; those with `toc: false` are left out. Raises Unreadable."""
    text = text_of(content)
    try:
        check_depth(content)
    except TooDeep as error:
        raise Unreadable("nested too deeply", line=1) from error
    chapters: list[Chapter] = []
    ends: list[Fraction] = []
    for line, value in _told(text):
        start, end = _seconds(value, "startTime", line), _seconds(value, "endTime", line)
        if start is None:
            raise Unreadable("a chapter without startTime", line=line)
        ends += [end] if end is not None else []
        if value.get("toc") is False:
            continue
        title = value.get("title") or ""
        if not isinstance(title, str):
            raise Unreadable("a title that is no text", line=line)
        chapters.append(Chapter(start, label_of(title, len(chapters) + 1, line=line), line))
    return Chapters(chapters, whole_of(chapters, ends))


def _seconds(value: dict[str, Any], name: str, line: int) -> Fraction | None:
    seconds = value.get(name)
    if seconds is None:
        return None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise Unreadable(f"a {name} that is no number", line=line)
    if not 0 <= seconds <= _LATEST or not math.isfinite(seconds):
        raise Unreadable(f"a {name} out of range", line=line)
    return Fraction(repr(seconds))


def _told(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each chapter with the line it begins on, by walking down to the array itself."""
    walk = _Walk(text)
    found = False
    for key in walk.members():
        if key != "chapters":
            walk.value()
            continue
        found = True
        for line in walk.elements():
            value = walk.value()
            if not isinstance(value, dict):
                raise Unreadable("a chapter that is no object", line=line)
            yield line, value
    if not found:
        raise Unreadable("no list of chapters", line=1)


class _Walk:
    """A place in a JSON text, and ways onward; each raises Unreadable with the line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0

    def members(self) -> Iterator[str]:
        """The keys of the outermost object; the caller takes each one's value."""
        for _ in self._list("{", "}"):
            key = self.value()
            if not isinstance(key, str):
                raise self._wrong("a key that is no text")
            self._expect(":")
            yield key
        if self._peek():
            raise self._wrong("something behind the end")

    def elements(self) -> Iterator[int]:
        """The line of each element of an array; the caller takes its value."""
        for _ in self._list("[", "]"):
            yield self._here()

    def value(self) -> Any:
        """The whole value that begins here."""
        self._peek()
        try:
            value, self._at = _decoder.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._wrong(error.msg) from error
        except (ValueError, RecursionError) as error:
            raise self._wrong("not a number of JSON") from error
        return value

    def _list(self, begin: str, end: str) -> Iterator[None]:
        self._expect(begin)
        if self._peek() == end:
            self._at += 1
            return
        while True:
            self._peek()
            yield
            if self._peek() == end:
                self._at += 1
                return
            self._expect(",")

    def _peek(self) -> str:
        """The next character that is no space; empty at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, what: str) -> None:
        if self._peek() != what:
            raise self._wrong(f"{what} is expected")
        self._at += 1

    def _here(self) -> int:
        """The line of the present place, counted on from the last time it was asked for."""
        if self._at < self._counted:
            self._line, self._counted = 1, 0
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _wrong(self, reason: str) -> Unreadable:
        return Unreadable(reason, line=self._here())
