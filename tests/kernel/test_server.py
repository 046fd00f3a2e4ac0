"""The server on a real socket: deadlines, bounds, and a stop that cuts nobody off."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2
import psycopg
import pytest
from tests.conftest import OPEN_LIMITS, settings_for_tests
from tests.waiting import look_again
from tests.world import PASSWORD

from quintet.app import build_app
from quintet.kernel.http import server as http_server
from quintet.kernel.http.server import listen, make_server

PATIENCE = 15.0


@asynccontextmanager
async def listening(dsn: str, **environment: str) -> AsyncGenerator[int]:
    """A server in this process, on a real socket; its port."""
    listener = listen("127.0.0.1", 0)
    edge = build_app(settings_for_tests(**environment), dsn)
    server = make_server(edge, listener, on_stop=edge.stop_being_ready, drain=edge.drain)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:
            await look_again()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def connection(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def answer_of(reader: asyncio.StreamReader, *, to_head: bool = False) -> tuple[int, bytes]:
    """One answer: its status and its body, which an answer to HEAD has not."""
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [line.partition(b": ") for line in head.split(b"\r\n")]
        length = next((int(text) for name, _, text in lines if name.lower() == b"content-length"), 0)
        return int(head.split()[1]), await reader.readexactly(0 if to_head else length)


async def is_closed(reader: asyncio.StreamReader, within: float = PATIENCE) -> bool:
    """Whether the server hangs up."""
    try:
        async with asyncio.timeout(within):
            return await reader.read() == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


GET = b"GET /health/live HTTP/1.1\r\nHost: quintet\r\n\r\n"


async def test_it_serves_and_keeps_connections(dsn: str) -> None:
    async with listening(dsn) as port, connection(port) as (reader, writer):
        for _ in range(3):
            writer.write(GET)
            assert await answer_of(reader) == (200, b'{"status":"alive"}')
        writer.write(GET * 3)  # pipelined
        assert [await answer_of(reader) for _ in range(3)] == [(200, b'{"status":"alive"}')] * 3


async def test_a_slow_head_is_cut(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.3)
    async with listening(dsn) as port:
        async with connection(port) as (reader, _):  # says nothing at all
            assert (await answer_of(reader))[0] == 408
            assert await is_closed(reader)
        for so_far in (b"", GET):  # at its first request, and at a later one
            async with connection(port) as (reader, writer):
                writer.write(so_far)
                if so_far:
                    assert (await answer_of(reader))[0] == 200

                async def trickle(to: asyncio.StreamWriter = writer) -> None:
                    for byte in b"GET /health/live HTTP/1.1\r\nX-Slow: " + b"s" * 10_000:
                        to.write(bytes([byte]))
                        await look_again()

                trickling = asyncio.create_task(trickle())
                assert (await answer_of(reader))[0] == 408
                assert await is_closed(reader)
                trickling.cancel()


async def test_an_endless_head_is_cut(dsn: str) -> None:
    async with listening(dsn) as port, connection(port) as (reader, writer):
        writer.write(b"GET /health/live HTTP/1.1\r\n")

        async def pour() -> None:
            for number in range(10_000):
                writer.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))
                await writer.drain()

        pouring = asyncio.create_task(pour())
        assert (await answer_of(reader))[0] == 431
        assert await is_closed(reader)
        await asyncio.gather(pouring, return_exceptions=True)


LOGIN = (
    b"POST /auth/login HTTP/1.1\r\nHost: q\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


async def test_a_slow_body_is_refused_and_the_connection_given_up(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.5)
    async with listening(dsn, QUINTET_REQUEST_DEADLINE_SECONDS="1") as port:
        async with connection(port) as (reader, writer):
            writer.write(LOGIN % 100 + b"{")
            status, body = await answer_of(reader)
            assert (status, json.loads(body)["code"]) == (408, "request_timeout")
            writer.write(b" ")  # one more byte does not buy more time
            assert await is_closed(reader)
        async with connection(port) as (reader, writer):  # one that hangs up while sending harms nobody
            writer.write(LOGIN % 100 + b"{")
        async with connection(port) as (reader, writer):
            writer.write(GET)
            assert (await answer_of(reader))[0] == 200


async def test_the_rest_of_a_refused_body_is_read_for_a_while(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413 before the body is there: who goes on sending can still read the answer, but not for ever."""
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.5)
    async with listening(dsn) as port:
        async with connection(port) as (reader, writer):
            writer.write(LOGIN % 100_000)
            assert (await answer_of(reader))[0] == 413
            writer.write(b" " * 100_000 + GET)
            assert (await answer_of(reader))[0] == 200  # the connection is still good
        async with connection(port) as (reader, writer):
            writer.write(LOGIN % 100_000 + b" ")
            assert (await answer_of(reader))[0] == 413
            assert await is_closed(reader)


