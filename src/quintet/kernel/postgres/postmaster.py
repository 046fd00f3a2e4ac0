"""The server process of one database folder: finding it, judging it, stopping it.

Invariant: called only under the deciding lock (locks.py), so that no two openers start or stop at once.
A `postmaster.pid` is removed only when its process is known not to be a postgres of this folder.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .connection import answers
from .failures import ForeignFolder, TimedOut
from .layout import Layout
from .processes import is_alive, runs_postgres_in

POLL_SECONDS = 0.005
START_SECONDS = 120  # replaying a gigabyte of log after a crash takes a slow disk about a minute
SILENT_SECONDS = 10  # a server that called itself ready, or is not to be seen, may be silent this long
_STOP_SECONDS = 30  # a fast shutdown ends every session and writes one checkpoint
_EMPTY_SECONDS = 1  # a server writes its pid file microseconds after making it


@dataclass(frozen=True)
class PidFile:
    """What the server writes about itself into `postmaster.pid`, line by line while it starts."""

    pid: int
    socket_folder: Path | None
    status: str

    @classmethod
    def read(cls, pgdata: Path) -> Self | None:
        """The file of this folder; None when there is none, or nothing in it yet."""
        try:
            lines = [line.strip() for line in (pgdata / "postmaster.pid").read_text().splitlines()]
            pid = abs(int(lines[0]))
        except (FileNotFoundError, ValueError, IndexError):
            return None
        lines += [""] * (8 - len(lines))
        return cls(pid, Path(lines[4]) if lines[4] else None, lines[7])


@dataclass
class Postmaster:
    """A running server; `child` where this process started it."""

    pid: int
    pgdata: Path
    socket_folder: Path
    child: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        """Whether the server process still runs, without asking it anything."""
        if self.child is not None:
            return self.child.returncode is None and is_alive(self.pid)
        return runs_postgres_in(self.pid, self.pgdata)

    def is_ready(self) -> bool:
        """Whether the server has told in its pid file that it takes connections."""
        file = PidFile.read(self.pgdata)
        return file is not None and file.pid == self.pid and file.status == "ready"

    def stop(self) -> None:
        """End the server: in order, else at once, which the next start recovers from. Raises TimedOut."""
        for wish in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's "fast" and "immediate" shutdown
            if not self.is_alive():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, wish)
            # By the id alone: a process in the midst of its end no longer looks like a postgres.
            if wait_for(lambda: not is_alive(self.pid), _STOP_SECONDS):
                return
        raise TimedOut(
            f"PostgreSQL (process {self.pid}) did not stop within {2 * _STOP_SECONDS} seconds. Its disk may "
            "hang; look into the machine's log before ending the process by hand."
        )


def find_postmaster(layout: Layout) -> Postmaster | None:
    """The server that already runs on this folder, once it answers; None when there is none.

    Waits while it starts or stops. Removes a stale `postmaster.pid`: PostgreSQL itself refuses to start when
    an unrelated process of the same account happens to bear the old id. Raises TimedOut or ForeignFolder.
    """
    pid_path = layout.pgdata / "postmaster.pid"
    wait_for(lambda: not pid_path.exists() or PidFile.read(layout.pgdata) is not None, _EMPTY_SECONDS)
    first = time.monotonic()
    while (file := PidFile.read(layout.pgdata)) is not None:
        folder = file.socket_folder
        ours = runs_postgres_in(file.pid, layout.pgdata)
        answering = folder is not None and answers(folder, layout.pgdata)
        if folder is not None and answering and ours:
            return Postmaster(file.pid, layout.pgdata, folder)
        if not answering and not ours:
            break
        waited = time.monotonic() - first
        if answering and waited > SILENT_SECONDS:  # for a moment only, it may just have ended
            raise ForeignFolder(
                f"A database whose process {file.pid} is not to be seen from here runs on {layout.pgdata}. "
                "Stop the other container that uses this folder, or give this one a folder of its own with "
                "--data."
            )
        if waited > (SILENT_SECONDS if file.status == "ready" else START_SECONDS):
            raise TimedOut(
                f"PostgreSQL (process {file.pid}) runs on {layout.pgdata} but has not answered for "
                f"{waited:.0f} seconds. Look into {layout.log}; stop it with `kill -INT {file.pid}`, then "
                "start again."
            )
        time.sleep(POLL_SECONDS)
    pid_path.unlink(missing_ok=True)
    return None


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition comes true within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
