"""Chapters as mkvmerge and mkvextract write them in XML (RFC 9559, section 5.1.7). Pure.

Of several editions the default one counts, else the first that is not hidden; of several names of a chapter
the first in English or in no language, else the first. What is hidden or not enabled is left out, with all
that is nested in it; nested chapters follow the one they are part of.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from quintet.apps.wigg.milestones.chapters.model import (
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    quoted,
    seconds_of,
    whole_of,
)
from quintet.apps.wigg.milestones.chapters.xml import Element, parse

_TIME: Final = re.compile(r"(\d{1,6}):([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,9}))?", re.ASCII)
_PREFERRED: Final = {"eng", "en", "und"}


def read_matroska(content: bytes) -> Chapters:
    """The chapters of the edition that counts. Raises Unreadable."""
    root = parse(content)
    if root.name != "Chapters":
        raise Unreadable("the root is not Chapters", line=root.line)
    shown = [one for one in root.children("EditionEntry") if not _flag(one, "EditionFlagHidden")]
    edition = next((one for one in shown if _flag(one, "EditionFlagDefault")), shown[0] if shown else None)
    if edition is None:
        raise Unreadable("no edition that may be shown", line=root.line)
    chapters: list[Chapter] = []
    ends: list[Fraction] = []
    for atom in _shown_atoms(edition):
        start, end = (_time(atom, name) for name in ("ChapterTimeStart", "ChapterTimeEnd"))
        if start is None:
            raise Unreadable("a chapter without ChapterTimeStart", line=atom.line)
        label = label_of(_name(atom), len(chapters) + 1, line=atom.line)
        chapters.append(Chapter(start, label, atom.line))
        ends += [end] if end is not None else []
    return Chapters(chapters, whole_of(chapters, ends))


def _shown_atoms(above: Element) -> Iterator[Element]:
    for atom in above.children("ChapterAtom"):
        if _flag(atom, "ChapterFlagEnabled", default=True) and not _flag(atom, "ChapterFlagHidden"):
            yield atom
            yield from _shown_atoms(atom)


def _flag(element: Element, name: str, *, default: bool = False) -> bool:
    text = element.text_of(name)
    return default if text is None else text != "0"


def _time(atom: Element, name: str) -> Fraction | None:
    element = atom.child(name)
    if element is None:
        return None
    match = _TIME.fullmatch(element.text().strip())
    if match is None:
        raise Unreadable(f"not a time: {quoted(element.text())}", line=element.line)
    return seconds_of(*match.groups())


def _name(atom: Element) -> str:
    displays = atom.children("ChapterDisplay")
    for display in displays:
        languages = [
            (language.text().strip() or "eng").partition("-")[0]
            for name in ("ChapterLanguage", "ChapLanguageIETF", "ChapterLanguageIETF")
            for language in display.children(name)
        ]
        if not languages or _PREFERRED & set(languages):
            return display.text_of("ChapterString") or ""
    return (displays[0].text_of("ChapterString") or "") if displays else ""
