"""The load generator: N keep-alive connections, one request in flight on each, in a process of its own.

Invariant: it is the same for every rival, and knows no more of HTTP than a length and a status.
"""

import asyncio
import os
import pickle
import statistics
import subprocess
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import uvloop

CONNECTIONS = 16


@dataclass(frozen=True)
class Address:
    """Where a server listens on the loopback, and its process."""

    port: int
    pid: int


@dataclass(frozen=True)
class Measured:
    """What came of a run; times are milliseconds from sending a request to having its whole answer.

    `processor` is the server process's own processor time per answer, its database's not counted: the one
    figure that what else the machine does hardly touches.
    """

    per_second: float
    median: float
    p95: float
    p99: float
    statuses: dict[int, int]
    processor: float

    def __str__(self) -> str:
        took = f"median {self.median:.2f} ms, p95 {self.p95:.2f}, p99 {self.p99:.2f}"
        return f"{took}; processor {self.processor:.2f} ms each"


def request(
    method: str, path: str, *, token: str | None = None, body: bytes | None = None, **headers: str
) -> bytes:
    """The bytes of a request; `headers` are written with underscores."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


def put_load(
    address: Address,
    requests: Sequence[bytes],
    *,
    seconds: float,
    expected: Sequence[int] = (200,),
    repeat: bool = True,
    connections: int = CONNECTIONS,
) -> Measured:
    """Send the requests in their order, over all connections together, for `seconds`.

    Without `repeat` the run ends where the requests do. Raises where an answer has an unexpected status.
    """
    plan = pickle.dumps((address.port, list(requests), seconds, repeat, connections))
    command = [sys.executable, "-m", "bench._load"]
    before = processor_seconds(address.pid)
    ended = subprocess.run(command, input=plan, stdout=subprocess.PIPE, check=True, timeout=seconds + 60)
    spent = processor_seconds(address.pid) - before
    *figures, statuses = pickle.loads(ended.stdout)  # noqa: S301 (our own child's)
    measured = Measured(*figures, statuses, 1000 * spent / sum(statuses.values()))
    wrong = {status: count for status, count in measured.statuses.items() if status not in expected}
    assert not wrong, f"unexpected answers: {wrong}; expected {list(expected)}"
    return measured


def processor_seconds(pid: int) -> float:
    """What a process has used of the processors so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Connection(asyncio.Protocol):
    """One client: sends, waits for the whole answer, sends the next."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._got = bytearray()
        self._wanted = 0  # bytes of the answer, once its head is known
        self._status = 0
        self._sent_at = 0.0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def send_next(self) -> None:
        data = self._run.next_request()
        if data is None:
            self._run.ended()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._wanted:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            self._status = int(self._got[9:12])
            self._wanted = end + 4 + _length(self._got, end, self._status)
        if len(self._got) < self._wanted:
            return
        self._run.note(self._status, time.perf_counter() - self._sent_at)
        del self._got[: self._wanted]
        self._wanted = 0
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.lost(exc)


def _length(head: bytearray, end: int, status: int) -> int:
    at = head.find(b"content-length: ", 0, end)
    if at < 0:
        if status in {204, 304}:
            return 0
        raise ValueError("an answer without content-length")
    return int(head[at + 16 : head.find(b"\r\n", at)])


class _Run:
    def __init__(self, requests: list[bytes], seconds: float, *, repeat: bool, connections: int) -> None:
        self._requests: Iterator[bytes] = cycle(requests) if repeat else iter(requests)
        self._left = connections
        self._until = time.perf_counter() + seconds
        self.last_answer_at = 0.0
        self.took = array("d")
        self.statuses: Counter[int] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        return None if time.perf_counter() >= self._until else next(self._requests, None)

    def note(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.took.append(seconds)

    def ended(self) -> None:
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)

    def lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))


async def _run(
    port: int, requests: list[bytes], seconds: float, repeat: bool, connections: int
) -> tuple[float, float, float, float, dict[int, int]]:
    loop = asyncio.get_running_loop()
    run = _Run(requests, seconds, repeat=repeat, connections=connections)
    clients = [_Connection(run) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    began = time.perf_counter()
    for client in clients:
        client.send_next()
    await run.done
    passed = time.perf_counter() - began
    took = [1000 * one for one in run.took]
    percentiles = statistics.quantiles(took, n=100)
    return len(took) / passed, statistics.median(took), percentiles[94], percentiles[98], dict(run.statuses)


if __name__ == "__main__":
    answer = uvloop.run(_run(*pickle.load(sys.stdin.buffer)))  # noqa: S301 (our own parent's)
    sys.stdout.buffer.write(pickle.dumps(answer))
