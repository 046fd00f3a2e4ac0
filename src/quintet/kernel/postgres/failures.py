"""What can go wrong with the embedded PostgreSQL, in sentences an operator can act on.

Invariant: every message says what happened and then what to do; none holds a password or a row of data.
"""

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

# Below this even a lock file or one WAL segment's header may not fit; PostgreSQL cannot start.
_FREE_BYTES_NEEDED = 2 * 1024 * 1024
_FULL_DISK_WORDS = ("No space left on device", "Disk quota exceeded")
_NO_RIGHT_WORDS = ("Permission denied", "Operation not permitted")
_TAIL_LINES = 8


class PostgresFailed(Exception):
    """PostgreSQL could not be used; the message tells what happened and what to do."""


class BinariesMissing(PostgresFailed):
    """PostgreSQL's programs were not found, or are of a version the launcher cannot use."""


class WrongVersion(PostgresFailed):
    """The data folder was made by another major version of PostgreSQL."""


class ForeignFolder(PostgresFailed):
    """The folder for the database holds something else, or a database of someone else."""


class FolderUnreachable(PostgresFailed):
    """The account that runs PostgreSQL cannot get to the folder, or may not write to it."""


class DiskFull(PostgresFailed):
    """There is no room left on the disk of the data folder."""


class StartFailed(PostgresFailed):
    """PostgreSQL, or the creation of its data folder, ended with an error."""


class TimedOut(PostgresFailed):
    """PostgreSQL, or another opener of the same folder, took longer than the bound."""


class AlreadyServed(PostgresFailed):
    """Another `quintet serve` holds the data folder."""


def failure_of(step: str, output: str, folder: Path) -> PostgresFailed:
    """The failure that fits `output`, what a PostgreSQL program wrote before it ended with an error.

    `step` names what was being done ("creating the database"); `folder` stands on the disk concerned.
    """
    # A full disk also swallows the log that would tell of it, so the disk itself is asked too.
    if any(words in output for words in _FULL_DISK_WORDS) or _is_full(folder):
        return _disk_full(step, folder)
    tail = "\n".join(f"  {line}" for line in output.strip().splitlines()[-_TAIL_LINES:]) or "  (no output)"
    if any(words in output for words in _NO_RIGHT_WORDS):
        return FolderUnreachable(
            f"{step} failed: a file or folder in {folder} may not be used by the account that runs "
            "PostgreSQL. Give it back to that account with chown, or start Quintet as its owner. PostgreSQL "
            f"said:\n{tail}"
        )
    return StartFailed(
        f"{step} failed. Read the last lines below; if they do not help, restore a backup into a new data "
        f"folder, or point QUINTET_DATABASE_URL at another PostgreSQL. PostgreSQL said:\n{tail}"
    )


@contextmanager
def told_readably(step: str, folder: Path) -> Generator[None]:
    """Turn errors of the system and of the driver inside the block into PostgresFailed."""
    try:
        yield
    except psycopg.Error as error:
        raise StartFailed(
            f"{step} failed: PostgreSQL answered: {str(error).strip()} Look into the log beside the data "
            "folder."
        ) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _disk_full(step, folder) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise FolderUnreachable(
                f"{step} failed: {error.strerror} on {error.filename or folder}. Start Quintet as the "
                "folder's owner, or choose another folder with --data."
            ) from error
        raise PostgresFailed(
            f"{step} failed: {error.strerror or error} ({error.filename or folder}). Make sure that the "
            "folder is on a local disk that supports file locks, or choose another one with --data."
        ) from error


def _disk_full(step: str, folder: Path) -> DiskFull:
    return DiskFull(
        f"{step} failed: the disk that holds {folder} is full. Free some space there, or choose a folder on "
        "another disk with --data, then start again; nothing already stored is lost."
    )


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _FREE_BYTES_NEEDED
    except OSError:
        return False
