"""Reading chapters out of files: seven formats, each in its own module, all pure.

Invariant: whatever the bytes are, `read_chapters` answers chapters or raises `Unreadable` with the line and
the reason; nothing is fetched, nothing is written, and what a file unpacks to is bounded.
"""

from collections.abc import Callable
from typing import Final

from quintet.apps.wigg.milestones.chapters.epub import read_epub
from quintet.apps.wigg.milestones.chapters.ffmetadata import read_ffmetadata
from quintet.apps.wigg.milestones.chapters.matroska import read_matroska
from quintet.apps.wigg.milestones.chapters.model import MOST_CHAPTERS, Chapter, Chapters, Format, Unreadable
from quintet.apps.wigg.milestones.chapters.podcasting20 import read_podcasting20
from quintet.apps.wigg.milestones.chapters.podlove import read_podlove
from quintet.apps.wigg.milestones.chapters.sniffing import format_of
from quintet.apps.wigg.milestones.chapters.text import read_text
from quintet.apps.wigg.milestones.chapters.webvtt import read_webvtt

READERS: Final[dict[Format, Callable[[bytes], Chapters]]] = {
    "webvtt": read_webvtt,
    "ffmetadata": read_ffmetadata,
    "matroska": read_matroska,
    "podcasting20": read_podcasting20,
    "podlove": read_podlove,
    "epub": read_epub,
    "text": read_text,
}

__all__ = ["READERS", "Chapter", "Chapters", "Format", "Unreadable", "format_of", "read_chapters"]


def read_chapters(content: bytes, named: Format | None = None) -> Chapters:
    """The chapters of a file, in its order; sniffed where the format is not named. Raises Unreadable."""
    chapters = READERS[named or format_of(content)](content)
    if len(chapters.items) > MOST_CHAPTERS:
        first_too_many = chapters.items[MOST_CHAPTERS]
        raise Unreadable(
            f"more than {MOST_CHAPTERS} chapters", line=first_too_many.line, part=first_too_many.part
        )
    return chapters
