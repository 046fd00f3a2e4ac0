"""Migrations: each once, whole or not at all, and never two histories."""

import shutil
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tests.conftest import drop_database, dsn_of

from quintet.kernel.migrations import FOLDER, MigrationFailed, known_migrations, migrate


@pytest.fixture
def empty(worker_name: str) -> Generator[str]:
    """An empty database."""
    name = f"quintet_migrations_{worker_name}"
    drop_database(name)
    with psycopg.connect(dsn_of("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    yield dsn_of(name)
    drop_database(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small migrations."""
    (tmp_path / "0001_first.sql").write_text("create table first (n int); insert into first values (1);")
    (tmp_path / "0002_second.sql").write_text("alter table first add column m int;")
    (tmp_path / "notes.sql").write_text("this is no migration")
    return tmp_path


def ask(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def test_from_empty(empty: str) -> None:
    applied = migrate(empty)
    assert applied == [path.stem for path in sorted(FOLDER.glob("*.sql"))]
    assert [number[:4] for number in applied] == [f"{n:04}" for n in range(1, len(applied) + 1)]
    assert migrate(empty) == []
    assert ask(empty, "select name from kernel.migrations order by name") == [(name,) for name in applied]
    # The tables are those every other test runs on.
    tables = """
        select table_schema, table_name, column_name, data_type from information_schema.columns
        where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2, 3
    """
    assert ask(empty, tables) == ask(dsn_of("quintet_template"), tables)


def test_only_what_is_missing_is_applied(empty: str, folder: Path) -> None:
    assert migrate(empty, folder) == ["0001_first", "0002_second"]
    (folder / "0003_third.sql").write_text("create table third ();")
    assert migrate(empty, folder) == ["0003_third"]
    assert ask(empty, "select count(*) from first") == [(1,)]


def test_an_altered_file_is_refused(empty: str, folder: Path) -> None:
    migrate(empty, folder)
    (folder / "0001_first.sql").write_text("create table first (n int); insert into first values (2);")
    (folder / "0003_third.sql").write_text("create table third ();")
    with pytest.raises(MigrationFailed, match="0001_first was altered"):
        migrate(empty, folder)
    assert ask(empty, "select to_regclass('third')") == [(None,)]


def test_a_newer_database_is_refused(empty: str, folder: Path) -> None:
    migrate(empty, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(MigrationFailed, match="0002_second"):
        migrate(empty, folder)


def test_a_failing_file_is_undone_and_can_be_mended(empty: str, folder: Path) -> None:
    broken = folder / "0003_third.sql"
    broken.write_text("create table third (); insert into nowhere values (1);")
    with pytest.raises(MigrationFailed, match="0003_third failed and was undone"):
        migrate(empty, folder)
    assert ask(empty, "select to_regclass('third')") == [(None,)]
    assert ask(empty, "select count(*) from kernel.migrations") == [(2,)]
    broken.write_text("create table third ();")
    assert migrate(empty, folder) == ["0003_third"]


def test_two_nodes_that_start_together_apply_each_once(empty: str, folder: Path) -> None:
    starters, barrier = 5, threading.Barrier(5)

    def start(_: int) -> list[str]:
        barrier.wait(20)
        return migrate(empty, folder)

    with ThreadPoolExecutor(starters) as pool:
        applied = list(pool.map(start, range(starters)))
    assert sorted(applied) == [[], [], [], [], ["0001_first", "0002_second"]]
    assert ask(empty, "select count(*) from first") == [(1,)]


def test_a_migration_does_not_queue_behind_a_long_reader(empty: str, folder: Path) -> None:
    second = folder / "0002_second.sql"
    kept = second.read_text()
    second.unlink()
    migrate(empty, folder)
    second.write_text(kept)
    with psycopg.connect(empty) as reader:
        reader.execute("select * from first")
        begun = time.monotonic()
        with pytest.raises(MigrationFailed, match="0002_second failed and was undone"):
            migrate(empty, folder)
        assert 1.5 < time.monotonic() - begun < 6
    assert migrate(empty, folder) == ["0002_second"]


def test_names_and_checksums(folder: Path) -> None:
    known = known_migrations(folder)
    assert [one.name for one in known] == ["0001_first", "0002_second"]
    copy = folder / "copy"
    copy.mkdir()
    shutil.copy(folder / "0001_first.sql", copy)
    assert known_migrations(copy)[0] == known[0]
