"""The words of chapter files, and what all their readers share."""

import re
from fractions import Fraction
from typing import Final, Literal

import msgspec

Format = Literal["webvtt", "ffmetadata", "matroska", "podcasting20", "podlove", "epub", "text"]

MOST_CHAPTERS: Final = 1000
LONGEST_LABEL: Final = 120
_LINE_END: Final = re.compile("\r\n|\n|\r")  # and no others: U+2028 may stand in a label
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


class Chapter(msgspec.Struct, frozen=True):
    """A named moment; `at` counts what its file counts, seconds or (in books) characters."""

    at: Fraction
    label: str
    line: int
    part: str = ""  # the file inside an archive that `line` counts in


class Chapters(msgspec.Struct, frozen=True):
    """A file's chapters, and the length of the whole where the file tells it."""

    items: list[Chapter]
    whole: Fraction | None = None
    counts_seconds: bool = True


class Unreadable(Exception):
    """A file that is not what it should be: the reason, and where."""

    def __init__(self, reason: str, *, line: int = 0, part: str = "") -> None:
        place = " ".join(filter(None, (quoted(part) if part else "", f"line {line}" if line else "")))
        super().__init__(f"{place}: {reason}" if place else reason)
        self.line = line


def whole_of(items: list[Chapter], ends: list[Fraction]) -> Fraction | None:
    """How long a file's chapters say the whole is: to the last end, if nothing starts at it or behind it."""
    whole = max(ends, default=Fraction(0))
    return whole if all(chapter.at < whole for chapter in items) else None


def quoted(text: str) -> str:
    """Some of a file's own text, for a message: short and printable."""
    shown = "".join(one if one.isprintable() else "�" for one in text[:60])
    return shown + ("…" if len(text) > 60 else "")


def text_of(content: bytes) -> str:
    """The text of a UTF-8 file, without its byte order mark; raises Unreadable with the line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("not valid UTF-8", line=line_at(content, error.start)) from error
    if "\0" in text:
        raise Unreadable("a NUL character", line=line_at(content, content.index(b"\0")))
    return text


def line_at(content: bytes, offset: int) -> int:
    """The number of the line that a byte stands in, from 1."""
    return 1 + len(re.findall(b"\r\n|\n|\r", content[:offset]))


def lines_of(content: bytes) -> list[str]:
    """The lines of a UTF-8 file; raises Unreadable."""
    return _LINE_END.split(text_of(content))


def label_of(text: str, number: int, *, line: int, part: str = "") -> str:
    """A chapter's label: one line, cut at 120 characters; one without letters is called by its number.

    Cut and not refused, since real files hold whole sentences. Raises Unreadable for what is no text.
    """
    if _NO_TEXT.search(text):
        raise Unreadable("a NUL character or a lone surrogate in a label", line=line, part=part)
    label = " ".join(text.split())
    if len(label) > LONGEST_LABEL:
        label = label[: LONGEST_LABEL - 1].rstrip() + "…"
    return label or f"Chapter {number}"


def seconds_of(hours: str | None, minutes: str | None, seconds: str, fraction: str | None) -> Fraction:
    """Clock figures as seconds, exactly."""
    whole = Fraction(int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds))
    return whole + (Fraction(int(fraction), 10 ** len(fraction)) if fraction else 0)
