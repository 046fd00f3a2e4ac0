"""A push service on loopback (RFC 8030), and the browser whose messages it takes."""

import asyncio
import base64
import os
from collections import deque
from contextlib import suppress
from typing import Any, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()


def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Browser:
    """A user agent: its keys, and how it reads what only it can read (RFC 8291, section 3.4)."""

    def __init__(self, private: int | None = None, auth: bytes | None = None) -> None:
        self._key = ec.derive_private_key(private, CURVE) if private else ec.generate_private_key(CURVE)
        self.auth = auth or os.urandom(16)
        self.point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": text_of(self.point), "auth": text_of(self.auth)}

    def read(self, body: bytes) -> bytes:
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        secret = HKDF(SHA256(), 32, self.auth, b"WebPush: info\0" + self.point + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert padded[-1:] == b"\2"
        return padded[:-1]


class Received(msgspec.Struct):
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


class PushService:
    """Answers what it was told to answer, one status after the other, then 201; None is no answer at all."""

    def __init__(self) -> None:
        self.connections = 0
        self.received: list[Received] = []
        self.answers: deque[tuple[int, dict[str, str]] | None] = deque()
        self._server: Any = None
        self._stalled: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._stalled:
            task.cancel()
        self._server.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (one.partition(": ") for one in head[1:]) if name
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.received.append(Received(head[0], headers, body))
            answer = self.answers.popleft() if self.answers else (201, {})
            if answer is None:
                task = asyncio.current_task()
                if task is not None:
                    self._stalled.add(task)
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                return
            status, more = answer
            lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
            writer.write(
                f"HTTP/1.1 {status} X\r\n{lines}content-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
