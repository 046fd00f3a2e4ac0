"""Migrations: one forward sequence of plain SQL files, each applied once, in its own transaction.

Invariant: an applied file never changes (its checksum is kept), and two nodes that start together apply
each file once (an advisory lock). A migration waits at most two seconds for a lock, so that it never
queues up behind a long reader and the whole product behind it.
"""

import hashlib
from pathlib import Path
from typing import LiteralString, cast

import msgspec
import psycopg
from psycopg.rows import args_row

FOLDER = Path(__file__).parent.parent / "migrations"
_LOCK = 7_152_003_391  # an arbitrary number, the same in every version of Quintet


class MigrationFailed(Exception):
    """A migration cannot be applied; the message says which and why."""


class Migration(msgspec.Struct, frozen=True):
    """One file of the sequence."""

    name: str
    checksum: str
    sql: str


class Applied(msgspec.Struct, frozen=True):
    """What the database knows of an applied migration."""

    name: str
    checksum: str


def known_migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of the sequence, in order."""
    return [
        Migration(path.stem, hashlib.sha256(path.read_bytes()).hexdigest(), path.read_text("utf-8"))
        for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]


def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing; the names applied.

    Raises MigrationFailed when an applied file was altered or is unknown here, or a file fails.
    """
    with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
        connection.execute("set lock_timeout = 0")
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("create schema if not exists kernel")
        connection.execute(
            "create table if not exists kernel.migrations"
            " (name text primary key, checksum text not null, applied_at timestamptz not null default now())"
        )
        connection.execute("set lock_timeout = '2s'")
        return [_apply(connection, migration) for migration in missing_migrations(connection, folder)]


def missing_migrations(
    connection: psycopg.Connection[tuple[object, ...]], folder: Path = FOLDER
) -> list[Migration]:
    """What the database lacks; raises MigrationFailed where its history is not ours."""
    with connection.cursor(row_factory=args_row(Applied)) as cursor:
        cursor.execute("select name, checksum from kernel.migrations order by name")
        applied = {row.name: row.checksum for row in cursor.fetchall()}
    known = known_migrations(folder)
    if strange := sorted(applied.keys() - {migration.name for migration in known}):
        raise MigrationFailed(
            f"the database knows migration {strange[0]}, this version of Quintet does not: run the newer one"
        )
    for migration in known:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise MigrationFailed(f"migration {migration.name} was altered after it was applied")
    return [migration for migration in known if migration.name not in applied]


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> str:
    try:
        with connection.transaction():
            # The statements come from our own files, not from anybody's input.
            connection.execute(cast("LiteralString", migration.sql), prepare=False)
            connection.execute(
                "insert into kernel.migrations (name, checksum) values (%s, %s)",
                (migration.name, migration.checksum),
            )
    except psycopg.Error as error:
        raise MigrationFailed(f"migration {migration.name} failed and was undone: {error}") from error
    return migration.name
