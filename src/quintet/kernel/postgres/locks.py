"""File locks under the data folder: who decides about the database, who uses it, who serves it.

Invariant: a lock dies with its process. The kernel drops it even after `kill -9`, so no lock is ever stale
and none is ever removed.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from .failures import AlreadyServed, TimedOut, told_readably
from .layout import Layout

# The longest that a holder of the deciding lock may take: a start that recovers after a crash, or a stop.
DECIDING_SECONDS = 180
_POLL_SECONDS = 0.01


class FileLock:
    """An flock on one file, held by this object until `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Opened as root in a folder that may be another's: a planted link must not lead us elsewhere.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:  # so that the folder's owner can open it later without being root
            owner = path.parent.stat()
            os.fchown(self._file, owner.st_uid, owner.st_gid)

    def fileno(self) -> int:
        """The descriptor; a program that inherits it holds the lock too, until it ends."""
        return self._file

    def share(self) -> None:
        """Hold the lock together with others; waits while someone holds it alone."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def take(self) -> bool:
        """Hold the lock alone, leaving this process's id in the file; False when another holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return True

    def holder(self) -> str:
        """The process that last took the lock alone, for a message."""
        return os.pread(self._file, 32, 0).decode().strip() or "unknown"

    def close(self) -> None:
        """Let go of the lock, also for programs that inherited it. A second call does nothing."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1


@contextmanager
def deciding(layout: Layout) -> Generator[FileLock]:
    """Be the only one who creates, starts or stops the database of this folder. Raises TimedOut."""
    lock = FileLock(layout.deciding_lock)
    try:
        deadline = time.monotonic() + DECIDING_SECONDS
        while not lock.take():
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"Process {lock.holder()} has been starting or stopping the database in {layout.data} "
                    f"for {DECIDING_SECONDS} seconds. Look into {layout.log}; end that process if it hangs."
                )
            time.sleep(_POLL_SECONDS)
        yield lock
    finally:
        lock.close()


class ServeLock:
    """The right to serve from a data folder, held by one process at a time.

    Raises AlreadyServed, naming the holder's process id, when another has it. Held until `release`, the end
    of a `with` block or the end of the process.
    """

    def __init__(self, data: Path) -> None:
        with told_readably("Locking the data folder", data):
            layout = Layout.prepare(data)
            self._lock = FileLock(layout.serve_lock)
            if not self._lock.take():
                holder = self._lock.holder()
                self._lock.close()
                raise AlreadyServed(
                    f"Process {holder} already serves from {layout.data}. Stop it first, or give this one a "
                    "folder of its own with --data."
                )

    def release(self) -> None:
        """Let another process serve. A second call does nothing."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
