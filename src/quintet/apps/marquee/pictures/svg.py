"""A drawing as SVG: one self-contained document.

Invariant: nothing in it runs, and nothing in it is fetched from anywhere; text from people stands in it as
escaped text alone.
"""

from typing import Final
from xml.sax.saxutils import escape

from quintet.apps.marquee.pictures.layout import PAPER, Drawing, Line, Panel

_FAMILIES: Final = (
    "'Noto Sans','Helvetica Neue',Helvetica,'Liberation Sans',Arial,'Noto Sans CJK JP','Hiragino Sans',"
    "'Yu Gothic','Noto Color Emoji','Apple Color Emoji','Segoe UI Emoji',sans-serif"
)


def svg_of(drawing: Drawing) -> bytes:
    """The document, in UTF-8. Panels are documents inside it, which cut off whatever leaves them."""
    size = f'width="{drawing.width}" height="{drawing.height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width} {drawing.height}" {size} '
        f'role="img" aria-labelledby="name" font-family="{_FAMILIES}">'
        f'<title id="name">{escape(drawing.name)}</title><rect {size} fill="{PAPER}"/>'
    )
    return "".join([head, *map(_panel, drawing.panels), "</svg>\n"]).encode()


def _panel(panel: Panel) -> str:
    radius = f' rx="{panel.radius}"' if panel.radius else ""
    back = "" if panel.fill == PAPER else f'<rect width="100%" height="100%"{radius} fill="{panel.fill}"/>'
    lines = "".join(map(_line, panel.lines))
    where = f'x="{panel.x}" y="{panel.y}" width="{panel.width}" height="{panel.height}"'
    return f"<svg {where}>{back}{lines}</svg>\n"


def _line(line: Line) -> str:
    # `plaintext`: each line runs the way its own first letter says.
    weight = ' font-weight="600"' if line.bold else ""
    return (
        f'<text x="{line.x:g}" y="{line.baseline:g}" font-size="{line.size}"{weight} fill="{line.ink}" '
        f'text-anchor="{line.anchor}" unicode-bidi="plaintext">{escape(line.text)}</text>'
    )
