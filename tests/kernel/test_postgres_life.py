"""The life of the embedded PostgreSQL: created, shared, killed, recovered, stopped by the last one out."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.kernel.foreign_postgres import reachable_folder
from tests.waiting import wait_until

from quintet.kernel.postgres import AlreadyServed, Cluster, ForeignFolder, ServeLock, starting
from quintet.kernel.postgres.account import account_for
from quintet.kernel.postgres.layout import Layout
from quintet.kernel.postgres.processes import is_alive, orphans_in, runs_postgres_in, spawn

OPEN_AND_WAIT = """
import sys
from pathlib import Path
from quintet.kernel.postgres import Cluster
with Cluster.open(Path(sys.argv[1])) as cluster:
    sys.stdout.write(f"{cluster.pid}\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


@pytest.fixture
def data() -> Generator[Path]:
    with reachable_folder() as folder:
        yield folder / "data"


@contextlib.contextmanager
def opener(data: Path) -> Generator[subprocess.Popen[str]]:
    """Another process that opens the folder, writes the server's id, and closes when its input ends."""
    command = [sys.executable, "-c", OPEN_AND_WAIT, str(data)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def pid_told_by(child: subprocess.Popen[str]) -> int:
    assert child.stdout is not None
    return int(child.stdout.readline())


def let_close(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(20) == 0


def one_value(dsn: str, statement: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def store_word(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('durable')")


def kill_server(cluster: Cluster) -> None:
    os.kill(cluster.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(cluster.pid), "the killed server's end")


def test_first_start_is_quick_and_set_up_as_promised(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = time.perf_counter()
    with Cluster.open(data) as cluster:
        started = time.perf_counter() - first
        first = time.perf_counter()
        with Cluster.open(data):
            adopted = time.perf_counter() - first
        settings = {
            name: one_value(cluster.dsn, f"SHOW {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "data_checksums",
                "listen_addresses",
                "TimeZone",
                "jit",
            )
        }
        words = one_value(cluster.dsn, "SELECT current_database() || lower('ÉÅ')")
        with psycopg.connect(cluster.dsn) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
        letters = one_value(cluster.dsn, "SELECT cardinality(show_trgm('ÉÀÜ'))")
        assert one_value(cluster.dsn_for("template1"), "SELECT current_database()") == "template1"
        socket_folder = data / "postgres.socket"
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert runs_postgres_in(cluster.pid, data / "postgres")
    first = time.perf_counter()
    with Cluster.open(data):
        restarted = time.perf_counter() - first
    with capsys.disabled():
        sys.stdout.write(f"\nfirst start {started:.2f} s, adopt {adopted:.3f} s, restart {restarted:.3f} s\n")
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
        "jit": "off",
    }
    assert words == "quintetéå"
    assert letters == 4, "search drops letters beyond ASCII"
    assert started < 10, "half a second is usual; ten mean that something waits for a time-out"
    assert restarted < 5


def test_second_opener_adopts_and_the_last_one_out_stops(data: Path) -> None:
    first = Cluster.open(data)
    second = Cluster.open(data)
    assert second.pid == first.pid
    with opener(data) as other:
        assert pid_told_by(other) == first.pid
        first.close()
        second.close()
        second.close()
        assert is_alive(first.pid), "the other process still uses it"
        let_close(other)
        assert not is_alive(first.pid)


def test_openers_at_the_same_moment_share_one_server(data: Path) -> None:
    with opener(data) as one, opener(data) as two, opener(data) as three:
        pids = {pid_told_by(child) for child in (one, two, three)}
        assert len(pids) == 1
        for child in (one, two, three):
            let_close(child)
    assert not is_alive(pids.pop())


def test_server_outlives_a_killed_opener_and_is_adopted(data: Path) -> None:
    with opener(data) as other:
        pid = pid_told_by(other)
        other.kill()
        other.wait()
    assert is_alive(pid)
    with Cluster.open(data) as cluster:
        assert cluster.pid == pid
        assert one_value(cluster.dsn, "SELECT 1") == 1
    assert not is_alive(pid)


def test_killed_server_comes_back_with_its_data(data: Path) -> None:
    with Cluster.open(data) as cluster, Cluster.open(data) as second:
        store_word(cluster)
        assert not cluster.ensure_running()
        killed = cluster.pid
        kill_server(cluster)
        assert cluster.ensure_running()
        assert not cluster.ensure_running()
        assert second.ensure_running(), "its connections died, too"
        assert killed != cluster.pid == second.pid
        assert one_value(second.dsn, "SELECT word FROM kept") == "durable"
    assert not cluster.ensure_running(), "closed means closed"
    assert not is_alive(cluster.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are found through /proc")
def test_a_computing_backend_of_a_killed_server_does_not_block_the_next(data: Path) -> None:
    with Cluster.open(data) as cluster:
        with psycopg.connect(cluster.dsn, autocommit=True) as busy:
            # Bounded, so that a test run cut off here leaves nothing running for ever.
            endless = """
                DO $$ BEGIN
                    WHILE clock_timestamp() < statement_timestamp() + interval '60 seconds' LOOP END LOOP;
                END $$
            """

            def compute() -> None:
                with contextlib.suppress(psycopg.OperationalError):
                    busy.execute(endless)

            thread = threading.Thread(target=compute, daemon=True)
            thread.start()
            backend = busy.info.backend_pid
            active = f"SELECT state = 'active' FROM pg_stat_activity WHERE pid = {backend}"
            wait_until(lambda: bool(one_value(cluster.dsn, active)), "the loop")
            assert orphans_in(data / "postgres") == [], "no orphan while its server lives"
            try:
                kill_server(cluster)
                assert cluster.ensure_running()
                thread.join(20)
            finally:  # it would compute for ever
                with contextlib.suppress(ProcessLookupError):
                    os.kill(backend, signal.SIGKILL)
        assert not is_alive(backend)
        assert one_value(cluster.dsn, "SELECT 1") == 1


def test_a_database_that_vanished_is_not_silently_replaced(data: Path) -> None:
    with Cluster.open(data) as cluster:
        kill_server(cluster)
        (data / "postgres").rename(data / "away")
        with pytest.raises(ForeignFolder, match="is gone"):
            cluster.ensure_running()
        (data / "away").rename(data / "postgres")
        assert cluster.ensure_running()


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "initdb begins": lambda data: (data / "postgres.new" / "PG_VERSION").exists(),
    "initdb in the midst": lambda data: (data / "postgres.new" / "base" / "4").exists(),
    "just renamed": lambda data: (data / "postgres").exists(),
    "server starts": lambda data: (data / "postgres" / "postmaster.pid").exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_first_start_leaves_nothing_in_the_way(data: Path, moment: str) -> None:
    with opener(data) as other:
        wait_until(lambda: MOMENTS[moment](data), moment)
        other.kill()
        other.wait()
    with Cluster.open(data) as cluster:
        store_word(cluster)
        assert one_value(cluster.dsn, "SELECT word FROM kept") == "durable"
        assert not (data / "postgres.new").exists()
        pid = cluster.pid
    assert not is_alive(pid)


def test_stale_pid_file_stops_nobody_and_kills_nobody(data: Path) -> None:
    with Cluster.open(data) as cluster:
        store_word(cluster)
        pid_file = data / "postgres" / "postmaster.pid"
        account = account_for(data / "postgres")  # PostgreSQL minds only processes of its own account
        stranger = spawn(["/bin/sleep", "60"], account, subprocess.DEVNULL)
        try:
            for first_line in (str(stranger.pid), None):
                lines = pid_file.read_text().splitlines()
                kill_server(cluster)
                pid_file.write_text("\n".join([first_line, *lines[1:]]) if first_line else "")
                assert cluster.ensure_running()
                assert cluster.pid != stranger.pid
                assert one_value(cluster.dsn, "SELECT word FROM kept") == "durable"
                assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


def test_serve_lock_is_held_by_one(data: Path) -> None:
    code = """
import sys
from pathlib import Path
from quintet.kernel.postgres import PostgresFailed, ServeLock
try:
    ServeLock(Path(sys.argv[1]))
except PostgresFailed as refusal:
    sys.exit(str(refusal))
"""
    command = [sys.executable, "-c", code, str(data)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with ServeLock(data):
        refused = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=20
        )
        with pytest.raises(AlreadyServed, match=str(os.getpid())):
            ServeLock(data)
    taken = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=20)
    assert refused.returncode == 1
    assert f"Process {os.getpid()} already serves" in refused.stderr
    assert taken.returncode == 0, taken.stderr
    with ServeLock(data):
        pass


def test_a_stale_socket_lock_that_names_a_living_process_does_not_stop_a_start(data: Path) -> None:
    """After kill -9 the lock stays, and its process id may live: not collected yet, or another's by now."""
    with Cluster.open(data) as cluster:
        store_word(cluster)
        kill_server(cluster)
        (cluster.socket_folder / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
        assert cluster.ensure_running()
        assert one_value(cluster.dsn, "SELECT word FROM kept") == "durable"


def test_a_server_that_comes_up_between_our_looks_is_adopted(data: Path, monkeypatch: Any) -> None:
    """A killed opener may have begun to start it; its socket must not be taken for a dead one's."""
    with Cluster.open(data):
        pass
    plain, left = starting.binaries_within_reach, list[Any]()

    def meanwhile(binaries: Any, account: Any, copies: Any) -> Any:
        programs = plain(binaries, account, copies)
        left.append(starting._start(Layout(data), programs, account))
        return programs

    monkeypatch.setattr(starting, "binaries_within_reach", meanwhile)
    with Cluster.open(data) as cluster:
        assert cluster.pid == left[0].pid
        assert one_value(cluster.dsn, "SELECT 1") == 1
    assert not is_alive(left[0].pid)
