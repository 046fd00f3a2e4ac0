"""Podlove Simple Chapters 1.2, on their own or inside a feed of one episode. Pure."""

import re
from typing import Final

from quintet.apps.wigg.milestones.chapters.model import (
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    quoted,
    seconds_of,
)
from quintet.apps.wigg.milestones.chapters.xml import parse

# Normal Play Time (RFC 2326, 3.6), and MM:SS, which the format's own examples have.
_TIME: Final = re.compile(
    r"(?:(?:(\d{1,6}):)?(\d{1,2}):(?=[0-5]\d(?:\.|$)))?(\d{1,9})(?:\.(\d{0,9}))?", re.ASCII
)


def read_podlove(content: bytes) -> Chapters:
    """The chapters. Raises Unreadable."""
    root = parse(content)
    found = list(root.all("chapters"))
    if len(found) != 1:
        where = found[1].line if found else root.line
        raise Unreadable("several lists of chapters" if found else "no list of chapters", line=where)
    chapters: list[Chapter] = []
    for element in found[0].children("chapter"):
        start = element.attributes.get("start")
        if start is None or "title" not in element.attributes:
            raise Unreadable("a chapter without start or title", line=element.line)
        match = _TIME.fullmatch(start.strip())
        if match is None or int(match[2] or 0) > 59:
            raise Unreadable(f"not a time: {quoted(start)}", line=element.line)
        label = label_of(element.attributes["title"], len(chapters) + 1, line=element.line)
        chapters.append(Chapter(seconds_of(*match.groups()), label, element.line))
    return Chapters(chapters)
