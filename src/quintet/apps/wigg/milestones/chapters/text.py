"""Chapters as people type them: lines of `MM:SS label` or `H:MM:SS label`. Pure."""

import re
from typing import Final

from quintet.apps.wigg.milestones.chapters.model import (
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    lines_of,
    quoted,
    seconds_of,
)

_TIME: Final = r"(?:(\d{1,4}):([0-5]\d)|(\d{1,4})):([0-5]\d)(?:[.,](\d{1,9}))?"
# A dash between time and label, as video descriptions have it, is no part of the label.
_LINE: Final = re.compile(rf"{_TIME}(?:\s+(?:[-–—|]\s+)?(\S.*))?", re.ASCII | re.DOTALL)  # noqa: RUF001 (files have it)
_BEGIN: Final = re.compile(rb"\s*\d{1,4}:[0-5]\d")


def starts_like_text(content: bytes) -> bool:
    """Whether the first line that is not blank begins with a time."""
    return _BEGIN.match(content) is not None


def read_text(content: bytes) -> Chapters:
    """The chapters of such lines; blank ones are skipped. Raises Unreadable."""
    chapters: list[Chapter] = []
    for number, line in enumerate(lines_of(content), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise Unreadable(f"not “MM:SS label” or “H:MM:SS label”: {quoted(line)}", line=number)
        hours, minutes, only_minutes, seconds, fraction, label = match.groups()
        if label is None:
            raise Unreadable("a time without a label", line=number)
        at = seconds_of(hours, minutes or only_minutes, seconds, fraction)
        chapters.append(Chapter(at, label_of(label, len(chapters) + 1, line=number), number))
    if not chapters:
        raise Unreadable("the file is empty", line=1)
    return Chapters(chapters)
