"""A socket by hand: what no client library would send, and a reader that does not read."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.sockets import PATIENCE_SECONDS

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def frame(data: bytes, opcode: int = TEXT, *, fin: bool = True, masked: bool = True, rsv: int = 0) -> bytes:
    """One frame, as a client sends it, or as it must not."""
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    bit = 0x80 if masked else 0
    if len(data) < 126:
        head += bytes([bit | len(data)])
    elif len(data) < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", len(data))
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", len(data))
    return head + (b"\0\0\0\0" if masked else b"") + data  # a mask of zeros changes nothing


class Wire:
    """A connection over which bytes go as they are given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def say(self, **message: Any) -> None:
        await self.send(frame(json.dumps(message).encode()))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server's: opcode and data."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            assert first & 0x70 == 0, "nothing is compressed"
            return first & 0x0F, await self.reader.readexactly(size)

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        while True:
            opcode, data = await self.frame()
            if opcode == TEXT:
                return json.loads(data)
            assert opcode != CLOSE, data

    async def closed(self) -> tuple[int, list[dict[str, Any]]]:
        """The code that the server closes with, and what it said before."""
        said: list[dict[str, Any]] = []
        while True:
            opcode, data = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(data[:2], "big"), said
            if opcode == TEXT:
                said.append(json.loads(data))

    async def gone(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()


def handshake(target: str = "/ws", *headers: str) -> bytes:
    """The request that asks for a socket."""
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@asynccontextmanager
async def wire_to(port: int, *, receive_buffer: int | None = None) -> AsyncGenerator[Wire]:
    """A bare connection; with a small window where `receive_buffer` is given."""
    plain = socket.socket()
    plain.setblocking(False)  # noqa: FBT003 (its only way)
    if receive_buffer is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    limit = 1024 if receive_buffer else 65536
    reader, writer = await asyncio.open_connection(sock=plain, limit=limit)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def answer_to(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and the rest of the answer to a request sent as it is."""
    async with wire_to(port) as wire:
        await wire.send(request)
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await wire.reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1]), head


@asynccontextmanager
async def open_wire(
    port: int, token: str, *headers: str, receive_buffer: int | None = None
) -> AsyncGenerator[Wire]:
    """A socket that is signed in and welcomed."""
    async with wire_to(port, receive_buffer=receive_buffer) as wire:
        await wire.send(handshake(f"/ws?token={token}", *headers))
        head = await wire.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        assert b"sec-websocket-extensions" not in head.lower()
        assert (await wire.hear())["event"] == "connected"
        yield wire


def noise(size: int) -> str:
    """Text of that many characters."""
    return os.urandom(size // 2).hex()
