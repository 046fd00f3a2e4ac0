"""Backup, verification and restoring of one database, embedded or anywhere.

Invariant: a backup bears its final name only when it is whole and on disk, and its row counts are of the very
snapshot that was dumped.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .binaries import Binaries
from .creation import sync_folder
from .failures import told_readably
from .manifest import (
    DUMP_NAME,
    FORMAT,
    MANIFEST_NAME,
    BackupFailed,
    Manifest,
    count_rows,
    digest,
    migrations_applied,
    user_tables,
)
from .tools import check_tools_fit, open_connection, restore_dump, restore_dump_into_older, run_tool

# A migration may hold a table; a backup that waits for ever looks like one that works.
_LOCK_WAIT_SECONDS = 60


def backup(dsn: str, binaries: Binaries, target: Path) -> Manifest:
    """Write the database at `dsn` into the new folder `target`, readable by its owner only.

    Takes place beside normal work, in one snapshot. Raises BackupFailed, and then leaves no `target`.
    """
    target = target.absolute()
    with told_readably("The backup", target.parent), _partial_folder(target) as partial:
        with closing(open_connection(dsn)) as connection:
            check_tools_fit(connection, binaries)
            manifest = _dump(connection, dsn, binaries, partial)
        manifest.write(partial)
        for name in (DUMP_NAME, MANIFEST_NAME):
            sync_folder(partial / name)
        sync_folder(partial)
        partial.rename(target)
        sync_folder(target.parent)
    return manifest


def verify(path: Path, dsn: str, binaries: Binaries) -> Manifest:
    """Prove that a backup can be restored, by doing so into a scratch database on the server at `dsn`.

    The scratch database is dropped whatever happens. Raises BackupFailed when the backup is not whole.
    """
    with told_readably("Verifying the backup", path):
        manifest = Manifest.read(path)
        with closing(open_connection(dsn)) as connection:
            _check_server(connection, manifest, binaries)
            with _scratch_database(connection, dsn) as scratch:
                _restore(path, scratch, binaries, manifest)
    return manifest


def restore(path: Path, dsn: str, binaries: Binaries) -> Manifest:
    """Bring a backup back into the database at `dsn`, which must hold no tables yet; all of it or nothing.

    Raises BackupFailed; before the dump is touched when it is not whole or the database is not empty.
    """
    with told_readably("Restoring the backup", path):
        manifest = Manifest.read(path)
        with closing(open_connection(dsn)) as connection:
            _check_server(connection, manifest, binaries)
            if tables := user_tables(connection):
                raise BackupFailed(
                    f"The database {connection.info.dbname} is not empty: it holds {len(tables)} tables, "
                    f"such as {'.'.join(tables[0])}. Restore into a new data folder (--data) or a new "
                    "database."
                )
            _restore(path, dsn, binaries, manifest)
            connection.execute("ANALYZE")  # a dump holds no statistics; without them the first queries crawl
    return manifest


def _dump(connection: psycopg.Connection, dsn: str, binaries: Binaries, folder: Path) -> Manifest:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # The transaction idles while pg_dump works in its snapshot; limits for requests must not end it.
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        if connection.info.server_version >= 170000:
            connection.execute("SET LOCAL transaction_timeout = 0")
        snapshot = _only_value(connection, "SELECT pg_export_snapshot()")
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC),
            server_version=_only_value(connection, "SHOW server_version"),
            migrations=migrations_applied(connection),
            sha256="",
            tables=count_rows(connection),
        )
        dump = folder / DUMP_NAME
        options = [f"--snapshot={snapshot}", f"--lock-wait-timeout={_LOCK_WAIT_SECONDS}s", f"--file={dump}"]
        run_tool(binaries, "pg_dump", ["--format=custom", *options], dsn)
    return manifest.of_dump(digest(dump))


def _restore(path: Path, dsn: str, binaries: Binaries, manifest: Manifest) -> None:
    with closing(open_connection(dsn)) as connection:
        knows_all = connection.info.server_version >= 170000
        bring_in = restore_dump if knows_all else restore_dump_into_older
        bring_in(binaries, path / DUMP_NAME, dsn)
        found = count_rows(connection)
        differing = sorted(
            name
            for name in found.keys() | manifest.tables.keys()
            if found.get(name) != manifest.tables.get(name)
        )
        if differing or migrations_applied(connection) != manifest.migrations:
            what = f"the rows of {', '.join(differing[:5])}" if differing else "the list of migrations"
            raise BackupFailed(
                f"The backup in {path} was restored, but {what} differ from what its manifest says. Do not "
                "use the restored database; use another backup."
            )


def _check_server(connection: psycopg.Connection, manifest: Manifest, binaries: Binaries) -> None:
    check_tools_fit(connection, binaries)
    major = connection.info.server_version // 10000
    if manifest.server_major > major:
        raise BackupFailed(
            f"The backup is of PostgreSQL {manifest.server_major}, the server is {major}, and going back is "
            f"not possible. Use a server of version {manifest.server_major} or newer."
        )


@contextmanager
def _partial_folder(target: Path) -> Generator[Path]:
    """A private folder `<target>.partial`, locked, and removed unless it was renamed."""
    if target.exists():
        raise BackupFailed(f"{target} exists already. Name a new folder; a backup never overwrites another.")
    partial = target.with_name(f"{target.name}.partial")
    partial.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(partial, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(
                f"Another backup into {target} is under way. Wait for it, or name another."
            ) from None
        for leftover in partial.iterdir():  # of a backup that was killed
            leftover.unlink()
        partial.chmod(0o700)
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        os.close(descriptor)


@contextmanager
def _scratch_database(connection: psycopg.Connection, dsn: str) -> Generator[str]:
    name = f"quintet_verify_{secrets.token_hex(8)}"
    try:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise BackupFailed(
            f"The account {connection.info.user} may not create a scratch database on this server. Grant it "
            f"with ALTER ROLE {connection.info.user} CREATEDB, or verify on the embedded PostgreSQL."
        ) from error
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _only_value(connection: psycopg.Connection, statement: LiteralString) -> str:
    row = connection.execute(statement).fetchone()
    return str(row[0]) if row else ""
