"""Chapters as WebVTT cues (W3C, WebVTT: The Web Video Text Tracks Format). Pure.

Blocks are taken apart as the specification's parser does (section 6.1); what that parser would drop in
silence, a block that is neither cue, comment, style nor region, is refused here.
"""

import html
import re
from fractions import Fraction
from typing import Final

from quintet.apps.wigg.milestones.chapters.model import (
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    lines_of,
    quoted,
    seconds_of,
    whole_of,
)

_SIGNATURE: Final = re.compile(r"WEBVTT(?:[ \t].*)?", re.DOTALL)
_TIME: Final = r"(?:(\d{2,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING: Final = re.compile(rf"[ \t\f]*{_TIME}[ \t\f]*-->[ \t\f]*{_TIME}(?:[ \t\f].*)?", re.ASCII | re.DOTALL)
_COMMENT: Final = re.compile(r"NOTE(?:[ \t].*)?", re.DOTALL)
_NO_CUE: Final = re.compile(r"(?:STYLE|REGION)[ \t\f]*")
_TAG: Final = re.compile(r"<[^>]*>?")


def read_webvtt(content: bytes) -> Chapters:
    """The cues as chapters; the last cue's end tells how long the whole is. Raises Unreadable."""
    lines = lines_of(content)
    if not _SIGNATURE.fullmatch(lines[0]):
        raise Unreadable("does not begin with WEBVTT", line=1)
    at = 1
    while at < len(lines) and lines[at] and "-->" not in lines[at]:  # the header
        at += 1
    chapters: list[Chapter] = []
    ends: list[Fraction] = []
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        begin, at = at, _end_of_block(lines, at)
        block = lines[begin:at]
        timing = next((i for i, line in enumerate(block[:2]) if "-->" in line), None)
        if timing is None:
            if not (_COMMENT.fullmatch(block[0]) or _NO_CUE.fullmatch(block[0])):
                raise Unreadable(f"neither a cue nor a NOTE: {quoted(block[0])}", line=begin + 1)
            continue
        line = begin + timing + 1
        start, end = _timing(block[timing], line)
        label = html.unescape(_TAG.sub("", " ".join(block[timing + 1 :])))
        chapters.append(Chapter(start, label_of(label, len(chapters) + 1, line=line), line))
        ends.append(end)
    return Chapters(chapters, whole_of(chapters, ends))


def _end_of_block(lines: list[str], begin: int) -> int:
    """Where the block ends: at a blank line, or before an arrow that cannot be this block's own timing."""
    has_timing = False
    for at in range(begin, len(lines)):
        if not lines[at]:
            return at
        if "-->" in lines[at]:
            if has_timing or at > begin + 1:
                return at
            has_timing = True
    return len(lines)


def _timing(line: str, number: int) -> tuple[Fraction, Fraction]:
    match = _TIMING.fullmatch(line)
    if match is None:
        raise Unreadable(f"not a timing: {quoted(line)}", line=number)
    figures = match.groups()
    starts, ends = seconds_of(*figures[:4]), seconds_of(*figures[4:])
    if ends < starts:
        raise Unreadable("ends before it starts", line=number)
    return starts, ends