async def test_what_is_no_http_is_refused(dsn: str) -> None:
    async with listening(dsn) as port:
        for nonsense in (
            b"\x16\x03\x01\x02\x00\x01",
            b"GET\r\n\r\n",
            b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: q\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ):
            async with connection(port) as (reader, writer):
                writer.write(nonsense)
                assert (await answer_of(reader))[0] in {400, 404}, nonsense
        async with connection(port) as (reader, writer):
            writer.write(GET)
            assert (await answer_of(reader))[0] == 200


async def test_nothing_tells_what_serves(dsn: str) -> None:
    async with listening(dsn) as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        answer = await http.get("/health/live")
        assert "server" not in answer.headers


async def test_head_leaves_the_connection_good(dsn: str) -> None:
    async with listening(dsn) as port, connection(port) as (reader, writer):
        for path in (b"/openapi.json", b"/nothing", b"/health/live"):
            writer.write(b"HEAD %s HTTP/1.1\r\nHost: quintet\r\n\r\n" % path + GET)
            assert (await answer_of(reader, to_head=True))[0] == (404 if path == b"/nothing" else 200)
            assert await answer_of(reader) == (200, b'{"status":"alive"}')


@contextmanager
def process(dsn: str) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """`quintet serve`, as an operator runs it, on a database of ours; with its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: text for name, text in os.environ.items() if not name.startswith("QUINTET_")}
    environment = {**clean, **OPEN_LIMITS, "QUINTET_DATABASE_URL": dsn, "PYTHONPATH": "src"}
    command = [sys.executable, "-m", "quintet.cli", "serve", "--port", str(port)]
    served = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert served.stdout is not None
        for line in served.stdout:
            if json.loads(line)["event"] == "serving":
                break
        yield served, port
    finally:
        served.kill()
        served.wait(PATIENCE)
        served.stdout.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await look_again()


async def test_a_stop_finishes_what_runs_and_takes_nothing_new(dsn: str) -> None:
    with process(dsn) as (served, port):
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url) as http, connection(port) as (reader, writer):

            async def answers() -> bool:
                try:
                    return (await http.get("/health/ready")).status_code == 200
                except httpx2.ConnectError:
                    return False

            await until(answers)
            signup = {"email": f"stop-{port}@example.com", "password": PASSWORD}
            token = (await http.post("/auth/signup", json=signup)).json()["access_token"]
            # A connection that is there before the stop, to ask for readiness during it.
            body = json.dumps({"title": "Heat", "kind": "film", "id": f"stop-{port}"}).encode()
            writer.write(
                b"POST /api/titles HTTP/1.1\r\nHost: q\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (token.encode(), len(body))
            )
            with psycopg.connect(dsn) as other:
                # Whoever holds the id keeps the request running.
                other.execute(
                    "insert into catalogue.works (id, kind, title, created_at, updated_at)"
                    " values (%s, 'film', 'Heat', now(), now())",
                    (f"stop-{port}",),
                )
                writer.write(body)

                async def waits() -> bool:
                    rows = other.execute(
                        "select from pg_stat_activity"
                        " where wait_event_type = 'Lock' and datname = current_database()"
                    )
                    return rows.fetchone() is not None

                await until(waits)
                served.send_signal(signal.SIGTERM)

                async def refuses() -> bool:
                    try:
                        async with connection(port):
                            return False
                    except ConnectionRefusedError:
                        return True

                await until(refuses)
                assert served.poll() is None
                other.rollback()
            status, told = await answer_of(reader)
            assert (status, json.loads(told)["id"]) == (201, f"stop-{port}")
        assert await asyncio.to_thread(served.wait, PATIENCE) == 0
        assert served.stdout is not None
        lines = [json.loads(line) for line in served.stdout]
        assert lines[-1]["event"] == "stopped"
        assert token not in repr(lines)


async def test_readiness_fails_from_the_stop_on(dsn: str) -> None:
    listener = listen("127.0.0.1", 0)
    edge = build_app(settings_for_tests(), dsn)
    server = make_server(edge, listener, on_stop=edge.stop_being_ready, drain=edge.drain)
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=edge), base_url="http://q") as inside:
        assert (await inside.get("/health/ready")).status_code == 200
        server._on_stop()
        answer = await inside.get("/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await inside.get("/health/live")).status_code == 200
        assert (await inside.get("/api/titles")).status_code == 200  # who is still here is served
    server.should_exit = True
    await task
    listener.close()
