"""All converge: random histories of editing, in one process and over real sockets."""

import asyncio
import random

import pytest
from tests.conftest import reachable, serving, settings_for_tests
from tests.domains.documents.clients import ExtendedClient, PlainClient
from tests.domains.documents.notes import have_notes, new_note
from tests.domains.documents.players import Player
from tests.domains.documents.simulation import Simulation

from quintet.domains.documents.ot import apply

HISTORIES = 210


@pytest.mark.parametrize("kind", ["plain", "extended", "mixed"])
async def test_random_histories_converge(kind: str) -> None:
    operations = drops = 0
    for seed in range(HISTORIES // 3):
        chance = random.Random(f"{kind} {seed}")
        plain = 0 if kind == "extended" else chance.randint(1, 3)
        extended = 0 if kind == "plain" else chance.randint(1, 3)
        utf16 = 0 if kind == "plain" else chance.randint(0, 2)
        if plain + extended + utf16 < 2:
            plain, extended = plain + (kind != "extended"), extended + (kind == "extended")
        one = Simulation(seed, plain=plain, extended=extended, utf16=utf16, nodes=chance.randint(1, 2))
        try:
            one.run(150)
        except AssertionError as error:
            raise AssertionError(f"{kind} {seed}") from error
        operations += len(one.store.changes)
        drops += one.drops
    print(f"{kind}: {HISTORIES // 3} histories, {operations} operations, {drops} drops: all converge")


EDITS = 25


@pytest.mark.parametrize("seed", range(1))
async def test_writers_on_two_nodes_converge(dsn: str, seed: int) -> None:
    settings = settings_for_tests(QUINTET_LIMIT_SOCKET="1000000/second")
    async with (
        serving(settings, dsn) as first,
        reachable(first),
        serving(settings, dsn) as second,
        reachable(second),
    ):
        have_notes(first)
        have_notes(second)
        people = [await first.person(f"writer{n}") for n in range(8)]
        document = await new_note(first, *people)
        urls = [f"http://127.0.0.1:{world.port}" for world in (first, second)]
        clients = [
            PlainClient(f"p{n}", document)
            if n < 3
            else ExtendedClient(f"e{n}", document, "utf16" if n > 5 else "codepoint")
            for n in range(len(people))
        ]
        players = [
            Player(client, person.access_token, urls, 100 * seed + number)
            for number, (client, person) in enumerate(zip(clients, people, strict=True))
        ]
        await asyncio.gather(*(player.play(EDITS) for player in players))
        answer = (await people[0].get(f"/api/v1/documents/{document}")).json()
        await asyncio.gather(*(p.settle(lambda p=p: p.client.rev >= answer["rev"]) for p in players))
        text = answer["content"]
        for player in players:
            local = player.client.local(text) if isinstance(player.client, ExtendedClient) else text
            assert player.client.text == local, player.client.name
            await player.hang_up()
        rows = first.sql(
            "select rev, op_id, op from documents.operations where document_id = %s order by rev", document
        )
        assert [rev for rev, *_ in rows] == list(range(1, answer["rev"] + 1))
        replayed = ""
        for *_, op in rows:
            replayed = apply(replayed, tuple(op))
        assert replayed == text
        for client in clients:
            for rev, op_id in client.acknowledged.items():
                assert str(rows[rev - 1][1]) == op_id
        acknowledged = sum(len(client.acknowledged) for client in clients)
        drops = sum(player.drops for player in players)
        print(f"8 writers, 2 nodes: {len(rows)} operations, {acknowledged} acked, {drops} drops: one text")
