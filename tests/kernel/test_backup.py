"""Backups: whole or refused, of one snapshot, restorable into any PostgreSQL."""

import contextlib
import dataclasses
import shlex
import threading
from collections.abc import Generator
from pathlib import Path

import msgspec
import psycopg
import pytest
from tests.kernel.foreign_postgres import (
    APPLICATION,
    PASSWORD,
    foreign_postgres,
    reachable_folder,
)
from tests.waiting import wait_until

from quintet.kernel.postgres import (
    BackupFailed,
    Binaries,
    Cluster,
    Manifest,
    backup,
    find_binaries,
    restore,
    verify,
)
from quintet.kernel.postgres.manifest import DUMP_NAME, MANIFEST_NAME, count_rows
from quintet.kernel.postgres.tools import restore_dump_into_older

SAMPLE = """
    CREATE SCHEMA kernel;
    CREATE TABLE kernel.migrations (name text PRIMARY KEY);
    INSERT INTO kernel.migrations VALUES ('0001_kernel'), ('0002_accounts');
    CREATE EXTENSION pg_trgm;
    CREATE SCHEMA "Odd ""name";
    CREATE TABLE "Odd ""name"."a table" (word text);
    INSERT INTO "Odd ""name"."a table" SELECT 'wörd ' || n FROM generate_series(1, 20000) n;
    CREATE TABLE parted (day int) PARTITION BY RANGE (day);
    CREATE TABLE parted_one PARTITION OF parted FOR VALUES FROM (0) TO (10);
    INSERT INTO parted SELECT generate_series(0, 9);
"""
TABLES = {"kernel.migrations": 2, 'Odd "name.a table': 20000, "public.parted_one": 10}


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster]:
    with reachable_folder() as folder, Cluster.open(folder / "data") as opened:
        with psycopg.connect(opened.dsn) as connection:
            connection.execute(SAMPLE)
        yield opened


@pytest.fixture
def made(cluster: Cluster, tmp_path: Path) -> Path:
    backup(cluster.dsn, cluster.binaries, tmp_path / "made")
    return tmp_path / "made"


@contextlib.contextmanager
def empty_database(cluster: Cluster) -> Generator[str]:
    with psycopg.connect(cluster.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored TEMPLATE template0")
        try:
            yield cluster.dsn_for("restored")
        finally:
            connection.execute("DROP DATABASE restored WITH (FORCE)")


def databases(cluster: Cluster) -> set[str]:
    with psycopg.connect(cluster.dsn) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}


def refuses_whole(path: Path, cluster: Cluster, match: str) -> None:
    """Both verify and restore refuse the backup, and leave nothing behind."""
    before = databases(cluster)
    with pytest.raises(BackupFailed, match=match):
        verify(path, cluster.dsn, cluster.binaries)
    assert databases(cluster) == before
    with empty_database(cluster) as dsn:
        with pytest.raises(BackupFailed, match=match):
            restore(path, dsn, cluster.binaries)
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'kernel'").fetchone() is None


def test_round_trip(cluster: Cluster, tmp_path: Path) -> None:
    target = tmp_path / "made"
    manifest = backup(cluster.dsn, cluster.binaries, target)
    assert manifest.tables == TABLES
    assert manifest.migrations == ["0001_kernel", "0002_accounts"]
    assert manifest.format == 1
    assert manifest.server_version.startswith(f"{cluster.binaries.major}.")
    assert manifest.made_at.tzinfo is not None
    assert {file.name for file in target.iterdir()} == {DUMP_NAME, MANIFEST_NAME}
    assert target.stat().st_mode & 0o077 == 0, "a backup holds everyone's data"
    before = databases(cluster)
    assert verify(target, cluster.dsn, cluster.binaries) == manifest
    assert databases(cluster) == before
    with empty_database(cluster) as dsn:
        assert restore(target, dsn, cluster.binaries) == manifest
        with psycopg.connect(dsn) as connection:
            words = connection.execute('SELECT min(word), count(*) FROM "Odd ""name"."a table"').fetchone()
            assert words == ("wörd 1", 20000)
        with pytest.raises(BackupFailed, match=r"restored is not empty: it holds 3 tables"):
            restore(target, dsn, cluster.binaries)


