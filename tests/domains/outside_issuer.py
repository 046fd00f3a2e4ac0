"""An outside issuer on loopback: a real one, which may rotate its keys, go away, and lie."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tests.clock import Stopwatch
from tests.waiting import look_again
from tests.world import World

RSA_KEY = rsa.generate_private_key(65537, 2048)
SMALL_RSA_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 (a lie of the issuer's)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
STRANGER = ed25519.Ed25519PrivateKey.generate()
KINDS: dict[str, Any] = {
    "RS256": jwt.algorithms.RSAAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}
AUDIENCE, PARTY = "https://api.example", "https://app.example"


def public_jwk(kid: str, algorithm: str, key: Any, **other: Any) -> dict[str, Any]:
    return {**KINDS[algorithm].to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **other}


class Issuer:
    """An HTTP server that answers one JWKS, or something else."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Be honest, with the first keys; and have a clock of its own, for tests to move."""
        self.clock = Stopwatch()
        self.keys: dict[str, tuple[str, Any]] = {
            "rsa": ("RS256", RSA_KEY), "ec": ("ES256", EC_KEY), "ed": ("EdDSA", ED_KEY),
        }  # fmt: skip
        self.asked = 0
        self.lie: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def document(self) -> bytes:
        return json.dumps({"keys": [public_jwk(kid, *key) for kid, key in self.keys.items()]}).encode()

    async def start(self) -> None:
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            await (self.lie or self.tell(self.document))(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a liar is hung up on
        finally:
            writer.close()

    @staticmethod
    def tell(
        body: bytes, status: bytes = b"200 OK", more: bytes = b""
    ) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
        async def answer(writer: asyncio.StreamWriter) -> None:
            head = b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n%s\r\n"
            writer.write(head % (status, len(body), more) + body)
            await writer.drain()

        return answer

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(self.clock.now().timestamp())
        claims = {"iss": self.url, "aud": AUDIENCE, "azp": PARTY, "sub": f"user_{uuid4().hex}",
                  "sid": f"sess_{uuid4().hex}", "iat": now, "exp": now + 60, **other}  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid: str = "ed", **other: Any) -> str:
        algorithm, key = self.keys[kid]
        return jwt.encode(self.claims(**other), key, algorithm, headers={"kid": kid})


def raw_token(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    signature = base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


async def me(world: World, token: str) -> httpx2.Response:
    return await world.get("/auth/me", headers={"Authorization": f"Bearer {token}"})


async def known(world: World, token: str) -> dict[str, Any]:
    answer = await me(world, token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 5) -> None:
    """Wait for the thing itself; fail when it takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await look_again()
