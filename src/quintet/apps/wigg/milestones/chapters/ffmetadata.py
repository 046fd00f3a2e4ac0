"""Chapters as ffmpeg writes them (ffmpeg-formats, “Metadata”). Pure."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from quintet.apps.wigg.milestones.chapters.model import (
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    lines_of,
    quoted,
    whole_of,
)

_SIGNATURE: Final = re.compile(r";FFMETADATA\d*\s*")
_SECTION: Final = re.compile(r"\[(.*)\]\s*", re.DOTALL)
_ENTRY: Final = re.compile(r"((?:\\.|[^\\=])*)=(.*)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_INTEGER: Final = re.compile(r"-?\d{1,19}", re.ASCII)
_TIMEBASE: Final = re.compile(r"(\d{1,10})/(\d{1,10})", re.ASCII)
_ONE_NANOSECOND: Final = Fraction(1, 10**9)  # what times count where no TIMEBASE is given


def read_ffmetadata(content: bytes) -> Chapters:
    """The `[CHAPTER]` sections; the greatest END tells how long the whole is. Raises Unreadable."""
    lines = lines_of(content)
    if not _SIGNATURE.fullmatch(lines[0]):
        raise Unreadable("does not begin with ;FFMETADATA1", line=1)
    sections: list[tuple[int, dict[str, tuple[int, str]]]] = []
    entries: dict[str, tuple[int, str]] = {}
    for number, line in _entries(lines):
        if section := _SECTION.fullmatch(line):
            entries = {}
            if section[1] == "CHAPTER":
                sections.append((number, entries))
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            raise Unreadable(f"neither key=value nor a section: {quoted(line)}", line=number)
        entries[_ESCAPE.sub(r"\1", entry[1]).lower()] = (number, _ESCAPE.sub(r"\1", entry[2]))
    chapters: list[Chapter] = []
    ends: list[Fraction] = []
    for number, section in sections:
        at, end = _times(section, number)
        line, title = section.get("title", (number, ""))
        chapters.append(Chapter(at, label_of(title, len(chapters) + 1, line=line), number))
        ends += [end] if end is not None else []
    return Chapters(chapters, whole_of(chapters, ends))


def _entries(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers; an escaped end of line belongs to the value."""
    at = 1
    while at < len(lines):
        number, line = at + 1, lines[at]
        at += 1
        if not line.strip() or line.startswith((";", "#")):
            continue
        pieces = [line]
        while _ends_escaped(pieces[-1]) and at < len(lines):
            pieces.append(lines[at])
            at += 1
        yield number, "\n".join(pieces)


def _ends_escaped(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _times(section: dict[str, tuple[int, str]], number: int) -> tuple[Fraction, Fraction | None]:
    """START and END in seconds."""
    unit = _ONE_NANOSECOND
    if "timebase" in section:
        line, text = section["timebase"]
        match = _TIMEBASE.fullmatch(text.strip())
        if match is None or not int(match[1]) or not int(match[2]):
            raise Unreadable(f"not a TIMEBASE: {quoted(text)}", line=line)
        unit = Fraction(int(match[1]), int(match[2]))
    if "start" not in section:
        raise Unreadable("a chapter without START", line=number)
    starts = _integer(section["start"])
    if starts < 0:
        raise Unreadable("starts before the beginning", line=section["start"][0])
    if "end" not in section:
        return starts * unit, None
    ends = _integer(section["end"])
    if ends < starts:
        raise Unreadable("ends before it starts", line=section["end"][0])
    return starts * unit, ends * unit


def _integer(entry: tuple[int, str]) -> int:
    line, text = entry
    figures = text.strip()
    if not _INTEGER.fullmatch(figures):
        raise Unreadable(f"not a number: {quoted(text)}", line=line)
    return int(figures)
