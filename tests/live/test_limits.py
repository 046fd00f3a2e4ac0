"""Limits: what is said badly, too much, or never, and what that costs others (nothing)."""

import asyncio
import json
from typing import Any

import pytest
from tests.live.wire import BINARY, CONTINUATION, PING, PONG, TEXT, Wire, frame, open_wire
from tests.sockets import connected
from tests.world import World

PING_MESSAGE = b'{"type":"ping","id":1}'
UNREADABLE = {
    "no JSON": b"hello",
    "nothing": b"",
    "an array": b"[1]",
    "a number": b"1",
    "no type": b"{}",
    "a type that is no text": b'{"type":1}',
    "too deep": b'{"type":"ping","x":' + b"[" * 40 + b"]" * 40 + b"}",
    "NUL": b'{"type":"ping","id":"\\u0000"}',
    "a lone surrogate": b'{"type":"ping","id":"\\ud800"}',
    "not finite": b'{"type":"ping","id":NaN}',
    "an endless number": b'{"type":"ping","id":' + b"9" * 20000 + b"}",
}


@pytest.fixture(scope="module")
async def token(live: World) -> str:
    return (await live.person()).access_token


async def still_answers(wire: Wire) -> bool:
    await wire.say(type="ping", id="still there")
    while (message := await wire.hear()).get("id") != "still there":
        pass
    return message["type"] == "pong"


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_cannot_be_read_is_an_error(live: World, token: str, data: bytes) -> None:
    async with open_wire(live.port, token) as wire:
        await wire.send(frame(data))
        refused = await wire.hear()
        assert (refused["type"], refused["code"], refused["retryable"]) == ("error", "invalid_message", False)
        assert len(json.dumps(refused)) < 2000
        assert await still_answers(wire)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "nonsense" * 1000},
        {"type": "subscribe"},
        {"type": "subscribe", "room": 1},
        {"type": "subscribe", "rooms": "title:x"},
        {"type": "subscribe", "rooms": [{"since": 1}]},
        {"type": "unsubscribe"},
        {"type": "presence", "status": "x" * 10_000},
        {"type": "presence", "status": "online", "mode": "x" * 33},
        {"type": "presence", "status": "offline"},
        {"type": "auth", "token": None},
        {"type": "ping", "id": "x" * 101},
        {"type": "ping", "id": 10**30},
        {"type": "ping", "id": 1.5},
        {"type": "ping", "id": {}},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_an_error_that_repeats_little(
    live: World, token: str, message: dict[str, Any]
) -> None:
    async with open_wire(live.port, token) as wire:
        await wire.say(**message)
        refused = await wire.hear()
        assert (refused["type"], refused["code"]) == ("error", "invalid_message")
        assert len(json.dumps(refused)) < 1000
        assert await still_answers(wire)


async def test_long_names_of_rooms_are_not_repeated(live: World) -> None:
    name = "title:" + "x" * 60_000
    async with connected(await live.person()) as socket:
        for fields in ({"room": name}, {"rooms": [{"room": name}]}):
            refused = await socket.ask("subscribe", **fields)
            assert (refused["code"], "room" in refused) == ("not_found", False)
        assert (await socket.ask("unsubscribe", room=name))["code"] == "not_subscribed"
        refused = await socket.ask("subscribe", rooms=[{"room": "title:x"}] * 102)
        assert refused["code"] == "too_many_rooms"
    assert not [room for room in live.kernel.hub.rooms if len(room) > 200]


async def test_text_that_is_none_is_closed(live: World, token: str) -> None:
    async with open_wire(live.port, token) as wire:
        await wire.send(frame(b'{"type":"ping","id":"\xff"}'))
        assert await wire.closed() == (1007, [])


async def test_ten_unreadable_in_a_row_are_too_many(live: World, token: str) -> None:
    async with open_wire(live.port, token) as wire:
        for _ in range(3):
            await wire.send(frame(b"x") * 9 + frame(PING_MESSAGE))
        assert await still_answers(wire)
        await wire.send(frame(b"x", BINARY) * 5 + frame(b"{") * 4)
        await wire.send(frame(b"x") + frame(PING_MESSAGE) * 20)
        code, said = await wire.closed()
        assert (code, [one.get("code") for one in said]) == (1008, ["invalid_message"] * 10)


