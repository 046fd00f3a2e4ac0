"""Several processes on one port: one server to whoever calls it."""

import asyncio
import json
import os
import re
import signal
from collections.abc import Generator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.process import ServerProcess, is_running, server_process
from tests.sockets import Socket, socket_to
from tests.waiting import look_again, wait_until
from tests.world import PASSWORD, World

SOCKETS = 10  # twice as many are allowed: those of a killed process count for some seconds more


@pytest.fixture(scope="module")
def server() -> Generator[ServerProcess]:
    with server_process(QUINTET_PROCESSES="2") as running:
        yield running


def children_of(pid: int) -> list[int]:
    """The processes that answer; the one that tracks resources of multiprocessing is none of them."""
    pids = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [one for one in pids if is_running(one) and "spawn_main" in command_of(one)]


def command_of(pid: int) -> str:
    with suppress(OSError):  # it may end this moment
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


async def signed_in(server: ServerProcess) -> dict[str, str]:
    name = f"ada-{uuid4().hex[:8]}"
    async with httpx2.AsyncClient(base_url=server.url) as http:
        body = {"email": f"{name}@example.com", "username": name, "password": PASSWORD}
        answer = await http.post("/auth/signup", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


async def call(server: ServerProcess, token: str, path: str, body: Any) -> httpx2.Response:
    """Each call over a connection of its own, so that any process may get it."""
    async with httpx2.AsyncClient(base_url=server.url) as http:
        return await http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


def world_of(server: ServerProcess) -> World:
    return World(None, None, None, "", port=server.port)  # type: ignore[arg-type]


async def open_sockets(stack: AsyncExitStack, server: ServerProcess, token: str) -> list[Socket]:
    sockets = [
        await stack.enter_async_context(socket_to(world_of(server), f"?token={token}"))
        for _ in range(SOCKETS)
    ]
    for socket in sockets:
        assert (await socket.hear())["event"] == "connected"
    return sockets


async def test_all_processes_hear_each_other(server: ServerProcess) -> None:
    person = await signed_in(server)
    token = person["access_token"]
    title = (await call(server, token, "/api/titles", {"title": "Heat", "kind": "film"})).json()["id"]
    room = f"title:{title}"
    async with AsyncExitStack() as stack:
        sockets = await open_sockets(stack, server, token)
        for socket in sockets:
            assert (await socket.ask("subscribe", room=room))["type"] == "subscribed"
        for number in range(20):
            placed = await call(server, token, f"/api/titles/{title}/wiggs", {"position_pct": number * 5})
            assert placed.status_code == 201
        heard = [[event["seq"] for event in await socket.events_up_to(20, room)] for socket in sockets]
        assert heard == [list(range(1, 21))] * SOCKETS
        figures = httpx2.get(f"{server.url}/metrics").text
        assert re.search(rf"quintet_live_connections {SOCKETS}\.0", figures)
        placings = re.findall(r'_count{method="POST",route="/api/titles/{title_id}/wiggs",.*} (\d+)', figures)
        assert sum(int(one) for one in placings) == 20


async def test_a_process_that_dies_is_replaced_and_nothing_is_missed(server: ServerProcess) -> None:
    person = await signed_in(server)
    token = person["access_token"]
    title = (await call(server, token, "/api/titles", {"title": "Heat", "kind": "film"})).json()["id"]
    room = f"title:{title}"
    before = children_of(server.pid)
    assert len(before) == 2
    async with AsyncExitStack() as stack:
        sockets = await open_sockets(stack, server, token)
        joined = [await socket.ask("subscribe", room=room) for socket in sockets]
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: before[0] not in children_of(server.pid), "the killed process is gone")
        for number in range(5):
            placed = await call(server, token, f"/api/titles/{title}/wiggs", {"position_pct": number * 10})
            assert placed.status_code == 201
        again = 0
        for socket in sockets:
            try:
                heard = await socket.events_up_to(5, room)
            except Exception:  # noqa: BLE001 (the connection broke, in one way or another)
                again += 1
                fresh = await stack.enter_async_context(socket_to(world_of(server), f"?token={token}"))
                await fresh.say("subscribe", room=room, epoch=joined[0]["epoch"], since=0)
                heard = await fresh.events_up_to(5, room)
            assert [event["seq"] for event in heard] == [1, 2, 3, 4, 5]
        assert again > 0
    wait_until(lambda: len(children_of(server.pid)) == 2, "a new process takes its place")
    print(f"a process of two killed: {again} of {SOCKETS} sockets came back and missed nothing")


@pytest.mark.soak
async def test_stopping_closes_sockets_with_a_reason_and_ends_all_processes() -> None:
    with server_process(QUINTET_PROCESSES="2") as server:
        token = (await signed_in(server))["access_token"]
        pids = [server.pid, *children_of(server.pid)]
        async with AsyncExitStack() as stack:
            sockets = await open_sockets(stack, server, token)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            assert {await socket.closed() for socket in sockets} == {1012}
            assert await stopping == 0
        for pid in pids:
            assert not is_running(pid)
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
        assert lines[-1]["event"] == "stopped"
        assert token not in server.log.read_text()


@pytest.mark.soak
async def test_no_process_outlives_the_one_that_watches() -> None:
    with server_process(QUINTET_PROCESSES="2") as server:
        pids = children_of(server.pid)
        assert len(pids) == 2
        server.kill()
        async with asyncio.timeout(20):
            while any(is_running(pid) for pid in pids):
                await look_again()
