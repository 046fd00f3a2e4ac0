"""The process that draws: takes lists from its standard input, answers pictures on its standard output.

Invariant: it knows no secret, reaches no network and no database, and ends when whoever started it does.

Each message has its length before it: four bytes, big-endian. One in is msgpack of a Job; one out is
`+` and the picture, or `-` and what went wrong.
"""

import os
import signal
import sys
import traceback
from typing import BinaryIO

import msgspec

from quintet.apps.marquee.pictures.layout import lay_out
from quintet.apps.marquee.pictures.model import Job
from quintet.apps.marquee.pictures.png import png_of
from quintet.apps.marquee.pictures.svg import svg_of
from quintet.apps.marquee.pictures.typefaces import width_of

_LESS_URGENT = 10  # than answering requests


def draw(job: Job) -> bytes:
    """The picture."""
    drawing = lay_out(job.listed, width_of)
    return svg_of(drawing) if job.form == "svg" else png_of(drawing)


def work(jobs: BinaryIO, pictures: BinaryIO) -> None:
    """Draw until nobody asks any more."""
    while head := jobs.read(4):
        body = jobs.read(int.from_bytes(head))
        try:
            answer = b"+" + draw(msgspec.msgpack.decode(body, type=Job))
        except Exception:  # noqa: BLE001 (whatever it was, whoever asked logs it, and the next list may do)
            answer = b"-" + traceback.format_exc().encode()
        pictures.write(len(answer).to_bytes(4) + answer)
        pictures.flush()


def main() -> None:
    """Serve whoever started this, over its standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this
    if hasattr(os, "nice"):
        os.nice(_LESS_URGENT)
    work(sys.stdin.buffer, sys.stdout.buffer)
