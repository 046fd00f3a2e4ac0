"""What a backup says about itself: `manifest.json` beside the dump.

Invariant: a manifest that was cut or altered is not read; its seal covers every other field.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
import psycopg
from psycopg import sql

from .failures import PostgresFailed

FORMAT = 1
DUMP_NAME = "database.dump"
MANIFEST_NAME = "manifest.json"

# Tables of extensions are left out, as pg_dump leaves their rows out; so are views, which hold none.
_USER_TABLES = """
    SELECT space.nspname, class.relname
      FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
     WHERE class.relkind = 'r' AND class.relpersistence <> 't'
       AND space.nspname NOT LIKE 'pg\\_%' AND space.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = class.oid
                                               AND deptype = 'e')
     ORDER BY 1, 2
"""


class BackupFailed(PostgresFailed):
    """A backup could not be made, or is not whole, or could not be restored; the message tells which."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A backup's contents: rows per `schema.table` and migrations, as of the dump's own snapshot."""

    format: int
    made_at: datetime
    server_version: str
    migrations: list[str]
    sha256: str
    tables: dict[str, int]
    seal: str = ""

    @property
    def server_major(self) -> int:
        """The major version of the server that was dumped."""
        return int(self.server_version.partition(".")[0])

    def of_dump(self, sha256: str) -> Self:
        """The same manifest for a dump of this digest, sealed."""
        unsealed = msgspec.structs.replace(self, sha256=sha256)
        return msgspec.structs.replace(unsealed, seal=fitting_seal(unsealed))

    def write(self, folder: Path) -> None:
        """Write the manifest into the backup's folder."""
        (folder / MANIFEST_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a backup, with the dump's digest checked. Raises BackupFailed."""
        try:
            manifest = msgspec.json.decode((folder / MANIFEST_NAME).read_bytes(), type=cls)
        except OSError as error:
            raise BackupFailed(
                f"{folder} is no backup, or not a whole one: {MANIFEST_NAME} cannot be read "
                f"({error.strerror}). Name the folder that quintet backup made."
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _altered(folder / MANIFEST_NAME) from error
        if manifest.format != FORMAT:
            raise BackupFailed(
                f"The backup in {folder} is of format {manifest.format}, this Quintet reads {FORMAT}. Use "
                "the release that made it, or a newer one."
            )
        if manifest.seal != fitting_seal(manifest):
            raise _altered(folder / MANIFEST_NAME)
        try:
            whole = digest(folder / DUMP_NAME) == manifest.sha256
        except OSError as error:
            raise BackupFailed(
                f"The backup in {folder} is not whole: {DUMP_NAME} cannot be read ({error.strerror}). Use "
                "another one."
            ) from error
        if not whole:
            raise _altered(folder / DUMP_NAME)
        return manifest


def fitting_seal(manifest: Manifest) -> str:
    """The SHA-256 over every field but the seal itself."""
    plain = msgspec.structs.replace(manifest, seal="")
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def user_tables(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Schema and name of every table that is neither PostgreSQL's nor an extension's."""
    rows = connection.execute(_USER_TABLES).fetchall()
    return [(str(space), str(name)) for space, name in rows]


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """Rows per `schema.table`, in the connection's snapshot."""
    counts: dict[str, int] = {}
    for space, name in user_tables(connection):
        statement = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(space, name))
        row = connection.execute(statement).fetchone()
        counts[f"{space}.{name}"] = int(row[0]) if row else 0
    return counts


def migrations_applied(connection: psycopg.Connection) -> list[str]:
    """The names in `kernel.migrations`, in order; none where there is no such table."""
    if ("kernel", "migrations") not in user_tables(connection):
        return []
    rows = connection.execute("SELECT name FROM kernel.migrations ORDER BY name").fetchall()
    return [str(name) for (name,) in rows]


def _altered(path: Path) -> BackupFailed:
    return BackupFailed(
        f"{path} was cut or altered since the backup was made. Copy the backup again from where it was made, "
        "or use another one."
    )
