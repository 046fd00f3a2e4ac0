"""The studio: has pictures drawn in a process beside the server, one at a time.

Invariant: the process is started by the first picture, and ended when nobody has wanted one for a while.
"""

import asyncio
from typing import Final

import msgspec

from quintet.apps.marquee import pictures
from quintet.apps.marquee.pictures.model import Job
from quintet.kernel.beside.workshop import Terms, WorkerDied, Workshop
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import Unavailable

MOST_WAITING: Final = 50
MOST_SECONDS: Final = 10.0  # the largest picture takes about half of one
IDLE_SECONDS: Final = 300.0
_LOOK_EVERY_SECONDS: Final = 60.0


class Studio:
    """The one process that draws for this server process, and the queue before it."""

    def __init__(self) -> None:
        busy = "Many pictures are being drawn: try again in a moment."
        self.workshop = Workshop(pictures.__name__, Terms(1, MOST_WAITING, MOST_SECONDS, IDLE_SECONDS, busy))

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return next(iter(self.workshop.pids), None)

    async def draw(self, job: Job) -> bytes:
        """The picture; raises Unavailable when too many wait, the process dies or takes too long."""
        try:
            return await self.workshop.ask(msgspec.msgpack.encode(job))
        except WorkerDied as error:
            raise Unavailable from error


async def begin_drawing(kernel: Kernel) -> None:
    """Set up the studio; nothing is started yet."""
    kernel.of_parts[Studio] = Studio()


def studio_of(kernel: Kernel) -> Studio:
    """Where this process has its pictures drawn."""
    return kernel.of_parts[Studio]


async def keep_tidy(kernel: Kernel) -> None:
    """Let the process go when it has been idle, and when the server stops."""
    workshop = studio_of(kernel).workshop
    try:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            await workshop.rest()
    finally:
        await workshop.close()
