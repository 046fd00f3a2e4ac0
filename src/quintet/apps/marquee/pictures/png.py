"""A drawing as PNG, by Pillow. Runs in the process that draws, never in one that answers.

Invariant: each panel is drawn on paper of its own, so nothing can leave it.
"""

import io
from typing import Final

from PIL import Image, ImageDraw

from quintet.apps.marquee.pictures.layout import PAPER, Drawing, Line, Panel
from quintet.apps.marquee.pictures.typefaces import face, runs

# Everything is drawn so much larger and scaled down: smooth corners, and letters that stand where they should
# and not on the nearest whole pixel.
_FINER: Final = 2


def png_of(drawing: Drawing) -> bytes:
    """The picture, one pixel for each of the drawing's."""
    picture = Image.new("RGB", (drawing.width, drawing.height), PAPER)
    for panel in drawing.panels:
        picture.paste(_panel(panel), (panel.x, panel.y))
    # Flat colours and text: a palette of 256 halves the file, and nobody sees the difference.
    out = io.BytesIO()
    flat = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    flat.save(out, "PNG")
    return out.getvalue()


def _panel(panel: Panel) -> Image.Image:
    width, height = panel.width * _FINER, panel.height * _FINER
    paper = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(paper)
    if panel.fill != PAPER:
        pen.rounded_rectangle((0, 0, width - 1, height - 1), panel.radius * _FINER, fill=panel.fill)
    for line in panel.lines:
        _write(pen, line)
    return paper.reduce(_FINER)


def _write(pen: ImageDraw.ImageDraw, line: Line) -> None:
    pieces = [(face(family, line.size * _FINER, bold=line.bold), text) for family, text in runs(line.text)]
    whole = sum(font.getlength(text) for font, text in pieces)
    x = line.x * _FINER - {"start": 0.0, "middle": whole / 2, "end": whole}[line.anchor]
    for font, text in pieces:
        pen.text((x, line.baseline * _FINER), text, fill=line.ink, font=font, anchor="ls")
        x += font.getlength(text)
