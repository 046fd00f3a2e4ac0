"""The studio: has pictures drawn in a process beside the server, one at a time.

Invariant: drawing never holds up answering. The process is started by the first picture, ended when nobody
has wanted one for a while and with the server, and replaced when it dies or takes too long.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

import msgspec

from quintet.apps.marquee import pictures
from quintet.apps.marquee.pictures.model import Job
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import Unavailable
from quintet.kernel.telemetry import get_logger

MOST_WAITING: Final = 50
MOST_SECONDS: Final = 10.0  # the largest picture takes about half of one
IDLE_SECONDS: Final = 300.0
_LOOK_EVERY_SECONDS: Final = 60.0


class DrawingFailed(Exception):
    """The process could not draw this: a bug of ours."""


class Studio:
    """The one process that draws for this server process, and the queue before it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: Process | None = None
        self._used_at = 0.0
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return None if self._process is None else self._process.pid

    async def draw(self, job: Job) -> bytes:
        """The picture; raises Unavailable when too many wait, the process dies twice or takes too long."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Many pictures are being drawn: try again in a moment.", 2)
        self._waiting += 1
        try:
            async with self._turn:
                try:
                    return await self._ask(job)
                except (ConnectionError, EOFError):
                    # It may have died long ago, and nobody has noticed until now.
                    return await self._ask(job)
        except (OSError, EOFError) as error:  # TimeoutError is an OSError
            raise Unavailable from error
        finally:
            self._waiting -= 1

    async def _ask(self, job: Job) -> bytes:
        if self._is_closed:
            raise Unavailable
        body = msgspec.msgpack.encode(job)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                process = self._process = self._process or await _start()
                assert process.stdin is not None  # noqa: S101 (it was started with pipes)
                assert process.stdout is not None  # noqa: S101 (likewise)
                process.stdin.write(len(body).to_bytes(4) + body)
                answer = await process.stdout.readexactly(int.from_bytes(await process.stdout.readexactly(4)))
        except BaseException:  # also when cut off: what it would answer now belongs to nobody
            await self._end()
            raise
        self._used_at = asyncio.get_running_loop().time()
        if answer[:1] != b"+":
            raise DrawingFailed(answer[1:].decode())
        return answer[1:]

    async def rest(self) -> None:
        """End the process if nobody has wanted a picture for a while."""
        async with self._turn:
            if asyncio.get_running_loop().time() - self._used_at >= IDLE_SECONDS:
                await self._end()

    async def close(self) -> None:
        """End the process, whatever it does, and start none any more."""
        self._is_closed = True
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()


async def _start() -> Process:
    # Nothing that this server is told in confidence goes along.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUINTET_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", pictures.__name__, stdin=PIPE, stdout=PIPE, env=environment
    )
    get_logger().info("drawing_process_started", drawing_pid=process.pid)
    return process


async def begin_drawing(kernel: Kernel) -> None:
    """Set up the studio; nothing is started yet."""
    kernel.of_parts[Studio] = Studio()


def studio_of(kernel: Kernel) -> Studio:
    """Where this process has its pictures drawn."""
    return kernel.of_parts[Studio]


async def keep_tidy(kernel: Kernel) -> None:
    """Let the process go when it has been idle, and when the server stops."""
    studio = studio_of(kernel)
    try:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            await studio.rest()
    finally:
        await studio.close()
