"""Silence, on either side: peers that say nothing or only half of it, and a database that takes its time."""

import asyncio
import json
from typing import Any

from tests.live.test_limits import PING_MESSAGE, still_answers, still_parses, token
from tests.live.wire import PING, PONG, frame, handshake, open_wire, wire_to
from tests.sockets import PATIENCE_SECONDS
from tests.waiting import look_again
from tests.world import World, new_title

__all__ = ["token"]  # the fixture


async def test_half_a_frame_and_half_a_handshake_cost_little(live: World, token: str) -> None:
    before = live.kernel.hub.figures.connections
    async with wire_to(live.port) as wire, open_wire(live.port, token) as half:
        await wire.send(handshake()[:-2])
        await half.send(frame(PING_MESSAGE)[:10])
        await still_parses(live)
        live.clock.go(seconds=26)
        assert (await half.frame())[0] == PING
    async with asyncio.timeout(PATIENCE_SECONDS):
        while live.kernel.hub.figures.connections > before:
            await look_again()


async def test_the_server_pings_and_closes_who_is_silent(live: World, token: str) -> None:
    async with open_wire(live.port, token) as silent, open_wire(live.port, token) as lively:
        live.clock.go(seconds=26)
        for wire in (silent, lively):
            opcode, data = await wire.frame()
            assert opcode == PING
        await lively.send(frame(data, PONG))
        assert await still_answers(lively)
        live.clock.go(seconds=26)
        assert (await silent.frame())[0] == PING
        assert (await lively.frame())[0] == PING
        await lively.send(frame(b"", PONG))
        assert await still_answers(lively)
        live.clock.go(seconds=10)
        assert (await silent.closed())[0] == 1001
        assert await still_answers(lively)


async def test_a_slow_database_fills_no_memory(live: World, monkeypatch: Any) -> None:
    ada = await live.person()
    title = await new_title(ada)
    gate = asyncio.Event()
    plain = live.kernel.hub.name_to_join

    async def slow(*asked: Any) -> str:
        await gate.wait()
        return await plain(*asked)

    monkeypatch.setattr(live.kernel.hub, "name_to_join", slow)
    async with open_wire(live.port, ada.access_token) as wire:
        await wire.say(type="subscribe", id="first", room=f"title:{title}")
        filler = frame(json.dumps({"type": "ping", "id": 2, "x": "y" * 60_000}).encode())
        sending = asyncio.create_task(wire.send(filler * 90))
        connection = next(iter(one for one in live.kernel.hub.members if str(one.user_id) == ada.id))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(connection.inbox) < 16:
                await look_again()
        for _ in range(20):
            await look_again()
        assert len(connection.inbox) < 30
        gate.set()
        answers: list[str] = []
        while len(answers) < 91:
            answers += [kind] if (kind := (await wire.hear())["type"]) != "presence" else []
        assert answers == ["subscribed", *["pong"] * 90]
        await sending
