"""The server's side: a few processes of one kind, and the queue before them.

Invariant: the work never holds up answering. Processes are started when they are needed, know nothing that
the server was told in confidence, and are replaced when they die or take too long.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

import msgspec

from quintet.kernel.refusals import Unavailable
from quintet.kernel.telemetry import get_logger

# All that goes along of the environment; the rest may hold passwords, of S3 for instance.
_HARMLESS: Final = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"}
_LONGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024


class WorkFailed(Exception):
    """The process could not do this: a bug of ours."""


class WorkerDied(Exception):
    """The process died of the job."""


class Terms(msgspec.Struct):
    """How a workshop works. A process without work is kept for `idle_seconds`; at 0 each does one job."""

    processes: int
    most_waiting: int
    most_seconds: float
    idle_seconds: float
    busy: str


class Workshop:
    """Has jobs done by `python -m module`."""

    def __init__(self, module: str, terms: Terms) -> None:
        self.terms = terms
        self._module = module
        self._turn = asyncio.Semaphore(terms.processes)
        self._waiting = 0
        self._idle: list[Process] = []
        self._working: set[Process] = set()
        self._used_at = 0.0
        self._is_closed = False

    @property
    def pids(self) -> list[int]:
        """The ids of its processes."""
        return [process.pid for process in (*self._working, *self._idle)]

    async def ask(self, job: bytes, *, file: int | None = None) -> bytes:
        """What the process makes of the job; `file` is a descriptor that it may use under the same number.

        Raises Unavailable when too many wait or it takes too long, WorkerDied, or WorkFailed.
        """
        if self._waiting >= self.terms.most_waiting:
            raise Unavailable(self.terms.busy, 2)
        self._waiting += 1
        try:
            async with self._turn:
                while True:
                    is_used = bool(self._idle)
                    try:
                        return await self._ask(job, file)
                    except (ConnectionError, EOFError) as error:
                        if self._is_closed:
                            raise Unavailable from error
                        if not is_used:
                            raise WorkerDied from error
                        # It may have died long ago, and nobody has noticed until now: another one, then.
        except OSError as error:  # TimeoutError is one
            raise Unavailable from error
        finally:
            self._waiting -= 1

    async def _ask(self, job: bytes, file: int | None) -> bytes:
        if self._is_closed:
            raise Unavailable
        process = None
        try:
            async with asyncio.timeout(self.terms.most_seconds):
                process = self._idle.pop() if self._idle else await self._start(file)
                self._working.add(process)
                answer = await _answer_of(process, job)
        except BaseException:  # also when cut off: what it would answer now belongs to nobody
            await self._end(process)
            raise
        if self.terms.idle_seconds and not self._is_closed:
            self._working.discard(process)
            self._idle.append(process)
            self._used_at = asyncio.get_running_loop().time()
        else:
            await self._end(process)
        if answer[:1] != b"+":
            raise WorkFailed(answer[1:].decode(errors="replace"))
        return answer[1:]

    async def rest(self) -> None:
        """End the processes if nobody has needed one for a while."""
        if asyncio.get_running_loop().time() - self._used_at >= self.terms.idle_seconds:
            while self._idle:
                await self._end(self._idle.pop())

    async def close(self) -> None:
        """End the processes, whatever they do, and start none any more."""
        self._is_closed = True
        while self._idle:
            await self._end(self._idle.pop())
        for process in list(self._working):
            await self._end(process)

    async def _start(self, file: int | None) -> Process:
        environment = {name: value for name, value in os.environ.items() if name in _HARMLESS}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", self._module, stdin=PIPE, stdout=PIPE, env=environment,
            pass_fds=() if file is None else (file,),
        )  # fmt: skip
        get_logger().debug("process_started", module=self._module, process_pid=process.pid)
        return process

    async def _end(self, process: Process | None) -> None:
        if process is None:
            return
        self._working.discard(process)
        if process.returncode is None:
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()


async def _answer_of(process: Process, job: bytes) -> bytes:
    assert process.stdin is not None  # noqa: S101 (it was started with pipes)
    assert process.stdout is not None  # noqa: S101 (likewise)
    process.stdin.write(len(job).to_bytes(4) + job)
    size = int.from_bytes(await process.stdout.readexactly(4))
    if size > _LONGEST_ANSWER_BYTES:
        raise EOFError  # this is not one of ours any more
    return await process.stdout.readexactly(size)
