"""Server-Sent Events: the time to good, as it changes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from structlog.testing import capture_logs
from tests.live.wire import wire_to
from tests.sockets import PATIENCE_SECONDS
from tests.waiting import look_again
from tests.world import World, mark, new_title

from quintet.kernel.live import streams
from quintet.kernel.live.streams import Listening
from quintet.kernel.refusals import Unavailable


@asynccontextmanager
async def stream(world: World, path: str, **headers: str) -> AsyncGenerator[Any]:
    """The lines of a stream, event by event."""
    async with (
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{world.port}", timeout=PATIENCE_SECONDS) as http,
        http.stream("GET", path, headers=headers) as answer,
    ):
        assert answer.status_code == 200, (await answer.aread()).decode()
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.aiter_lines()

        async def next_event() -> dict[str, Any] | None:
            told: dict[str, str] = {}
            async for line in lines:
                if line:
                    name, _, value = line.partition(": ")
                    told[name] = value
                elif "data" in told:
                    return {**told, "data": json.loads(told["data"])}
                else:
                    told = {}
            return None

        yield next_event


async def test_a_stream_tells_the_present_and_then_every_change(live: World) -> None:
    ada = await live.person("ada")
    title = await new_title(ada)
    async with stream(live, f"/api/titles/{title}/t2g/stream") as next_event:
        first = await next_event()
        now = (await live.get(f"/api/titles/{title}/t2g")).json()
        assert (first["event"], first["id"], first["data"]) == ("t2g_updated", str(now["revision"]), now)
        for number in range(3):
            person = await live.person()
            await mark(person, title, 42, rating=3)
            async with asyncio.timeout(PATIENCE_SECONDS):
                told = await next_event()
                while told["data"]["sample_size"] != number + 1:
                    told = await next_event()
        assert told["data"]["own_estimate_pct"] == 40
        assert int(told["id"]) == told["data"]["revision"] > int(first["id"])
        assert told["data"] == (await live.get(f"/api/titles/{title}/t2g")).json()


async def test_a_stream_of_nothing_is_refused(live: World) -> None:
    assert (await live.get("/api/titles/no-such-title/t2g/stream")).status_code == 404


async def test_a_ticket_stays_good_for_its_stream_and_ends_with_the_session(live: World) -> None:
    ada = await live.person("ada")
    title = await new_title(ada)
    ticket = (await ada.post("/ws/ticket")).json()["ticket"]
    path = f"/api/titles/{title}/t2g/stream?ticket={ticket}"
    for _ in range(2):
        async with stream(live, path) as next_event:
            assert (await next_event())["event"] == "t2g_updated"
    other = await new_title(ada)
    refused = await live.get(f"/api/titles/{other}/t2g/stream?ticket={ticket}")
    assert refused.status_code == 401
    async with stream(live, path) as next_event:
        await next_event()
        assert (await ada.post("/auth/logout")).status_code == 204
        async with asyncio.timeout(2):
            assert await next_event() is None
    assert (await live.get(path)).status_code == 401


async def test_streams_leave_nothing_behind(live: World) -> None:
    ada = await live.person("ada")
    title = await new_title(ada)
    before = len(live.kernel.hub.members)
    for _ in range(5):
        async with stream(live, f"/api/titles/{title}/t2g/stream") as next_event:
            await next_event()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(live.kernel.hub.members) > before:
            await look_again()
    assert not live.kernel.hub.rooms[f"title:{title}"].members


async def test_the_head_of_a_stream_is_all_there_is_of_it(live: World) -> None:
    title = await new_title(await live.person())
    path = f"/api/titles/{title}/t2g/stream"
    request = f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with wire_to(live.port) as wire:
        await wire.send(request.encode())
        answer = await wire.gone()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"text/event-stream" in head
    assert body in {b"", b"0\r\n\r\n"}
    assert not [one for one in live.kernel.hub.members if isinstance(one, Listening)]


async def test_a_stream_ends_quietly_when_the_database_is_away(live: World, monkeypatch: Any) -> None:
    title = await new_title(await live.person())

    def away(_: str) -> Any:
        raise Unavailable

    with capture_logs() as lines, monkeypatch.context() as patch:
        patch.setattr(live.kernel.hub, "holding", away)
        async with stream(live, f"/api/titles/{title}/t2g/stream") as next_event:
            assert await next_event() is None
    assert not [line for line in lines if line["log_level"] == "error"]
    assert not [one for one in live.kernel.hub.members if isinstance(one, Listening)]


async def test_an_address_has_a_hundred_streams_at_most(live: World, monkeypatch: Any) -> None:
    title = await new_title(await live.person())
    path = f"/api/titles/{title}/t2g/stream"
    monkeypatch.setattr(streams, "MOST_STREAMS", 2)
    async with stream(live, path) as one, stream(live, path) as two:
        await one()
        await two()
        refused = await live.get(path, headers={})
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_connections")
