"""Text from people, made fit to stand in a picture. Pure.

Invariant: what comes out holds no control, no character that XML forbids, and nothing that reorders or
overprints its neighbours; and no more lines, nor wider ones, than were asked for.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

Measure = Callable[[str], float]
ELLIPSIS: Final = "…"
MOST_CHARACTERS: Final = 160  # more than two lines ever hold; measuring goes no further
_MOST_MARKS: Final = 2  # on one letter: a tower of marks would stand on other people's titles
_JOINERS: Final = "\u200c\u200d"  # Persian words and joined emoji need them
# Lines may break beside any of these: kana, Han, Hangul and their punctuation.
_WIDE = "\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PIECE = re.compile(rf"\s*(?:[{_WIDE}]|[^\s{_WIDE}]+)")


def plain(text: str) -> str:
    """The text on one line, composed (NFC), without controls, and no longer than `MOST_CHARACTERS`."""
    kept: list[str] = []
    marks = 0
    # Cut before it is composed: a text of megabytes costs no more than a long title.
    for character in unicodedata.normalize("NFC", text[: 4 * MOST_CHARACTERS]):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind.startswith("M") else 0
        if marks > _MOST_MARKS:
            continue
        if kind == "Cc" or character.isspace():
            kept.append(" ")
        elif character in _JOINERS or not (kind in {"Cf", "Co", "Cs"} or _is_no_character(character)):
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1].rstrip() + ELLIPSIS


def cut(text: str, measure: Measure, width: float) -> str:
    """As much of the text's beginning as fits into `width`, with an ellipsis where anything is missing."""
    if measure(text) <= width:
        return text
    while text:
        text = _without_last_letter(text).rstrip()
        if measure(text + ELLIPSIS) <= width:
            return text + ELLIPSIS
    return ""


def wrapped(text: str, measure: Measure, width: float, most_lines: int) -> list[str]:
    """The text in at most `most_lines` lines no wider than `width`; the last one is cut where it must be."""
    lines: list[str] = []
    rest = text.strip()
    while rest and len(lines) < most_lines - 1:
        line = _first_line(rest, measure, width)
        if not line:
            break
        lines.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    if rest and (last := cut(rest, measure, width)):
        lines.append(last)
    return lines


def _first_line(text: str, measure: Measure, width: float) -> str:
    """The longest beginning that fits and ends where a line may break; of one long word, as much as fits."""
    line = ""
    for match in _PIECE.finditer(text):
        if measure(line + match.group()) > width:
            break
        line += match.group()
    if line:
        return line
    for letter in _letters(text):
        if measure(line + letter) > width:
            break
        line += letter
    return line


def _letters(text: str) -> Iterator[str]:
    """The text in pieces that cannot be torn: a letter with its marks and joiners."""
    letter = ""
    for character in text:
        if letter and not _clings(character) and letter[-1] not in _JOINERS:
            yield letter
            letter = ""
        letter += character
    if letter:
        yield letter


def _without_last_letter(text: str) -> str:
    end = len(text) - 1
    while end > 0 and (_clings(text[end]) or text[end - 1] in _JOINERS):
        end -= 1
    return text[:end]


def _clings(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character).startswith("M")


def _is_no_character(character: str) -> bool:
    """Whether Unicode promises never to give this code point a meaning (XML forbids two of them)."""
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
