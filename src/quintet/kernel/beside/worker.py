"""The process's side: takes jobs from its standard input, gives answers on its standard output.

Invariant: it ends when whoever started it does.

Each message has its length before it: four bytes, big-endian. An answer is `+` and the result, or `-` and
what went wrong.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO, Final

_LESS_URGENT: Final = 10  # than answering requests


def serve(work: Callable[[bytes], bytes]) -> None:
    """Do the work of whoever started this, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this
    if hasattr(os, "nice"):
        os.nice(_LESS_URGENT)
    _serve(work, sys.stdin.buffer, sys.stdout.buffer)


def _serve(work: Callable[[bytes], bytes], jobs: BinaryIO, answers: BinaryIO) -> None:
    while head := jobs.read(4):
        body = jobs.read(int.from_bytes(head))
        try:
            answer = b"+" + work(body)
        except Exception:  # noqa: BLE001 (whatever it was, whoever asked logs it, and the next job may do)
            answer = b"-" + traceback.format_exc().encode()
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()
