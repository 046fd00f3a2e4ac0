"""Bringing a database folder to life: adopt the server that runs on it, or start one.

Invariant: when this returns, exactly one server runs on the folder and it answers; when it raises, none that
was started here is left.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from .account import Account, unreachable
from .binaries import Binaries, binaries_within_reach, check_usable
from .connection import answers, ensure_database
from .creation import check_pgdata, create_pgdata
from .failures import ForeignFolder, PostgresFailed, TimedOut, failure_of
from .layout import PORT, Layout
from .locks import FileLock
from .postmaster import POLL_SECONDS, START_SECONDS, Postmaster, find_postmaster, wait_for
from .processes import first_closed_folder, orphans_in, reap_when_dead, spawn

_RETRY_SECONDS = 10  # what a killed server left behind holds its memory until it notices
_ORPHANS_LEFT_SECONDS = 1  # backends in the midst of a long computation do not notice, and are ended then
_LONGEST_LOG_BYTES = 10_000_000
# In PostgreSQL's words: someone else is just starting, or the last one is not quite gone.
_PASSING = ('lock file "postmaster.pid" already exists', "is still in use")

# What must hold whatever postgresql.conf says: reached by the private socket only, and an acknowledged
# commit survives a power cut.
_FIXED = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}


def bring_up(
    layout: Layout, binaries: Binaries, account: Account, lock: FileLock, *, may_create: bool
) -> Postmaster:
    """The running server of this folder, with its database. `lock` is the deciding lock, held by the caller.

    Without `may_create` a missing folder is an error: whoever had a database must not silently get an empty
    one. Raises PostgresFailed in its kinds.
    """
    check_usable(binaries)
    exists = check_pgdata(layout, binaries)
    server = find_postmaster(layout) if exists else None
    if server is None:
        if not exists and not may_create:
            raise ForeignFolder(
                f"The database in {layout.pgdata} is gone. If its disk was unmounted, mount it; else restore "
                "a backup."
            )
        if account.switched and (closed := first_closed_folder(layout.data, account)) is not None:
            raise unreachable(layout.pgdata, closed, account)
        programs = binaries_within_reach(binaries, account, layout.copies)
        if not exists:
            create_pgdata(layout, programs, account, lock)
        elif account.switched and layout.pgdata.stat().st_uid != account.uid:
            account.own_tree(layout.pgdata)  # copied in by root
        server = _start(layout, programs, account)
    try:
        ensure_database(server.socket_folder)
    except BaseException:
        if server.child is not None:
            server.stop()
        raise
    return server


def _start(layout: Layout, binaries: Binaries, account: Account) -> Postmaster:
    socket_folder = layout.prepare_socket_folder(account)
    settings = {**_FIXED, "unix_socket_directories": str(socket_folder)}
    command: list[str | Path] = [binaries.path("postgres"), "-D", layout.pgdata]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    first = time.monotonic()
    while True:
        # Whoever was killed in the midst of a start may have left a server that starts just now. Asked at the
        # last moment: it locks the folder first and makes its socket a little later, which must stay.
        if (other := find_postmaster(layout)) is not None:
            return other
        _remove_stale_socket(socket_folder)
        with _open_log(layout) as log:
            before = log.tell()
            child = spawn(command, account, log)
        reap_when_dead(child)
        started = Postmaster(child.pid, layout.pgdata, socket_folder, child)
        failure = _failure_to_answer(started, layout, before)
        if failure is None:
            return started
        waited = time.monotonic() - first
        if waited > _RETRY_SECONDS or not any(words in str(failure) for words in _PASSING):
            raise failure
        if waited > _ORPHANS_LEFT_SECONDS:
            for pid in orphans_in(layout.pgdata):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS * 10)


def _remove_stale_socket(socket_folder: Path) -> None:
    """Remove what a killed server left in our private folder.

    PostgreSQL would ask whether the process named in the lock lives, and take a dead one that nobody has
    collected yet, or an unrelated one that bears its id, for the server. That none runs is known here.
    """
    for name in (f".s.PGSQL.{PORT}.lock", f".s.PGSQL.{PORT}"):
        (socket_folder / name).unlink(missing_ok=True)


def _failure_to_answer(started: Postmaster, layout: Layout, log_offset: int) -> PostgresFailed | None:
    # The server is stopped whenever it does not come to answer, whatever the reason.
    try:
        ended_well = wait_for(lambda: started.is_ready() or not started.is_alive(), START_SECONDS)
        if started.is_alive() and ended_well and answers(started.socket_folder, layout.pgdata):
            return None
    except BaseException:
        started.stop()
        raise
    started.stop()
    if not ended_well:
        return TimedOut(
            f"PostgreSQL did not start within {START_SECONDS} seconds on {layout.pgdata}. Look into "
            f"{layout.log}."
        )
    with layout.log.open("rb") as log:
        log.seek(log_offset)
        output = log.read().decode(errors="replace")
    return failure_of(f"Starting PostgreSQL on {layout.pgdata}", output, layout.data)


def _open_log(layout: Layout) -> IO[bytes]:
    if layout.log.exists() and layout.log.stat().st_size > _LONGEST_LOG_BYTES:
        layout.log.replace(layout.log.with_suffix(".log.old"))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW  # root must not follow a planted link
    descriptor = os.open(layout.log, flags, 0o600)
    if os.geteuid() == 0:
        owner = layout.data.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return os.fdopen(descriptor, "ab")
