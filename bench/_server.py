"""The real server, started as a user starts it, on a data folder of its own; and the least one there can be.

Invariant: what is started here is ended here, by its process id; limits stay on, only larger.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench._load import Address

from quintet.kernel.postgres.connection import DATABASE, socket_dsn

_READY_SECONDS = 30
_STOP_SECONDS = 40
_OPEN = {
    f"QUINTET_LIMIT_{policy}": "100000000/minute"
    for policy in ("ANONYMOUS", "SIGNED_IN", "AUTH", "REFRESH", "PLACE", "PAINT", "SOCKET")
}


class Server:
    """A running server: its address, its database, its process."""

    def __init__(self, port: int, data: Path, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.data = data
        self.process = process

    @property
    def address(self) -> Address:
        """Where to put load on."""
        return Address(self.port, self.process.pid)

    @property
    def socket_folder(self) -> Path:
        """Where its database listens."""
        return self.data / "postgres.socket"

    @property
    def dsn(self) -> str:
        """The address of its database."""
        return self.dsn_for(DATABASE)

    def dsn_for(self, database: str) -> str:
        """The address of another database in the same cluster."""
        return socket_dsn(self.socket_folder, database)

    @property
    def issuer(self) -> str:
        """What its tokens name as `iss`."""
        return f"http://127.0.0.1:{self.port}"

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request, on a connection of its own: status, headers (names in lower case) and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


def post(server: Server, data: bytes) -> int:
    """Send the bytes of one request; the status of its answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(data)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status


@contextmanager
def data_folder() -> Iterator[Path]:
    """An empty folder that the database's unprivileged user can get to; gone afterwards, also on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block of ours is left in order
    folder = Path(tempfile.mkdtemp(prefix="quintet-bench-"))
    folder.chmod(0o755)
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[Server]:
    """`quintet serve` on `data`, ready; `settings` are written as environment names in lower case."""
    port = free_port()
    command = [sys.executable, "-m", "quintet.cli", "serve", "--port", str(port), "--data", str(data)]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("QUINTET_")}
    environment = kept | _OPEN | {f"QUINTET_{name.upper()}": text for name, text in settings.items()}
    with running(command, environment, data.parent / "serve.log") as process:
        server = Server(port, data, process)
        wait_until_ready(server.port, process, "/health/ready", data.parent / "serve.log")
        try:
            yield server
        finally:
            _stop(process, server)


@contextmanager
def serving_bare(module: str, *, path: str, log: Path, **environment: str) -> Iterator[Address]:
    """`python -m MODULE PORT`, answering at `path`."""
    port = free_port()
    command = [sys.executable, "-m", module, str(port)]
    with running(command, os.environ | environment, log) as process:
        wait_until_ready(port, process, path, log)
        yield Address(port, process.pid)


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process while the block lasts; what it prints goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _stop(process: subprocess.Popen[bytes], server: Server) -> None:
    """End the server, and its database where the server could not do that any more."""
    _end(process)
    postmaster = server.data / "postgres" / "postmaster.pid"
    with suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        os.kill(int(postmaster.read_text().splitlines()[0]), signal.SIGINT)


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(port: int, process: subprocess.Popen[bytes], path: str, log: Path) -> None:
    """Return when `path` answers 200; raise with the log's end when the process ends or takes too long."""
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
            finally:
                connection.close()
        time.sleep(0.01)
    raise RuntimeError(f"the server did not get ready:\n{log.read_text()[-3000:]}")
