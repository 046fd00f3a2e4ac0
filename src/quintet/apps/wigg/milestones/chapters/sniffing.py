"""Telling a chapter file's format by how it begins. Pure."""

import codecs
from typing import Final

from quintet.apps.wigg.milestones.chapters.model import Format, Unreadable
from quintet.apps.wigg.milestones.chapters.text import starts_like_text
from quintet.apps.wigg.milestones.chapters.xml import root_name

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ROOTS: Final[dict[str, Format]] = {"Chapters": "matroska", "chapters": "podlove", "rss": "podlove"}


def format_of(content: bytes) -> Format:
    """The format of a file; raises Unreadable where it begins like none of them."""
    if content.startswith(_ZIP):
        return "epub"
    plain = content.removeprefix(codecs.BOM_UTF8)
    if plain.startswith(b"WEBVTT"):
        return "webvtt"
    if plain.startswith(b";FFMETADATA"):
        return "ffmetadata"
    begin = plain.lstrip()[:1]
    if begin == b"{":
        return "podcasting20"
    if begin == b"<" or content.startswith(_UTF16):
        root = root_name(content)
        if root in _ROOTS:
            return _ROOTS[root]
    elif starts_like_text(plain):
        return "text"
    raise Unreadable("begins like no known format of chapters", line=1)
