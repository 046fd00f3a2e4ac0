"""The process that draws: it takes lists and answers pictures.

Invariant: it knows no secret, and reaches no network and no database.
"""

import msgspec

from quintet.apps.marquee.pictures.layout import lay_out
from quintet.apps.marquee.pictures.model import Job
from quintet.apps.marquee.pictures.png import png_of
from quintet.apps.marquee.pictures.svg import svg_of
from quintet.apps.marquee.pictures.typefaces import width_of
from quintet.kernel.beside.worker import serve


def draw(job: Job) -> bytes:
    """The picture."""
    drawing = lay_out(job.listed, width_of)
    return svg_of(drawing) if job.form == "svg" else png_of(drawing)


def main() -> None:
    """Draw for whoever started this."""
    serve(lambda body: draw(msgspec.msgpack.decode(body, type=Job)))