async def test_messages_have_64_kibibytes_at_most(live: World, token: str) -> None:
    largest = json.dumps({"type": "ping", "id": 1, "x": "y" * (64 * 1024 - 34)}).encode()
    assert len(largest) == 64 * 1024
    async with open_wire(live.port, token) as wire:
        await wire.send(frame(largest))
        assert (await wire.hear())["type"] == "pong"
        await wire.send(frame(largest + b" "))
        assert (await wire.closed())[0] == 1009
        assert await wire.gone() == b""  # at once, not after the five seconds for a peer that says nothing
    async with open_wire(live.port, token) as wire:
        await wire.send(frame(largest[:40_000], fin=False) + frame(largest[:40_000], CONTINUATION))
        assert (await wire.closed())[0] == 1009
    async with connected(await live.person()) as socket:
        await socket.socket.send("x" * 70_000)
        async with asyncio.timeout(2):
            assert await socket.closed() == 1009


@pytest.mark.parametrize(
    "data",
    [
        frame(PING_MESSAGE, masked=False),
        frame(PING_MESSAGE, rsv=0x40),  # compressed, which nobody agreed upon
        frame(PING_MESSAGE, CONTINUATION),
        frame(PING_MESSAGE, 3),
        frame(b"x" * 126, PING),
        frame(b"x", PING, fin=False),
        frame(b"{", fin=False) + frame(b"{"),
    ],
)
async def test_who_breaks_the_protocol_is_closed(live: World, token: str, data: bytes) -> None:
    async with open_wire(live.port, token, "Sec-WebSocket-Extensions: permessage-deflate") as wire:
        await wire.send(data)
        assert (await wire.closed())[0] == 1002
        assert await wire.gone() == b""


async def test_fragments_and_pings_between_them(live: World, token: str) -> None:
    async with open_wire(live.port, token) as wire:
        await wire.send(frame(PING_MESSAGE[:4], fin=False) + frame(b"are you there", PING))
        assert await wire.frame() == (PONG, b"are you there")
        for _ in range(50):
            await wire.send(frame(b"", CONTINUATION, fin=False) * 1000)
        await wire.send(frame(PING_MESSAGE[4:], CONTINUATION))
        assert (await wire.hear())["type"] == "pong"
        await wire.send(frame(PING_MESSAGE[:4], fin=False) + frame(b"", CONTINUATION, fin=False) * 1000)
        await still_parses(live)
        assert all(len(one.wire._message) < 3 for one in live.kernel.hub.members)
    parts = [PING_MESSAGE[at : at + 1] for at in range(len(PING_MESSAGE))]
    async with open_wire(live.port, token) as wire:
        for at, part in enumerate(parts):
            await wire.send(frame(part, CONTINUATION if at else TEXT, fin=at == len(parts) - 1))
        assert (await wire.hear())["type"] == "pong"


async def still_parses(live: World) -> None:
    async with connected(await live.person()) as socket:
        await socket.ask("ping")


async def test_a_hundred_at_once_then_fifty_a_second(live: World, token: str) -> None:
    async with open_wire(live.port, token) as wire:
        await wire.send(frame(PING_MESSAGE) * 150)
        answers = [await wire.hear() for _ in range(150)]
        refused = [one for one in answers if one["type"] == "error"]
        assert 45 <= len(refused) <= 50
        assert {(one["code"], one["retryable"]) for one in refused} == {("rate_limited", True)}
        live.clock.go(seconds=1)
        await wire.send(frame(PING_MESSAGE) * 60)
        again = [(await wire.hear())["type"] for _ in range(60)]
        assert 50 <= again.count("pong") <= 53


async def test_more_than_a_hundred_refusals_in_ten_seconds_are_too_many(live: World, token: str) -> None:
    unknown = frame(b'{"type":"nonsense"}')
    async with open_wire(live.port, token) as wire:
        await wire.send(unknown * 100)
        for _ in range(100):
            assert (await wire.hear())["type"] == "error"
        live.clock.go(seconds=11)
        await wire.send(unknown * 100)
        for _ in range(100):
            assert (await wire.hear())["type"] == "error"
        live.clock.go(seconds=3)
        await wire.send(frame(PING_MESSAGE))
        while (await wire.hear())["type"] == "error":
            pass
        await wire.send(unknown)
        # What it goes on saying meanwhile does not keep it from hearing why.
        for _ in range(20):
            await wire.send(frame(PING_MESSAGE) * 100)
        assert (await wire.closed())[0] == 1008
