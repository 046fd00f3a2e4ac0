"""Faults degrade: a database that is away is 503 with Retry-After, and the server heals by itself."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from tests.process import ServerProcess, server_process, temporary_folder
from tests.waiting import look_again_soon, wait_until
from tests.world import PASSWORD

from quintet.kernel.postgres import Cluster

HEAL_SECONDS = 10


def until_healed(server: ServerProcess) -> tuple[float, set[int]]:
    """How long until writes work again, and every status that was told meanwhile."""
    begun, seen = time.monotonic(), set[int]()
    while time.monotonic() - begun < HEAL_SECONDS:
        answer = httpx2.get(f"{server.url}/api/titles", timeout=8)
        seen.add(answer.status_code)
        if answer.status_code == 200 and 503 in seen:
            return time.monotonic() - begun, seen
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["code"] == "unavailable"
            assert "psycopg" not in answer.text
        look_again_soon(0.01)
    raise AssertionError(f"not healed within {HEAL_SECONDS} seconds; told {seen}: {server.tail()}")


@pytest.mark.soak
def test_the_embedded_database_is_killed_under_load() -> None:
    with server_process() as server, ThreadPoolExecutor(8) as crowd:
        for _ in range(2):
            os.kill(server.postmaster_pid(), signal.SIGKILL)
            healed = list(crowd.map(lambda _: until_healed_or_unharmed(server), range(8)))
            assert set().union(*(seen for _, seen in healed)) <= {200, 503}
        body = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}
        # No connection leaked: all of them still work, one after the other and at once.
        assert httpx2.post(f"{server.url}/auth/signup", json=body, timeout=8).status_code == 201
        statuses = list(crowd.map(lambda _: httpx2.get(f"{server.url}/api/titles").status_code, range(60)))
        assert set(statuses) == {200}


def until_healed_or_unharmed(server: ServerProcess) -> tuple[float, set[int]]:
    """As `until_healed`; a caller who came only after the recovery saw nothing of it."""
    begun, seen, good = time.monotonic(), set[int](), 0
    while good < 3:
        assert time.monotonic() - begun < HEAL_SECONDS, server.tail()
        seen.add(status := httpx2.get(f"{server.url}/api/titles", timeout=8).status_code)
        good = good + 1 if status == 200 else 0
        look_again_soon(0.05)
    return time.monotonic() - begun, seen


@pytest.mark.soak
def test_any_postgresql_goes_away_and_comes_back() -> None:
    """The same with `QUINTET_DATABASE_URL`: nobody restarts it but its operator."""
    with temporary_folder() as folder, Cluster.open(folder / "elsewhere") as theirs:
        server = ServerProcess(folder / "data", QUINTET_DATABASE_URL=theirs.dsn)
        try:
            server.start()
            server.wait_until_ready()
            assert not (folder / "data" / "postgres").exists()
            os.kill(theirs.pid, signal.SIGKILL)
            with ThreadPoolExecutor(1) as operator:
                healing = operator.submit(until_healed, server)
                wait_until(lambda: '"database_away"' in server.tail(), "the watch to notice")
                assert httpx2.get(f"{server.url}/health/live").status_code == 200
                theirs.ensure_running()
                assert healing.result() is not None
        finally:
            server.stop()


def test_sigterm_ends_in_order() -> None:
    with server_process() as server:
        postmaster = server.postmaster_pid()
        assert server.stop() == 0
        assert '"stopped"' in server.tail()
        assert not Path(f"/proc/{postmaster}").exists()
        assert "Traceback" not in server.tail()
