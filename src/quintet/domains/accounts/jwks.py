"""The public keys of an outside issuer, fetched from its JWKS address (RFC 7517) and remembered.

Invariant: at most one fetch runs at a time, each is bounded in time and size, and an unknown key id causes
at most one a minute, so that nobody can make us a nuisance to the issuer.
"""

import asyncio
import math
from typing import Any, Final

import httpx2
import jwt
import msgspec

from quintet.kernel.asking import new_client
from quintet.kernel.clock import Clock
from quintet.kernel.refusals import NotSignedIn, Unavailable
from quintet.kernel.telemetry import get_logger

FRESH_SECONDS: Final = 3600
USABLE_SECONDS: Final = 24 * 3600
REFETCH_SECONDS: Final = 60
RETRY_SECONDS: Final = 5  # without any usable key: nobody can sign in, so we ask more often
TIMEOUT_SECONDS: Final = 3
MOST_BYTES: Final = 256 * 1024
_MOST_KEYS = 100
_RSA_BITS = range(2048, 8193)
# One algorithm for each kind of key (RFC 7518, RFC 8037), and the members that make up its public part.
_KINDS: Final[dict[tuple[str, str | None], tuple[str, tuple[str, ...]]]] = {
    ("RSA", None): ("RS256", ("n", "e")),
    ("EC", "P-256"): ("ES256", ("crv", "x", "y")),
    ("OKP", "Ed25519"): ("EdDSA", ("crv", "x")),
}


class PublicKey(msgspec.Struct, frozen=True):
    """A key and the only algorithm it is good for."""

    algorithm: str
    public: Any


class _Document(msgspec.Struct):
    keys: list[dict[str, Any]]


class KeySet:
    """The keys at one address."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = -math.inf
        self._asked_at = -math.inf
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> PublicKey:
        """The key of that id; raises NotSignedIn when there is none, Unavailable when nobody can tell."""
        key = self._usable(kid)
        if key is not None and self._age() < FRESH_SECONDS:
            return key
        fetching = self._begin_to_fetch()
        if key is not None:  # it is renewed behind; nobody waits for an issuer that may be away
            return key
        if fetching is not None:
            await asyncio.shield(fetching)
            key = self._usable(kid)
        if key is not None:
            return key
        if self._failed:
            raise Unavailable("the outside issuer's keys cannot be had", retry_after_seconds=RETRY_SECONDS)
        raise NotSignedIn

    def _age(self) -> float:
        return self._now() - self._fetched_at

    def _usable(self, kid: str) -> PublicKey | None:
        return self._keys.get(kid) if self._age() < USABLE_SECONDS else None

    def _begin_to_fetch(self) -> "asyncio.Task[None] | None":
        """The fetch under way, or a new one, or None where the last one is too short a while ago."""
        pause = REFETCH_SECONDS if self._age() < USABLE_SECONDS else RETRY_SECONDS
        if self._fetching is None and self._now() - self._asked_at >= pause:
            self._asked_at = self._now()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        """Take over the keys at the address; a failure keeps the old ones."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                self._keys = read_keys(await self._download())
            self._fetched_at, self._failed = self._now(), False
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, RecursionError) as error:
            self._failed = True
            get_logger().warning("issuer_away", reason=type(error).__name__)
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        # A compressed answer could unfold to any size: none is asked for, and none would be unfolded.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            new_client(timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(answer.status_code)
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ValueError("too large")
            return bytes(body)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def read_keys(document: bytes) -> dict[str, PublicKey]:
    """The usable keys of a JWKS document, by their ids; raises ValueError where it is none."""
    keys: dict[str, PublicKey] = {}
    for entry in msgspec.json.decode(document, type=_Document).keys[:_MOST_KEYS]:
        kid = entry.get("kid")
        if isinstance(kid, str) and (key := _read_key(entry)) is not None:
            keys[kid] = key
    if not keys:
        raise ValueError("no usable key")
    return keys


def _read_key(entry: dict[str, Any]) -> PublicKey | None:
    curve = entry.get("crv")
    kind = _KINDS.get((str(entry.get("kty")), None if curve is None else str(curve)))
    if kind is None or entry.get("use", "sig") != "sig":
        return None
    algorithm, members = kind
    if entry.get("alg", algorithm) != algorithm:
        return None
    public_part = {"kty": entry["kty"], **{name: entry.get(name) for name in members}}
    try:
        public = jwt.PyJWK(public_part, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    if algorithm == "RS256" and public.key_size not in _RSA_BITS:
        return None
    return PublicKey(algorithm, public)
