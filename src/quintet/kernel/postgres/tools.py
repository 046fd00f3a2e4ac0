"""Running PostgreSQL's client programs against a server.

Invariant: no password on a command line, where every account of the machine could read it.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .binaries import Binaries
from .manifest import BackupFailed

_CONNECT_SECONDS = 10
_TAIL_LINES = 5
_SETTING_SINCE_17 = b"SET transaction_timeout = 0;\n"


def open_connection(dsn: str) -> psycopg.Connection:
    """An autocommit connection. Raises BackupFailed with the server's words, which hold no password."""
    try:
        parameters = {"connect_timeout": _CONNECT_SECONDS, **conninfo_to_dict(dsn)}
        return psycopg.connect(make_conninfo("", **parameters), autocommit=True)
    except psycopg.Error as error:
        raise BackupFailed(
            f"The database could not be reached: {str(error).strip()} Check QUINTET_DATABASE_URL, and that "
            "the server runs and lets this account in."
        ) from error


def check_tools_fit(connection: psycopg.Connection, binaries: Binaries) -> None:
    """Raise BackupFailed when the server is newer than the programs, which then cannot read its catalogue."""
    major = connection.info.server_version // 10000
    if major > binaries.major:
        raise BackupFailed(
            f"The server is PostgreSQL {major}, but pg_dump in {binaries.folder} is {binaries.version} and "
            f"cannot read newer servers. Name a folder with the programs of PostgreSQL {major}, or renew "
            "Quintet."
        )


def run_tool(
    binaries: Binaries, name: str, arguments: Sequence[str | Path], dsn: str, stdin: int = subprocess.DEVNULL
) -> None:
    """Run one client program on the database at `dsn` to its end. Raises BackupFailed with its last words.

    Without a bound in time, as a large database takes hours; it ends with us when we are interrupted.
    """
    address, environment = _address_without_password(dsn)
    command = [str(binaries.path(name)), "--no-password", f"--dbname={address}", *map(str, arguments)]
    with subprocess.Popen(  # noqa: S603 (PostgreSQL's own programs, the arguments are a list)
        command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    ) as program:
        try:
            _, said = program.communicate()
        except BaseException:
            program.kill()
            raise
    if program.returncode != 0:
        raise failed(name, said)


def restore_dump(binaries: Binaries, dump: Path, dsn: str) -> None:
    """Bring a dump into the database at `dsn`, all of it or nothing. Raises BackupFailed."""
    run_tool(binaries, "pg_restore", ["--single-transaction", "--exit-on-error", "--no-owner", dump], dsn)


def restore_dump_into_older(binaries: Binaries, dump: Path, dsn: str) -> None:
    """The same for servers before 17, through psql.

    pg_restore since 17 begins with a setting that older servers do not know, and has no option against it;
    so it writes its script to us, and the script goes to psql without that line.
    """
    address, environment = _address_without_password(dsn)
    write = [str(binaries.path("pg_restore")), "--no-owner", "--file=-", str(dump)]
    read = [str(binaries.path("psql")), "--no-password", f"--dbname={address}", "--no-psqlrc", "--quiet"]
    read += ["--single-transaction", "--set=ON_ERROR_STOP=1", "--file=-"]
    with (  # the programs are PostgreSQL's own, the arguments are lists
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(write, stdout=subprocess.PIPE, stderr=complaints, env=environment) as writer,  # noqa: S603
        subprocess.Popen(  # noqa: S603
            read, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, env=environment
        ) as reader,
    ):
        try:
            # Without the writer's whole script psql must not commit, so it is ended before its input does.
            whole = _hand_over(writer, reader)
            if not whole:
                reader.kill()
        except BaseException:
            writer.kill()
            reader.kill()
            raise
        code = reader.wait()
        complaints.seek(0)
        said = complaints.read()
    if not whole or code != 0:
        raise failed("pg_restore", said)


def _hand_over(writer: subprocess.Popen[bytes], reader: subprocess.Popen[bytes]) -> bool:
    if writer.stdout is None or reader.stdin is None:
        return False
    try:
        for line in writer.stdout:
            if line == _SETTING_SINCE_17:
                break
            reader.stdin.write(line)
        shutil.copyfileobj(writer.stdout, reader.stdin)
        reader.stdin.flush()
        whole = writer.wait() == 0
    except BrokenPipeError:  # psql met an error and has said so
        writer.kill()
        with contextlib.suppress(BrokenPipeError):  # what it did not read is still in our buffer
            reader.stdin.close()
        return False
    if whole:
        reader.stdin.close()
    return whole


def failed(name: str, said: bytes) -> BackupFailed:
    """The failure for a program that ended with an error after writing `said`."""
    text = said.decode(errors="replace").strip()
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return BackupFailed(f"{name} failed because a disk is full. Free some space, then try again.")
    tail = "\n".join(f"  {line}" for line in text.splitlines()[-_TAIL_LINES:]) or "  (no output)"
    return BackupFailed(
        f"{name} failed, nothing was changed. Mend what it names, then try again. It said:\n{tail}"
    )


def _address_without_password(dsn: str) -> tuple[str, dict[str, str]]:
    parameters = {"connect_timeout": _CONNECT_SECONDS, **conninfo_to_dict(dsn)}
    environment = {**os.environ, "LC_ALL": "C"}
    if (password := parameters.pop("password", None)) is not None:
        environment["PGPASSWORD"] = str(password)
    if parameters.pop("sslpassword", None) is not None:  # libpq has no way for it but the address
        raise BackupFailed(
            "The database's address holds sslpassword, which cannot be handed on in secret. Use a client "
            "key without a password of its own, readable by Quintet's account only."
        )
    return make_conninfo("", **parameters), environment
