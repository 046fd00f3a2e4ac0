"""Writers over real sockets: the same front ends as in the simulation, each behind a connection of its own.

The socket is driven by hand, so that a pong leaves when the message before it was taken in, as in a front end
whose network and text are one loop.
"""

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

import httpx2
from tests.domains.documents.clients import ExtendedClient, PlainClient
from tests.live.wire import CLOSE, PING, PONG, TEXT, Wire, frame, handshake
from tests.waiting import look_again

PATIENCE_SECONDS = 30


class Player:
    """Somebody who writes, loses the connection and comes back, to any of the servers."""

    def __init__(self, client: ExtendedClient | PlainClient, token: str, urls: list[str], seed: int) -> None:
        self.client = client
        self.token = token
        self.urls = urls
        self.chance = random.Random(seed)
        self.patience_seconds = PATIENCE_SECONDS
        self.drops = 0
        self.room = f"document:{client.document}"
        self.heard_rev = 0
        self.reads = False  # the text, over HTTP
        self.early: list[dict[str, Any]] = []  # told meanwhile
        self.is_joined = asyncio.Event()
        self.wire: Wire | None = None
        self.reading: asyncio.Task[None] | None = None
        self.changed = asyncio.Event()

    async def play(self, edits: int, *, drops: float = 0.02) -> None:
        """Make so many edits, and wait until all of them are acknowledged."""
        for _ in range(edits):
            await self.stay_connected()
            if self.chance.random() < drops:
                await self.hang_up()
                continue
            self.client.edit(self.chance)
            self.flush()
            if isinstance(self.client, ExtendedClient) and self.chance.random() < 0.02:
                self.client.send_again()  # impatient
                self.flush()
            # Turns of the loop, not a wait: so others' edits meet this one anywhere.
            for _ in range(self.chance.randint(0, 6)):
                await asyncio.sleep(0)
            if self.chance.random() < 0.3:
                await self.something_happens()
        await self.settle(lambda: self.client.is_quiet)

    async def settle(self, is_done: Any) -> None:
        """Wait until something holds, coming back as often as needed."""
        async with asyncio.timeout(self.patience_seconds):
            while not is_done():
                await self.stay_connected()
                await self.something_happens()

    async def something_happens(self) -> None:
        self.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self.changed.wait()

    async def stay_connected(self) -> None:
        while self.reading is None or self.reading.done():
            try:
                await self.connect()
            except (OSError, EOFError, httpx2.HTTPError, TimeoutError):
                await self.hang_up()
                await look_again()

    async def connect(self) -> None:
        await self.hang_up()
        client, url = self.client, self.chance.choice(self.urls)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        self.wire = Wire(reader, writer)
        writer.write(handshake(f"/ws?token={self.token}"))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise EOFError
        client.out.clear()
        self.heard_rev = 0
        self.is_joined.clear()
        asked: dict[str, Any] = {"type": "subscribe", "id": "join", "room": self.room}
        if isinstance(client, ExtendedClient):
            asked["unit"] = client.unit
            if client.epoch is not None:
                asked |= {"since": client.rev, "epoch": client.epoch}
        self.reads = isinstance(client, PlainClient) or client.epoch is None
        self.early.clear()
        self.reading = asyncio.create_task(self.read(self.wire))
        self.say(asked)
        await self.joined()
        if self.reads:
            async with httpx2.AsyncClient(
                base_url=url, headers={"Authorization": f"Bearer {self.token}"}
            ) as http:
                answer = await http.get(f"/api/v1/documents/{client.document}")
            if answer.status_code != 200:
                raise EOFError
            body = answer.json()
            client.start(body["content"], body["rev"], body["epoch"])
            self.reads = False
            for message in self.early:
                self.take(message)
            # What it has read already comes once more: only then does it write.
            async with asyncio.timeout(10):
                while self.heard_rev < body["rev"] and not self.reading.done():
                    await self.something_happens()
            if self.reading.done():
                raise EOFError
        else:
            client.send_again()
            self.flush()

    async def joined(self) -> None:
        assert self.reading is not None
        waiting = asyncio.create_task(self.is_joined.wait())
        await asyncio.wait([waiting, self.reading], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            raise EOFError

    async def hang_up(self) -> None:
        if self.reading is not None:
            self.drops += 1
            self.reading.cancel()
            with suppress(asyncio.CancelledError, OSError, EOFError, TimeoutError):
                await self.reading
            self.reading = None
        if self.wire is not None:
            self.wire.writer.transport.abort()
            self.wire = None

    async def read(self, wire: Wire) -> None:
        while True:
            opcode, data = await wire.frame()
            if opcode == PING:
                wire.writer.write(frame(data, PONG))
            elif opcode == CLOSE:
                raise EOFError
            elif opcode == TEXT:
                self.take(json.loads(data))
                self.changed.set()

    def take(self, message: dict[str, Any]) -> None:
        kind, client = message["type"], self.client
        if kind == "error" and message.get("id") in {"join", None}:
            raise EOFError  # it hears nothing, or not everything
        if kind == "subscribed":
            if isinstance(client, ExtendedClient):
                assert client.epoch in {None, message["epoch"]}
            self.heard_rev = message["seq"]
            self.is_joined.set()
            return
        if kind == "reset" or (kind == "error" and message["code"] == "resync_required"):
            raise AssertionError(message)
        if "rev" in message and "seq" in message:
            self.heard_rev = max(self.heard_rev, message["rev"])
        if self.reads:
            self.early.append(message)
            return
        if kind == "error" and isinstance(client, PlainClient):
            raise EOFError  # whether it was written is not known: read anew
        if isinstance(client, ExtendedClient) and not self.is_joined.is_set() and not self.joins_on(message):
            return
        client.hear(message)
        if kind == "error":
            client.send_again()
        self.flush()

    def joins_on(self, message: dict[str, Any]) -> bool:
        """Whether it may be part of the replay: a member of a channel hears its documents before, too."""
        client = self.client
        return (
            "part" not in message and message.get("unit") == client.unit and message["rev"] <= client.rev + 1
        )

    def flush(self) -> None:
        out, self.client.out = self.client.out, []
        for message in out:
            self.say(message)

    def say(self, message: dict[str, Any]) -> None:
        if self.wire is not None and not self.wire.writer.is_closing():
            self.wire.writer.write(frame(json.dumps(message).encode()))
