"""The other end of a live connection, as a front end holds it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.world import Person, World

PATIENCE_SECONDS = 10
Message = dict[str, Any]


class Socket:
    """One open socket; what it has heard so far stays in `heard`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[Message] = []

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def hear(self) -> Message:
        """The next message, whatever it is."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = json.loads(await self.socket.recv())
        self.heard.append(message)
        return message

    async def until(self, fits: Callable[[Message], Any] | str) -> Message:
        """The next message that fits (or is of that type), passing over others."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    message = await self.hear()
                    if message["type"] == fits if isinstance(fits, str) else fits(message):
                        return message
        except TimeoutError as error:
            raise AssertionError(f"waited in vain for {fits}; heard {self.heard[-5:]}") from error

    async def ask(self, kind: str, id_: int = 1, **fields: Any) -> Message:
        """Say something; the answer that names it."""
        await self.say(kind, id=id_, **fields)
        return await self.until(lambda message: message.get("id") == id_)

    async def events_up_to(self, seq: int, room: str) -> list[Message]:
        """Every durable event of the room heard from here on, up to `seq`."""
        events: list[Message] = []
        while not events or events[-1]["seq"] < seq:
            events.append(await self.until(lambda m: m.get("room") == room and "at" in m and "seq" in m))
        return events

    async def settle(self) -> list[Message]:
        """Everything the server has said up to now, by asking once more."""
        before = len(self.heard)
        await self.ask("ping", id_=987654)
        return self.heard[before:-1]

    async def closed(self) -> int:
        """Wait until the server closes; its code."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    self.heard.append(json.loads(await self.socket.recv()))
        except ConnectionClosed as closed:
            frame = closed.rcvd
        assert frame is not None, "the connection broke without a close frame"
        return frame.code


@asynccontextmanager
async def socket_to(world: World, query: str = "", **options: Any) -> AsyncGenerator[Socket]:
    """A raw socket, not signed in unless the query or the headers say so."""
    # With a bounded queue this client would stop reading and wait ten seconds for its own close's answer.
    url = f"ws://127.0.0.1:{world.port}/ws{query}"
    async with connect(url, max_queue=None, **options) as socket:
        yield Socket(socket)


@asynccontextmanager
async def connected(person: Person, world: World | None = None) -> AsyncGenerator[Socket]:
    """A socket of that person, welcomed; on another node where `world` is given."""
    async with socket_to(world or person.world, f"?token={person.access_token}") as socket:
        welcome = await socket.hear()
        assert (welcome["type"], welcome["event"]) == ("system", "connected"), welcome
        yield socket
