"""Fifty writers on one document while server and database are killed with -9 again and again."""

import asyncio
import os
import random
import signal

import httpx2
import pytest
from tests.domains.documents.clients import ExtendedClient, PlainClient
from tests.domains.documents.players import Player
from tests.process import ServerProcess, look_at, server_process
from tests.waiting import look_again_soon
from tests.world import PASSWORD

from quintet.domains.documents.ot import apply

WRITERS = 50
EDITS = 60
KILLS = 6


async def signed_up(http: httpx2.AsyncClient, name: str) -> tuple[str, str]:
    body = {"email": f"{name}@example.com", "username": name, "password": PASSWORD}
    answer = await http.post("/auth/signup", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["user"]["id"], answer.json()["access_token"]


async def kill_again_and_again(server: ServerProcess, players: list[Player], chance: random.Random) -> int:
    """Kill the server or its database whenever another share of the edits is acknowledged."""
    killed = 0
    for number in range(KILLS):
        goal = WRITERS * EDITS * (number + 1) // (4 * (KILLS + 1))
        while sum(len(player.client.acknowledged) for player in players) < goal:
            await asyncio.to_thread(look_again_soon, 0.05)
        if chance.random() < 0.5:
            os.kill(server.postmaster_pid(), signal.SIGKILL)
        else:
            await asyncio.to_thread(server.kill)
            if chance.random() < 0.3:
                os.kill(server.postmaster_pid(), signal.SIGKILL)
            server.start()
        killed += 1
        await asyncio.to_thread(server.wait_until_ready)
    return killed


@pytest.mark.soak
@pytest.mark.timeout(400)
async def test_fifty_writers_converge_through_kills() -> None:
    chance = random.Random(5)
    with server_process(QUINTET_LIMIT_SOCKET="1000000/second") as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=30) as http:
            people = [await signed_up(http, f"writer{n}") for n in range(WRITERS)]
            headers = {"Authorization": f"Bearer {people[0][1]}"}
            answer = await http.post("/api/v1/channels", json={"name": "band"}, headers=headers)
            assert answer.status_code == 201, answer.text
            channel = answer.json()["id"]
            for user_id, _ in people[1:]:
                added = await http.put(f"/api/v1/channels/{channel}/members/{user_id}", headers=headers)
                assert added.status_code < 300, added.text
        document = f"channel:{channel}:notes"
        players = [
            Player(
                PlainClient(f"p{n}", document)
                if n % 5 == 0
                else ExtendedClient(f"e{n}", document, "utf16" if n % 2 else "codepoint"),
                token,
                [server.url],
                n,
            )
            for n, (_, token) in enumerate(people)
        ]
        for player in players:
            player.patience_seconds = 120
        killer = asyncio.create_task(kill_again_and_again(server, players, chance))
        await asyncio.gather(*(player.play(EDITS, drops=0.01) for player in players))
        killed = await killer
        async with httpx2.AsyncClient(base_url=server.url, timeout=30) as http:
            body = (await http.get(f"/api/v1/documents/{document}", headers=headers)).json()
        await asyncio.gather(*(p.settle(lambda p=p: p.client.rev >= body["rev"]) for p in players))
        for player in players:
            assert player.client.text == (
                player.client.local(body["content"])
                if isinstance(player.client, ExtendedClient)
                else body["content"]
            ), player.client.name
            await player.hang_up()
        rows = await asyncio.to_thread(operations_of, server, document)
        text = ""
        for _, _, op in rows:
            text = apply(text, tuple(op))
        assert text == body["content"]
        assert [rev for rev, *_ in rows] == list(range(1, body["rev"] + 1))
        acknowledged = 0
        for player in players:
            for rev, op_id in player.client.acknowledged.items():
                assert str(rows[rev - 1][1]) == op_id, "an acknowledged operation is gone"
                acknowledged += 1
        drops = sum(player.drops for player in players)
    print(
        f"{WRITERS} writers: {len(rows)} operations, {acknowledged} acknowledged, 0 lost, "
        f"{killed} kills, {drops} drops"
    )


def operations_of(server: ServerProcess, document: str) -> list[tuple[int, object, list[int | str]]]:
    with look_at(server) as database:
        cursor = database.execute(
            "select rev, op_id, op from documents.operations where document_id = %s order by rev", (document,)
        )
        return cursor.fetchall()  # type: ignore[return-value]
