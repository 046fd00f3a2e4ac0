"""A PostgreSQL that is not ours, as QUINTET_DATABASE_URL may name one: over TCP, with a SCRAM password.

Also the ground that all tests with real clusters stand on: pytest's own folders are closed to the account
that runs PostgreSQL for root.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote

import psycopg
from tests.waiting import wait_until

from quintet.kernel.postgres.account import account_for
from quintet.kernel.postgres.binaries import Binaries, find_binaries
from quintet.kernel.postgres.creation import SUPERUSER, init_database
from quintet.kernel.postgres.postmaster import PidFile
from quintet.kernel.postgres.processes import runs_postgres_in, spawn

PASSWORD = "pass word:/@%'é"
APPLICATION = "plain"


@contextlib.contextmanager
def reachable_folder() -> Generator[Path]:
    """A temporary folder that every account may enter, removed with any server left running in it."""
    folder = Path(tempfile.mkdtemp(prefix="quintet-test-", dir=_memory_disk()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for mark in folder.rglob("postmaster.pid"):
            file = PidFile.read(mark.parent)
            if file is not None and runs_postgres_in(file.pid, mark.parent):
                os.kill(file.pid, signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def foreign_postgres(folder: Path, binaries: Binaries | None = None) -> Generator[str]:
    """The address of a database on a server of its own in `folder`, for an owner who is no superuser."""
    binaries = binaries or find_binaries()
    account = account_for(folder)
    pgdata, log = folder / "foreign", folder / "foreign.log"
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    account.own(password_file)
    init_database(pgdata, binaries, account, ["--auth=scram-sha-256", f"--pwfile={password_file}"], [])
    password_file.unlink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off")
    options = [part for setting in settings for part in ("-c", setting)]
    with log.open("wb") as output:
        server = spawn([binaries.path("postgres"), "-D", pgdata, *options], account, output)
    try:
        wait_until(lambda: _is_ready(server, pgdata, log), "the foreign server")
        root = f"postgresql://{SUPERUSER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}"
        with psycopg.connect(f"{root}/postgres", autocommit=True) as connection:
            literal = psycopg.sql.Literal(PASSWORD)
            role = psycopg.sql.SQL("CREATE ROLE plain LOGIN CREATEDB PASSWORD {}").format(literal)
            connection.execute(role)
            connection.execute(f"CREATE DATABASE quintet OWNER {APPLICATION}")
        yield f"postgresql://{APPLICATION}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/quintet"
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.wait(20)


def _is_ready(server: subprocess.Popen[bytes], pgdata: Path, log: Path) -> bool:
    assert server.poll() is None, log.read_text()
    file = PidFile.read(pgdata)
    return file is not None and file.status == "ready"


def _memory_disk() -> str | None:
    """A roomy disk in memory where there is one: tests kill processes, not the power."""
    disk = Path("/dev/shm")  # noqa: S108 (used through mkdtemp only)
    if not os.access(disk, os.W_OK):
        return None
    found = os.statvfs(disk)
    roomy = found.f_bavail * found.f_frsize > 2 * 1024**3
    return str(disk) if roomy and not found.f_flag & getattr(os, "ST_NOEXEC", 0) else None
