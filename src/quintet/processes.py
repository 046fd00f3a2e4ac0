"""Several processes on one listener and one database, watched by the one that started them.

Invariant: a process that dies is started again; none outlives the one that watches.
"""

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from quintet.kernel.http.server import ignore_interrupts
from quintet.kernel.telemetry import PROCESS_FIGURES, forget_process, get_logger

STOP_SECONDS: Final = 32.0  # a little more than a process takes at most
PAUSE_SECONDS: Final = 1.0  # before one that died is started again
_LOOK_SECONDS: Final = 0.5


def supervise(
    count: int, work: Callable[..., None], given: tuple[Any, ...], restart_database: Callable[[], bool]
) -> None:
    """Run `work(*given)` in `count` processes until SIGTERM or Ctrl-C.

    `restart_database` is called twice a second and restarts our own database if it has died.
    """
    log = get_logger()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="quintet-figures-") as figures:
        os.environ[PROCESS_FIGURES] = figures  # where the processes keep the figures they add up

        def start() -> BaseProcess:
            process = context.Process(target=_work, args=(work, given))
            process.start()
            return process

        running = [start() for _ in range(count)]
        try:
            while True:
                wait([process.sentinel for process in running], timeout=_LOOK_SECONDS)
                if restart_database():
                    log.warning("database_restarted")
                for index, process in enumerate(running):
                    if process.exitcode is not None:
                        log.error("process_died", pid=process.pid, exit_code=process.exitcode)
                        forget_process(process.pid)
                        time.sleep(PAUSE_SECONDS)
                        running[index] = start()
        except KeyboardInterrupt:
            pass
        finally:
            ignore_interrupts()
            _end(running)


def _end(running: list[BaseProcess]) -> None:
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()


def _work(work: Callable[..., None], given: tuple[Any, ...]) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    work(*given)


def _leave_with_parent() -> None:
    """Stop in order when the watching process has gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
