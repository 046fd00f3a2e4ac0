"""Where everything stands in a picture of a tier list. Pure.

Invariant: panels lie inside the picture and never overlap, and every line lies inside its panel, whatever the
titles are. A picture is at most `MOST_HEIGHT` pixels high.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from quintet.apps.marquee.pictures.model import MOST_TITLES, TIERS, ListedTier, ListedTitle, TierList
from quintet.apps.marquee.pictures.wording import cut, plain, wrapped

WIDTH: Final = 1200
_MARGIN: Final = 32
_GAP: Final = 8
_TIER_GAP: Final = 14
_HEADER: Final = 88
_LABEL: Final = 92
_COLUMNS: Final = 6
_TILE: Final = 166
_TILE_HEIGHT: Final = 78
_PADDING: Final = 11
_TITLE_LINES: Final = 2
_LINE_HEIGHT: Final = 20
_BOLD: Final = True
# Viewers draw the SVG in a font of their own, which may be a little wider than ours.
_SLACK: Final = 1.06
_ROWS = -(-(MOST_TITLES + 1) // _COLUMNS)  # one more place says how many are not shown
MOST_HEIGHT: Final = 2 * _MARGIN + _HEADER + len(TIERS) * (_TIER_GAP + _ROWS * (_TILE_HEIGHT + _GAP) - _GAP)

PAPER: Final = "#16131f"
_CARD: Final = "#2a2638"
_INK: Final = "#f6f3fb"
_SOFT: Final = "#b9b2ca"
_DARK_INK: Final = "#1b1722"
# The colours every tier list has. Dark ink on each has a contrast of at least 7 to 1.
_COLOURS: Final = {"S": "#ff7f7f", "A": "#ffbf7f", "B": "#ffdf7f", "C": "#ffff7f", "D": "#bfff7f"}

Anchor = Literal["start", "middle", "end"]
Width = Callable[[str, int, bool], float]  # of a text at a size in pixels, bold or not


class Line(msgspec.Struct, frozen=True):
    """One line of text; `x` and `baseline` count from the panel's corner."""

    text: str
    x: float
    baseline: float
    size: int
    ink: str
    bold: bool = False
    anchor: Anchor = "middle"


class Panel(msgspec.Struct, frozen=True):
    """A rectangle with its lines; what would leave it is cut off."""

    x: int
    y: int
    width: int
    height: int
    fill: str
    radius: int
    lines: list[Line]


class Drawing(msgspec.Struct, frozen=True):
    """All of a picture."""

    height: int
    name: str  # in words, for who cannot see it
    panels: list[Panel]
    width: int = WIDTH


def lay_out(listed: TierList, width_of: Width) -> Drawing:
    """Place everything that a picture of `listed` shows; `width_of` measures, in pixels."""
    owner = plain(listed.owner)
    panels = [_header(listed, owner, width_of)]
    y = _MARGIN + _HEADER
    for tier in listed.tiers:
        y += _TIER_GAP
        placed, height = _tier(tier, y, width_of)
        panels += placed
        y += height
    return Drawing(y + _MARGIN, f"{owner}: films and plays, ranked", panels)


def _header(listed: TierList, owner: str, width_of: Width) -> Panel:
    total = sum(tier.total for tier in listed.tiers)
    count = "Nothing ranked yet" if not total else "1 title" if total == 1 else f"{total:,} titles"
    facts = " · ".join(part for part in ("Films and plays, ranked", count, listed.changed_on) if part)
    width = WIDTH - 2 * _MARGIN
    brand = "MARQUEE"
    free = width - 40 - width_of(brand, 18, _BOLD) * _SLACK
    name = cut(owner, lambda text: width_of(text, 38, _BOLD) * _SLACK, free)
    return Panel(
        _MARGIN,
        _MARGIN,
        width,
        _HEADER,
        PAPER,
        0,
        [
            Line(name, 0, 40, 38, _INK, bold=True, anchor="start"),
            Line(brand, width, 40, 18, _COLOURS["S"], bold=True, anchor="end"),
            Line(facts, 0, 72, 18, _SOFT, anchor="start"),
        ],
    )


def _tier(tier: ListedTier, y: int, width_of: Width) -> tuple[list[Panel], int]:
    """A tier's label and its tiles, and how high they are together."""
    hidden = tier.total - len(tier.titles)
    rows = max(1, -(-(len(tier.titles) + (hidden > 0)) // _COLUMNS))
    height = rows * (_TILE_HEIGHT + _GAP) - _GAP
    middle = height / 2
    label = [Line(tier.name, _LABEL / 2, middle + (8 if tier.total else 15), 42, _DARK_INK, bold=True)]
    if tier.total:
        label.append(Line(f"{tier.total:,}", _LABEL / 2, middle + 28, 14, _DARK_INK))
    panels = [Panel(_MARGIN, y, _LABEL, height, _COLOURS[tier.name], 10, label)]
    for index, title in enumerate(tier.titles):
        panels.append(_tile(index, y, _CARD, _title_lines(title, width_of)))
    if hidden > 0:
        more = Line(f"+ {hidden:,} more", _TILE / 2, _TILE_HEIGHT / 2 + 6, 16, _SOFT, bold=True)
        panels.append(_tile(len(tier.titles), y, PAPER, [more]))
    return panels, height


def _tile(index: int, y: int, fill: str, lines: list[Line]) -> Panel:
    row, column = divmod(index, _COLUMNS)
    x = _MARGIN + _LABEL + _GAP + column * (_TILE + _GAP)
    return Panel(x, y + row * (_TILE_HEIGHT + _GAP), _TILE, _TILE_HEIGHT, fill, 8, lines)


def _title_lines(title: ListedTitle, width_of: Width) -> list[Line]:
    """The title in up to two lines and its year below, in the middle of the tile."""

    def measure(text: str) -> float:
        return width_of(text, 16, _BOLD) * _SLACK

    texts = wrapped(plain(title.title), measure, _TILE - 2 * _PADDING, _TITLE_LINES) or ["?"]
    below = 0 if title.year is None else 18
    top = (_TILE_HEIGHT - len(texts) * _LINE_HEIGHT - below) / 2
    lines = [
        Line(text, _TILE / 2, top + 15 + nth * _LINE_HEIGHT, 16, _INK, bold=True)
        for nth, text in enumerate(texts)
    ]
    if title.year is not None:
        lines.append(Line(str(title.year), _TILE / 2, top + len(texts) * _LINE_HEIGHT + 13, 13, _SOFT))
    return lines
