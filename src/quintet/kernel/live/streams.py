"""Server-Sent Events: what rooms tell, over plain HTTP, to who only listens.

Invariant: a stream keeps no queue. It is told that something changed and then reads what is so now; so a slow
reader costs nothing, and skips what is out of date by the time it listens again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any, Final
from uuid import UUID

import msgspec

from quintet.kernel.actor import Actor
from quintet.kernel.http.answer import Answer
from quintet.kernel.http.call import Call, Kernel
from quintet.kernel.live.room import Chunk, Room
from quintet.kernel.live.tickets import redeem_for_stream
from quintet.kernel.refusals import Refusal, TooManyConnections, Unavailable

MOST_STREAMS: Final = 100  # of one address on one node
QUIET_SECONDS: Final = 15.0
RETRY_MILLISECONDS: Final = 2000
_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies of the nginx family would hold events back
]


class Moment(msgspec.Struct, frozen=True):
    """One event of a stream: the reader keeps `id` and names it when it comes back."""

    kind: str
    id: str
    data: bytes

    def text(self) -> bytes:
        """As the stream carries it; JSON has no line breaks of its own."""
        return f"id: {self.id}\nevent: {self.kind}\ndata: ".encode() + self.data + b"\n\n"


async def listener_of(call: Call, ticket: str | None) -> Actor | None:
    """Who listens: by token, by ticket (good for this path's reconnects, too), or nobody in particular."""
    if call.viewer is None and ticket is not None:
        return await redeem_for_stream(call.kernel, ticket, call.scope["path"])
    return call.viewer


class Listening:
    """A member of rooms that only wants to know that something happened."""

    def __init__(self, actor: Actor | None, address: str) -> None:
        self.actor = actor
        self.address = address
        self.is_over = False
        self._wake = asyncio.Event()

    @property
    def user_id(self) -> UUID | None:
        """Whose it is."""
        return self.actor and self.actor.id

    def hear(self, room: Room, chunk: Chunk) -> None:  # noqa: ARG002 (named so by Member)
        """Something happened."""
        self._wake.set()

    def lose_place(self, room: Room) -> None:  # noqa: ARG002 (named so by Member)
        """Something happened, more than can be told."""
        self._wake.set()

    def put_out(self, room: Room, reason: Refusal) -> None:  # noqa: ARG002 (named so by Member)
        """A stream is of its rooms alone."""
        self.close()

    async def review_own(self) -> None:
        """What is told is read for this listener each time."""

    def look_after(self, now: float) -> None:
        """Need nothing."""

    def close(self, code: int = 0, reason: str = "") -> None:  # noqa: ARG002 (named so by members of the hub)
        """End the stream."""
        self.is_over = True
        self._wake.set()

    async def something_happens(self) -> bool:
        """Wait for it; False when nothing did for a while."""
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True


class Stream(Answer[Any]):
    """An answer that goes on: the present moment, then every one that follows.

    `read` answers the present moment; one with the id told last is not told again.
    """

    def __init__(
        self, rooms: list[str], listener: Actor | None, read: Callable[[], Awaitable[Moment]]
    ) -> None:
        super().__init__(None)
        self._rooms = rooms
        self._listener = listener
        self._read = read

    def to_asgi_response(self, *, request: Any, status_code: int | None = None, **_: Any) -> Any:  # noqa: ARG002 (Litestar's)
        """The stream, as an ASGI application."""
        kernel: Kernel = request.kernel
        if kernel.draining:
            raise Unavailable
        listening = Listening(self._listener, request.call_state.address)
        streams = Counter(one.address for one in kernel.hub.members if isinstance(one, Listening))
        if streams[listening.address] >= MOST_STREAMS:
            raise TooManyConnections

        async def run(_scope: Any, receive: Any, send: Any) -> None:
            leaving = asyncio.create_task(_watch(receive, listening))
            kernel.hub.members.add(listening)
            try:
                await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
                async with aclosing(self._parts(kernel, listening)) as parts:
                    with suppress(Unavailable):  # the reader comes back by itself
                        async for part in parts:
                            await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                kernel.hub.members.discard(listening)
                leaving.cancel()

        return run

    async def _parts(self, kernel: Kernel, listening: Listening) -> AsyncGenerator[bytes]:
        async with AsyncExitStack() as stack:
            for name in self._rooms:
                room = await stack.enter_async_context(kernel.hub.holding(name))
                kernel.hub.enter(room, listening)
                stack.callback(kernel.hub.leave, room, listening)
            yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
            told = None
            while not listening.is_over:
                moment = await self._read()
                if moment.id != told:
                    told = moment.id
                    yield moment.text()
                while not listening.is_over and not await listening.something_happens():
                    yield b": still here\n\n"


async def _watch(receive: Any, listening: Listening) -> None:
    """The stream is over when its reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    listening.close()