def test_target_must_be_new_and_a_killed_backup_does_not_block(cluster: Cluster, made: Path) -> None:
    with pytest.raises(BackupFailed, match="exists already"):
        backup(cluster.dsn, cluster.binaries, made)
    again = made.with_name("again")
    leftover = made.with_name("again.partial")
    leftover.mkdir()
    (leftover / "stray").write_text("half")
    backup(cluster.dsn, cluster.binaries, again)
    assert not leftover.exists()
    assert {file.name for file in again.iterdir()} == {DUMP_NAME, MANIFEST_NAME}
    Manifest.read(again)


def test_failed_backup_leaves_nothing(cluster: Cluster, tmp_path: Path) -> None:
    broken = replaced_tool(
        cluster.binaries, tmp_path, "pg_dump", "echo 'No space left on device' >&2; exit 1"
    )
    with pytest.raises(BackupFailed, match="a disk is full"):
        backup(cluster.dsn, broken, tmp_path / "made")
    assert list(tmp_path.glob("made*")) == []


@pytest.mark.parametrize("harm", ["altered dump", "cut dump", "no dump", "altered manifest", "cut manifest"])
def test_harmed_backup_is_refused(cluster: Cluster, made: Path, harm: str) -> None:
    dump, manifest = made / DUMP_NAME, made / MANIFEST_NAME
    match = "was cut or altered"
    if harm == "altered dump":
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
    elif harm == "cut dump":
        dump.write_bytes(dump.read_bytes()[:-100])
    elif harm == "no dump":
        dump.unlink()
        match = "is not whole"
    elif harm == "altered manifest":
        text = manifest.read_text()
        assert "2000" in text
        manifest.write_text(text.replace("2000", "2001"))
    else:
        manifest.write_bytes(manifest.read_bytes()[:-20])
    refuses_whole(made, cluster, match)


def test_no_backup_at_all_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    refuses_whole(tmp_path, cluster, "is no backup")


def test_rows_that_differ_from_the_manifest_are_noticed(cluster: Cluster, made: Path) -> None:
    honest = Manifest.read(made)
    lying = msgspec.structs.replace(honest, tables={**honest.tables, "public.parted_one": 11})
    lying.of_dump(honest.sha256).write(made)
    before = databases(cluster)
    with pytest.raises(BackupFailed, match=r"the rows of public\.parted_one differ"):
        verify(made, cluster.dsn, cluster.binaries)
    assert databases(cluster) == before


def test_restore_that_stumbles_leaves_nothing(cluster: Cluster, made: Path) -> None:
    with empty_database(cluster) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE VIEW public.parted AS SELECT 1")  # no table, yet in the way
        with pytest.raises(BackupFailed, match="already exists"):
            restore(made, dsn, cluster.binaries)
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'kernel'").fetchone() is None


def test_counts_are_of_the_dumped_snapshot(cluster: Cluster, tmp_path: Path) -> None:
    """Rows that arrive between the counting and the dump are in neither."""
    go_on = threading.Event()
    counted = tmp_path / "counted"
    real = shlex.quote(str(cluster.binaries.path("pg_dump")))
    waits = f'touch {counted}; while [ -e {counted} ]; do :; done; exec {real} "$@"'
    slow = replaced_tool(cluster.binaries, tmp_path, "pg_dump", waits)

    def write_meanwhile() -> None:
        wait_until(counted.exists, "pg_dump's start")
        with psycopg.connect(cluster.dsn) as connection:
            connection.execute("INSERT INTO parted VALUES (5)")
        counted.unlink()
        go_on.set()

    writer = threading.Thread(target=write_meanwhile)
    writer.start()
    try:
        backup(cluster.dsn, slow, tmp_path / "made")
        assert go_on.wait(0)
        verify(tmp_path / "made", cluster.dsn, cluster.binaries)
    finally:
        writer.join()
        with psycopg.connect(cluster.dsn) as connection:
            connection.execute("DELETE FROM parted WHERE ctid = (SELECT max(ctid) FROM parted)")


