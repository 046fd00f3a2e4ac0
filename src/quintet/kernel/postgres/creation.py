"""Creating a database folder with initdb.

Invariant: a folder bears its final name only when it is whole and on disk. A kill in the middle leaves
`postgres.new`, which the next opener removes.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .account import Account
from .binaries import Binaries
from .failures import ForeignFolder, StartFailed, TimedOut, WrongVersion, failure_of
from .layout import Layout
from .locks import FileLock
from .processes import run

SUPERUSER = "quintet"
_SECONDS = 120

# pg_trgm and the full-text parser still ask the C library which letters are letters: with LC_CTYPE=C they
# drop every letter beyond ASCII. The first name that the machine
# knows is taken; macOS has only the later ones.
_CHARACTER_LOCALES = ("C.UTF-8", "en_US.UTF-8", "UTF-8")

# Defaults that an operator may change in postgresql.conf or with ALTER SYSTEM. What must
# hold whatever they say is in starting.py.
_SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",  # small at rest: only pages that were touched take memory
    "jit": "off",  # statements are short; compiling one costs more than running it
    "wal_compression": "off",  # bytes on a local disk are cheaper than processor time on two cores
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",  # one line every five minutes tells nobody anything
    "log_lock_waits": "on",  # waits of a second or more point at a bug in lock order
    "log_min_duration_statement": "1s",
    # Values of people, and tokens, stay out of the log: no parameters, no statement or row beside an error.
    "log_parameter_max_length": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] ",
}


def check_pgdata(layout: Layout, binaries: Binaries) -> bool:
    """Whether there is a database in the folder. Raises when it is another version's, or something else."""
    pgdata = layout.pgdata
    if not pgdata.exists() or (pgdata.is_dir() and not any(pgdata.iterdir())):
        return False
    mark = pgdata / "PG_VERSION"
    if not mark.is_file():
        raise ForeignFolder(
            f"{pgdata} is not empty, but holds no PostgreSQL database. Move it away, or choose another "
            "folder with --data."
        )
    major = mark.read_text().strip()
    if major != str(binaries.major):
        raise WrongVersion(
            f"The database in {pgdata} was made by PostgreSQL {major}; this is {binaries.major}. Make a "
            f"backup with the Quintet that runs PostgreSQL {major} (quintet backup), then restore it into a "
            "new data folder with this one (quintet restore)."
        )
    return True


def create_pgdata(layout: Layout, binaries: Binaries, account: Account, lock: FileLock) -> None:
    """Make the database folder, whole or not at all.

    `lock` goes to initdb too: when this process is killed, initdb lives on for a moment, and the next
    opener then waits for its end instead of working in the same folder.
    """
    remove_unfinished(layout)
    try:
        init_database(layout.unfinished, binaries, account, ["--auth=trust"], keep_open=[lock.fileno()])
        if layout.pgdata.exists():
            layout.pgdata.rmdir()  # found empty by check_pgdata
        layout.unfinished.rename(layout.pgdata)
    except BaseException:
        remove_unfinished(layout)
        raise
    sync_folder(layout.data)


def init_database(
    folder: Path, binaries: Binaries, account: Account, options: list[str | Path], keep_open: list[int]
) -> None:
    """Run initdb into `folder`, as `account`. Raises StartFailed, DiskFull, FolderUnreachable or TimedOut."""
    folder.mkdir(mode=0o700)
    account.own(folder)
    step = f"Creating a database in {folder}"
    command = [
        *(binaries.path("initdb"), "-D", folder, "-U", SUPERUSER, "--encoding=UTF8", "--data-checksums"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        *(part for name, value in _SETTINGS.items() for part in ("--set", f"{name}={value}")),
        *options,
    ]
    for locale in _CHARACTER_LOCALES:
        try:
            ended = run([*command, f"--lc-ctype={locale}"], account, _SECONDS, keep_open)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"{step} took longer than {_SECONDS} seconds. Is the disk very slow or hung?"
            ) from None
        if ended.code == 0:
            return
        if "invalid locale name" not in ended.output:
            raise failure_of(step, ended.output, folder.parent)
    raise StartFailed(
        f"{step} failed: this machine knows none of the locales {', '.join(_CHARACTER_LOCALES)}. Install "
        "one, or point QUINTET_DATABASE_URL at another PostgreSQL."
    )


def remove_unfinished(layout: Layout) -> None:
    """Remove what a killed or failed creation left."""
    if layout.unfinished.exists():
        shutil.rmtree(layout.unfinished)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
