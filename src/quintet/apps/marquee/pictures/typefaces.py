"""The fonts that pictures are measured and drawn with: Noto Sans, and behind it Noto Sans CJK.

Invariant: the same on every machine, since the fonts are packages of ours and none of the machine's is used.
Between them they know Latin, Greek, Cyrillic, Devanagari, Han, kana and Hangul; any other letter is a box.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import as_file, files
from itertools import groupby
from typing import Final, Literal

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

Family = Literal["plain", "wide"]
_FILES: Final = {
    "plain": ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    "wide": ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
}
_BOLD, _REGULAR, _FULL_WIDTH = 600, 400, 100
_LOOK_SIZE: Final = 16
_NEVER_A_LETTER: Final = "\U0010ffff"  # drawn as the font's box for what it does not know


@cache
def face(family: Family, size: int, *, bold: bool) -> FreeTypeFont:
    """The font at a size in pixels."""
    package, name = _FILES[family]
    with as_file(files(package).joinpath(name)) as path:
        font = ImageFont.truetype(str(path), size)
    if family == "plain":
        font.set_variation_by_axes([_BOLD if bold else _REGULAR, _FULL_WIDTH])
    return font


def width_of(text: str, size: int, bold: bool) -> float:
    """How wide the text is, in pixels: its letters side by side, unkerned."""
    return sum(_advance(letter, size, bold) for letter in text)


def runs(text: str) -> Iterator[tuple[Family, str]]:
    """The text in pieces, each with the font that draws it."""
    for family, letters in groupby(text, family_of):
        yield family, "".join(letters)


def family_of(letter: str) -> Family:
    """The first font that knows the letter; where none does, the one whose box stands for it."""
    if letter.isascii() or _knows("plain", letter):
        return "plain"
    return "wide" if _knows("wide", letter) else "plain"


@lru_cache(maxsize=50_000)
def _knows(family: Family, letter: str) -> bool:
    return _shape(family, letter) != _box(family)


@cache
def _box(family: Family) -> bytes:
    return _shape(family, _NEVER_A_LETTER)


def _shape(family: Family, letter: str) -> bytes:
    paper = Image.new("1", (2 * _LOOK_SIZE, 2 * _LOOK_SIZE))
    place = (_LOOK_SIZE // 2, _LOOK_SIZE // 4)
    ImageDraw.Draw(paper).text(place, letter, fill=1, font=face(family, _LOOK_SIZE, bold=False))
    return paper.tobytes()


@lru_cache(maxsize=50_000)
def _advance(letter: str, size: int, bold: bool) -> float:
    return face(family_of(letter), size, bold=bold).getlength(letter)
