"""Stopping: everybody is told, a few at a time, and nobody is waited for in vain."""

import asyncio
import time
from contextlib import AsyncExitStack

import httpx2
import pytest
from tests.process import server_process
from tests.sockets import PATIENCE_SECONDS, Socket, connected, socket_to
from tests.waiting import look_again
from tests.world import World, new_title

from quintet.kernel.live import work

PEOPLE, EACH = 20, 20


@pytest.mark.soak
async def test_sigterm_closes_hundreds_a_few_at_a_time() -> None:
    with server_process() as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http:
            world = World(http, None, None, "", port=server.port)  # type: ignore[arg-type]
            people = [await world.person() for _ in range(PEOPLE)]
            title = await new_title(people[0])
            async with AsyncExitStack() as stack:

                async def open_one(token: str) -> Socket:
                    socket = await stack.enter_async_context(socket_to(world, f"?token={token}"))
                    assert (await socket.hear())["event"] == "connected"
                    return socket

                sockets: list[Socket] = []
                for person in people:
                    sockets += await asyncio.gather(*(open_one(person.access_token) for _ in range(EACH)))
                half = await stack.enter_async_context(socket_to(world))  # never signs in
                stream = await stack.enter_async_context(
                    http.stream("GET", f"/api/titles/{title}/t2g/stream")
                )
                lines = stream.aiter_lines()
                assert (await anext(lines)).startswith("retry")

                async def closing(socket: Socket) -> tuple[int, float]:
                    return await socket.closed(), time.monotonic()

                waiting = [asyncio.create_task(closing(socket)) for socket in [*sockets, half]]
                begun = time.monotonic()
                stopping = asyncio.create_task(asyncio.to_thread(server.stop))
                async for _ in lines:
                    pass  # it ends by itself
                ends = await asyncio.gather(*waiting)
                assert await stopping == 0
                seconds = time.monotonic() - begun
                assert {code for code, _ in ends} == {1012}
                times = sorted(at - begun for _, at in ends)
                busiest = max(sum(at <= one < at + 0.05 for one in times) for at in times)
                over = times[-1] - times[0]
                print(f"{len(ends)} sockets closed over {over:.2f} s, at most {busiest} in 50 ms")
                print(f"all over after {seconds:.1f} s")
                assert times[-1] - times[0] > 0.4
                assert busiest < len(ends) / 3
                assert seconds < 30
        assert "Traceback" not in server.tail()


async def test_readiness_fails_and_nobody_new_is_let_in_while_it_stops(live: World) -> None:
    ada = await live.person()
    title = await new_title(ada)
    async with connected(ada) as socket, connected(ada) as other:
        live.kernel.draining = True
        try:
            assert (await live.get("/health/ready")).status_code == 503
            answer = await live.get(f"/api/titles/{title}/t2g/stream")
            assert answer.status_code == 503
            await work.drain(live.kernel)
            assert [await socket.closed(), await other.closed()] == [1012, 1012]
        finally:
            live.kernel.draining = False
    assert not live.kernel.hub.members


async def test_who_comes_in_between_is_closed_too(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await live.person()
    monkeypatch.setattr(work, "DRAIN_PER_SECOND", 4)
    async with AsyncExitStack() as stack:
        first = [await stack.enter_async_context(connected(ada)) for _ in range(2)]
        draining = asyncio.create_task(work.drain(live.kernel))
        await look_again()
        late = await stack.enter_async_context(connected(ada))
        await draining
        assert [await socket.closed() for socket in [*first, late]] == [1012] * 3
