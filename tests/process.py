"""A whole server as an operator runs it: a process of its own, killed and started again at will."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import psycopg

from quintet.kernel.postgres import Cluster
from tests.conftest import OPEN_LIMITS
from tests.waiting import look_again_soon

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 30.0


@contextmanager
def temporary_folder() -> Generator[Path]:
    """An empty folder that the database's unprivileged user can get into."""
    folder = Path(tempfile.mkdtemp(prefix="quintet-server-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port nobody listens on this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class ServerProcess:
    """`quintet serve` on one data folder."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("QUINTET_")}
        self.environment = {**clean, "PYTHONPATH": str(ROOT / "src"), **OPEN_LIMITS, **environment}
        self.log = data.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; does not wait."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command("serve", "--port", str(self.port)),
                env=self.environment,
                cwd=self.data.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "quintet.cli", *arguments, "--data", str(self.data)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command on the same folder."""
        return subprocess.run(
            self.command(*arguments), env={**self.environment, "COLUMNS": "200"}, cwd=self.data.parent,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def wait_until_ready(self) -> float:
        """Wait for readiness; the seconds it took. Fails with the log's tail when it does not come."""
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_SECONDS:
            assert self._process is not None
            assert self._process.poll() is None, self.tail()
            try:
                if httpx2.get(f"{self.url}/health/ready", timeout=2).status_code == 200:
                    return time.monotonic() - begun
            except httpx2.HTTPError:
                pass
            look_again_soon()
        raise AssertionError(f"the server did not become ready: {self.tail()}")

    def kill(self) -> None:
        """kill -9, and wait until the process is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_SECONDS)

    def postmaster_pid(self) -> int:
        return int((self.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    def tail(self) -> str:
        return self.log.read_text()[-3000:]


@contextmanager
def server_process(**environment: str) -> Generator[ServerProcess]:
    """A server on an empty folder; stopped (its database too) at the end, however often it was killed."""
    with temporary_folder() as folder:
        server = ServerProcess(folder / "data", **environment)
        try:
            server.start()
            server.wait_until_ready()
            yield server
        finally:
            try:
                server.stop()
            finally:
                if (server.data / "postgres" / "PG_VERSION").exists():
                    Cluster.open(server.data).close()  # adopts what a killed server left running, and ends it


def look_at(server: ServerProcess) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the server's own database; its address is found as `quintet` finds it."""
    with Cluster.open(server.data) as cluster:
        return psycopg.connect(cluster.dsn, autocommit=True)