def test_newer_server_is_told_readably(cluster: Cluster, tmp_path: Path) -> None:
    old = replaced_tool(cluster.binaries, tmp_path, "postgres", "echo 'postgres (PostgreSQL) 17.2'")
    with pytest.raises(BackupFailed, match=r"The server is PostgreSQL 18, but pg_dump in .* is 17\.2"):
        backup(cluster.dsn, old, tmp_path / "made")


def test_backup_of_a_newer_server_is_not_restored_into_an_older(cluster: Cluster, made: Path) -> None:
    honest = Manifest.read(made)
    msgspec.structs.replace(honest, server_version="99.1").of_dump(honest.sha256).write(made)
    refuses_whole(made, cluster, "The backup is of PostgreSQL 99, the server is 18")


def test_older_servers_get_no_setting_they_do_not_know(cluster: Cluster, made: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    real = shlex.quote(str(cluster.binaries.path("psql")))
    spied = replaced_tool(cluster.binaries, tmp_path, "psql", f'tee {script} | {real} "$@"')
    with empty_database(cluster) as dsn:
        restore_dump_into_older(spied, made / DUMP_NAME, dsn)
        assert "SET statement_timeout" in script.read_text()
        assert "transaction_timeout" not in script.read_text().replace("idle_in_transaction_session", "")
        with psycopg.connect(dsn) as connection:
            assert count_rows(connection) == TABLES
    with empty_database(cluster) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE VIEW public.parted AS SELECT 1")
        with pytest.raises(BackupFailed, match="already exists"):
            restore_dump_into_older(cluster.binaries, made / DUMP_NAME, dsn)
        cut = tmp_path / "cut"
        cut.write_bytes((made / DUMP_NAME).read_bytes()[:-400])
        with psycopg.connect(dsn) as connection:
            connection.execute("DROP VIEW public.parted")
        with pytest.raises(BackupFailed, match="pg_restore"):
            restore_dump_into_older(cluster.binaries, cut, dsn)
        with psycopg.connect(dsn) as connection:
            assert count_rows(connection) == {}, "half a script must not be committed"


def test_foreign_server_with_a_password(cluster: Cluster, made: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    spied = cluster.binaries
    for name in ("pg_dump", "pg_restore"):
        real = shlex.quote(str(cluster.binaries.path(name)))
        spied = replaced_tool(spied, tmp_path / name, name, f'echo "$0 $@" >> {words}; exec {real} "$@"')
    with reachable_folder() as folder, foreign_postgres(folder) as url:
        manifest = restore(made, url, spied)
        assert manifest.tables == TABLES
        assert backup(url, spied, tmp_path / "abroad").tables == TABLES
        verify(tmp_path / "abroad", url, spied)
        wrong = url.replace(f"{APPLICATION}:", f"{APPLICATION}:not")
        with pytest.raises(BackupFailed, match="password authentication failed") as refusal:
            backup(wrong, spied, tmp_path / "never")
        assert PASSWORD not in str(refusal.value)
    spoken = words.read_text()
    assert spoken.count("pg_restore") >= 2
    assert "pass" not in spoken.replace("--no-password", ""), "a command line is no secret"


def replaced_tool(binaries: Binaries, folder: Path, name: str, script: str) -> Binaries:
    """The same programs, one of them replaced by a shell script."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    for program in ("initdb", "postgres", "pg_dump", "pg_restore", "psql"):
        content = script if program == name else f'exec {shlex.quote(str(binaries.path(program)))} "$@"'
        (programs / program).write_text(f"#!/bin/sh\n{content}\n")
        (programs / program).chmod(0o755)
    return dataclasses.replace(find_binaries(programs))
