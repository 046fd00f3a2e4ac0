"""Acknowledged means durable: writes go on while server and database are killed with -9 again and again."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.process import ServerProcess, look_at, server_process
from tests.waiting import look_again_soon
from tests.world import PASSWORD

from quintet.apps.wigg.rules import boundaries

KILLS = 6
WRITES = 3000
WRITERS = 24


class Ledger:
    """What clients were told, kept outside the server."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}  # optimistic id → wigg id
        self.retries = 0
        self.replays = 0


async def signed_up(http: httpx2.AsyncClient, name: str) -> str:
    body = {"email": f"{name}@example.com", "username": name, "password": PASSWORD}
    answer = await http.post("/auth/signup", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["access_token"]


async def write_until_acknowledged(
    http: httpx2.AsyncClient, ledger: Ledger, token: str, path: str, pct: float
) -> None:
    """Repeat one write, as an honest client does, until the server says that it has it."""
    optimistic_id = str(uuid4())
    body = {"position_pct": pct, "rating": 2, "optimistic_id": optimistic_id}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": optimistic_id}
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await http.post(path, json=body, headers=headers)
            except httpx2.HTTPError:
                ledger.retries += 1
                await asyncio.to_thread(look_again_soon, 0.05)
                continue
            if answer.status_code in {503, 409}:
                ledger.retries += 1
                await asyncio.to_thread(look_again_soon, 0.05)
                continue
            assert answer.status_code in {200, 201}, answer.text
            ledger.replays += "idempotent-replayed" in answer.headers
            ledger.acknowledged[optimistic_id] = answer.json()["id"]
            return


async def kill_again_and_again(server: ServerProcess, ledger: Ledger, chance: random.Random) -> int:
    """Kill the server or its database whenever another share of the writes is done."""
    killed = 0
    for number in range(KILLS):
        goal = WRITES * (number + 1) // (KILLS + 1)
        while len(ledger.acknowledged) < goal:
            await asyncio.to_thread(look_again_soon, 0.05)
        if chance.random() < 0.5:
            os.kill(server.postmaster_pid(), signal.SIGKILL)
        else:
            await asyncio.to_thread(server.kill)
            if chance.random() < 0.3:
                os.kill(server.postmaster_pid(), signal.SIGKILL)
            server.start()
        killed += 1
    return killed


@asynccontextmanager
async def client(server: ServerProcess) -> AsyncGenerator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=WRITERS)
    async with httpx2.AsyncClient(base_url=server.url, timeout=10, limits=limits) as http:
        yield http


@pytest.mark.soak
@pytest.mark.timeout(240)
async def test_nothing_acknowledged_is_lost_doubled_or_half_done() -> None:
    chance = random.Random(7)
    ledger = Ledger()
    with server_process() as server:
        async with client(server) as http:
            tokens = [await signed_up(http, f"writer{n}") for n in range(4)]
            titles: list[str] = []
            for n in range(25):
                headers = {"Authorization": f"Bearer {tokens[0]}"}
                body = {"title": f"Title {n}", "kind": "film"}
                titles.append((await http.post("/api/titles", json=body, headers=headers)).json()["id"])
            places = [(t, title, p) for title in titles for t in tokens for p in range(0, 100, 2)]
            chance.shuffle(places)
            todo = iter(places[:WRITES])

            async def write_on() -> None:
                for token, title, pct in todo:
                    await write_until_acknowledged(
                        http, ledger, token, f"/api/titles/{title}/wiggs", float(pct)
                    )

            killer = asyncio.create_task(kill_again_and_again(server, ledger, chance))
            await asyncio.gather(*(write_on() for _ in range(WRITERS)))
            killed = await killer
        await asyncio.to_thread(server.wait_until_ready)
        counts = await asyncio.to_thread(check_ledger, server, ledger, titles)
    print(f"ledger: {counts}, {killed} kills, {ledger.retries} retries, {ledger.replays} replays")


def check_ledger(server: ServerProcess, ledger: Ledger, titles: list[str]) -> dict[str, int]:
    """Compare the database with what clients were told; the counts."""
    with look_at(server) as database:

        def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
            return database.execute(statement, values).fetchall()

        stored = {str(row[0]) for row in rows("select id from wigg.wiggs")}
        told = set(ledger.acknowledged.values())
        lost, doubled = told - stored, stored - told
        assert not lost, f"{len(lost)} acknowledged marks are gone"
        assert not doubled, f"{len(doubled)} marks nobody was told of"
        assert len(told) == len(ledger.acknowledged) == WRITES
        # Half-done: every mark has its action, its event, and its share of the curve.
        assert rows("select count(*) from wigg.edit_actions") == [(WRITES,)]
        assert rows("select count(*) from kernel.room_events where body->>'type' = 'wigg_placed'") == [
            (WRITES,)
        ]
        for title in titles:
            check_title(rows, title)
        return {"acknowledged": len(told), "lost": len(lost), "doubled": len(doubled), "half_done": 0}


def check_title(rows: Any, title: str) -> None:
    seqs = [
        row[0]
        for row in rows("select seq from kernel.room_events where room = %s order by seq", f"title:{title}")
    ]
    assert seqs[0] == 1
    assert all(later == earlier + 1 for earlier, later in pairwise(seqs))
    ((wiggs, users, sums, voices),) = rows(
        "select wiggs_count, users_count, sums[13:32], voices[13:32] from wigg.curves where title_id = %s",
        title,
    )
    assert rows("select count(*), count(distinct user_id) from wigg.wiggs where title_id = %s", title) == [
        (wiggs, users)
    ]
    added = rows(
        "select segment, sum(voice)::bigint, count(*) from wigg.voices_of(%s, %s) group by 1",
        title,
        list(boundaries(20)[:-1]),
    )
    assert {k: (total, count) for k, total, count in added} == {
        k: (sums[k], voices[k]) for k in range(20) if voices[k]
    }
