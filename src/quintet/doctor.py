"""The doctor: what a deployment needs, checked, each with what to do."""

import shutil
from collections.abc import Callable, Iterator

import msgspec
import psycopg
from obstore.exceptions import BaseError

from quintet.kernel.files.storage import Storage
from quintet.kernel.migrations import MigrationFailed, missing_migrations
from quintet.settings import Settings

LEAST_POSTGRES = 150000
LEAST_FREE_BYTES = 1024**3


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at."""

    good: bool
    what: str
    said: str


def good(what: str, said: str) -> Finding:
    """All is well with this."""
    return Finding(good=True, what=what, said=said)


def bad(what: str, said: str) -> Finding:
    """Something is to be done about this."""
    return Finding(good=False, what=what, said=said)


def examine(settings: Settings, dsn: str) -> list[Finding]:
    """Look at the database, the disk and the settings."""
    return [*_database(dsn), _disk(settings), _storage(settings), *_settings(settings)]


def _database(dsn: str) -> Iterator[Finding]:
    try:
        connection = psycopg.connect(dsn, connect_timeout=5, autocommit=True)
    except psycopg.OperationalError as error:
        first = str(error).splitlines()[0]
        yield bad("database", f"does not answer: {first}; check QUINTET_DATABASE_URL")
        return
    with connection:
        version = connection.info.server_version
        yield Finding(
            version >= LEAST_POSTGRES,
            "PostgreSQL",
            f"{version // 10000}.{version % 10000}"
            + ("" if version >= LEAST_POSTGRES else ": 15 or newer is needed"),
        )
        checks: list[Callable[[psycopg.Connection[tuple[object, ...]]], Finding]] = [
            _letters, _durability, _extensions, _migrations,
        ]  # fmt: skip
        for check in checks:
            yield check(connection)


def _letters(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    """Under the character classes of `C` trigrams of non-ASCII letters vanish, and searches with them."""
    seen = connection.execute(
        "select getdatabaseencoding() = 'UTF8' and lower('É') = 'é' and datctype not in ('C', 'POSIX')"
        " from pg_database where datname = current_database()"
    ).fetchone()
    if seen == (True,):
        return good("letters", "UTF-8 with Unicode classes")
    remedy = "create the database with encoding UTF8 and locale C.UTF-8"
    return bad("letters", f"É is no letter here, searches would miss it: {remedy}")


def _durability(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    row = connection.execute(
        "select current_setting('fsync'), current_setting('synchronous_commit'), "
        "current_setting('full_page_writes')"
    ).fetchone()
    good = row is not None and row[0] == "on" and row[1] != "off" and row[2] == "on"
    said = (
        "commits reach the disk"
        if good
        else f"fsync, synchronous_commit, full_page_writes are {row}: turn them on"
    )
    return Finding(good, "durability", said)


def _extensions(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    row = connection.execute(
        "select count(*) from pg_available_extensions where name in ('pg_trgm', 'unaccent')"
    ).fetchone()
    good = row == (2,)
    return Finding(
        good, "extensions", "pg_trgm and unaccent" if good else "install PostgreSQL's contrib package"
    )


def _migrations(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    try:
        missing = missing_migrations(connection)
    except psycopg.errors.UndefinedTable:
        return bad("migrations", "none applied: run quintet migrate (serve does it by itself)")
    except MigrationFailed as error:
        return bad("migrations", str(error))
    names = ", ".join(migration.name for migration in missing)
    return Finding(
        not missing, "migrations", f"missing {names}: run quintet migrate" if missing else "current"
    )


def _disk(settings: Settings) -> Finding:
    folder = settings.data if settings.data.exists() else settings.data.absolute().parent
    free = shutil.disk_usage(folder).free
    said = f"{free / 1024**3:.1f} GiB free"
    return Finding(
        free >= LEAST_FREE_BYTES, "disk", said if free >= LEAST_FREE_BYTES else said + ": make room"
    )


def _storage(settings: Settings) -> Finding:
    where = settings.storage_url or str(settings.data / "files")
    try:
        Storage(settings.storage_url, settings.data).try_out()
    except (BaseError, OSError) as error:
        first = str(error).splitlines()[0]
        return bad("storage", f"{where} takes no files: {first}; check QUINTET_STORAGE_URL, or QUINTET_DATA")
    return good("storage", where)


def _settings(settings: Settings) -> Iterator[Finding]:
    yield good("environment", settings.env)
    if settings.env == "production":
        secure = settings.issuer.startswith("https://")
        yield Finding(
            secure,
            "public URL",
            settings.issuer + ("" if secure else ": tokens travel in the clear; use https"),
        )
