"""Access tokens: JWTs signed with Ed25519 (RFC 9068, RFC 8037), and the keys that sign them.

Invariant: one algorithm, `EdDSA`, and only keys of our own table; a header's `jwk`, `jku`, `x5u` or `crit`
is never followed.
"""

import base64
import time
from collections import OrderedDict
from typing import Any
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from quintet.kernel.clock import Clock
from quintet.kernel.database import Database, Tx
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import NotSignedIn

AUDIENCE = "quintet"
LIFETIME_SECONDS = 15 * 60
LEEWAY_SECONDS = 30
# A new key is published this long before it signs, so that no verifier's cache lags behind it.
PUBLISHED_AHEAD_SECONDS = 3600
_REMEMBERED = 20_000


class SigningKey(msgspec.Struct, frozen=True):
    """A key pair as stored; both parts are raw 32 bytes."""

    kid: str
    private_key: bytes
    public_key: bytes
    signs: bool


class Claims(msgspec.Struct, frozen=True):
    """What a verified access token says; the role is a hint only."""

    user_id: UUID
    session_id: UUID
    role: str
    expires_at: float


class Tokens:
    """Signs and verifies the access tokens of one issuer."""

    def __init__(self, issuer: str, keys: list[SigningKey], clock: Clock) -> None:
        self.issuer = issuer
        self._clock = clock
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        self.use(keys)

    def use(self, keys: list[SigningKey]) -> None:
        """Take over the present keys; tokens of keys no longer listed stop being accepted."""
        self._signer = max((key for key in keys if key.signs), key=lambda key: key.kid)
        self._private = Ed25519PrivateKey.from_private_bytes(self._signer.private_key)
        self._public = {key.kid: Ed25519PublicKey.from_public_bytes(key.public_key) for key in keys}
        self._verified.clear()

    def issue(self, user_id: UUID, session_id: UUID, role: str) -> str:
        """An access token good for fifteen minutes."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "role": role,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": str(new_id()),
        }
        headers = {"kid": self._signer.kid, "typ": "at+jwt"}
        return jwt.encode(claims, self._private, algorithm="EdDSA", headers=headers)

    def verify(self, token: str) -> Claims:
        """What the token says; raises NotSignedIn where it is not ours, altered or expired.

        A token seen before is answered from memory: checking a signature costs more than a hot read.
        """
        now = self._clock.now().timestamp()
        claims = self._verified.get(token)
        if claims is None:
            claims = self._verify(token)
            self._verified[token] = claims
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        if claims.expires_at + LEEWAY_SECONDS < now:
            self._verified.pop(token, None)
            raise NotSignedIn("the access token has expired")
        return claims

    def _verify(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != "at+jwt" or "crit" in header:
                raise NotSignedIn
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public[header["kid"]],
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=self.issuer,
                # Times are checked against the injected clock, by `verify`.
                options={
                    "require": ["exp", "iat", "sub", "sid", "jti"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            return Claims(UUID(claims["sub"]), UUID(claims["sid"]), str(claims["role"]), float(claims["exp"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            raise NotSignedIn from error

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys, as RFC 7517 writes them."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "alg": "EdDSA",
                    "use": "sig",
                    "kid": kid,
                    "x": base64.urlsafe_b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
                    .decode()
                    .rstrip("="),
                }
                for kid, key in self._public.items()
            ]
        }


async def signing_keys(database: Database) -> list[SigningKey]:
    """The keys in force, making the first one where there is none."""
    async with database.statement() as tx:
        keys = await tx.all(SigningKey, _KEYS)
    return keys or await database.transact(_first_key)


async def _first_key(tx: Tx) -> list[SigningKey]:
    """Make the first key, unless another node that starts at the same time has just made it."""
    await tx.run("lock table kernel.signing_keys in share row exclusive mode")
    keys = await tx.all(SigningKey, _KEYS)
    if not keys:
        await _make_key(tx, ahead_seconds=0)
        keys = await tx.all(SigningKey, _KEYS)
    return keys


async def rotate_signing_key(database: Database) -> str:
    """Publish a new key, which begins to sign in an hour; retire the older ones a day after that. Its id."""

    async def act(tx: Tx) -> str:
        await tx.run(
            """
            update kernel.signing_keys set retired_at = now() + interval '25 hours'
            where retired_at is null
            """
        )
        return await _make_key(tx, ahead_seconds=PUBLISHED_AHEAD_SECONDS)

    return await database.transact(act)


_KEYS = """
    select kid, private_key, public_key, active_from <= now() as signs
    from kernel.signing_keys
    where retired_at is null or retired_at > now()
    order by kid
"""


async def _make_key(tx: Tx, *, ahead_seconds: int) -> str:
    private = Ed25519PrivateKey.generate()
    kid = f"{int(time.time() * 1000):012x}"  # sorts by age; the newest that is active signs
    await tx.run(
        """
        insert into kernel.signing_keys (kid, private_key, public_key, active_from)
        values ($1, $2, $3, now() + make_interval(secs => $4))
        """,
        kid,
        private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()),
        private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
        ahead_seconds,
    )
    return kid
