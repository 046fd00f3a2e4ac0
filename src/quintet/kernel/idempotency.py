"""One key, one effect: a request repeated under its Idempotency-Key gets the first answer again.

Invariant: the key's row and the effect commit in one transaction. The stored answer is sealed under a key
that only the caller's Idempotency-Key yields, since it may hold undo tokens.
"""

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quintet.kernel.database import Database, Tx
from quintet.kernel.refusals import IdempotencyInFlight, IdempotencyKeyReused, InvalidIdempotencyKey
from quintet.kernel.secrets import Secrets

KEPT = timedelta(hours=24)
_NONCE_BYTES = 12


class KeptAnswer(msgspec.Struct, frozen=True):
    """What is kept of an answer."""

    status: int
    body: bytes
    location: str | None = None
    etag: str | None = None


class Idempotency:
    """Runs requests at most once per (user, method, route template, key)."""

    def __init__(self, database: Database, server_secrets: Secrets) -> None:
        self._database = database
        self._secrets = server_secrets
        self._running: set[bytes] = set()

    async def once(
        self,
        scope: tuple[str, ...],
        key: str,
        request: tuple[str | bytes, ...],
        act: Callable[[Tx], Awaitable[KeptAnswer]],
    ) -> tuple[KeptAnswer, bool]:
        """Run `act` and keep its answer, or give the kept one; the flag says that it is a repetition.

        `scope` names whose key it is and for what, `request` is what must be the same again. Raises
        InvalidIdempotencyKey, IdempotencyKeyReused, or IdempotencyInFlight at once and without occupying
        a database connection while this node still runs the first request.
        """
        if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable() and " " not in key):
            raise InvalidIdempotencyKey
        identity = self._secrets.mac("idempotency", "identity", *scope, key)
        if identity in self._running:
            raise IdempotencyInFlight
        sealing = self._secrets.mac("idempotency", "sealing", *scope, key)
        fingerprint = self._secrets.mac("idempotency", "fingerprint", sealing, *request)

        async def guarded(tx: Tx) -> tuple[KeptAnswer, bool]:
            free, kept_fingerprint, sealed = await _begin(tx, identity)
            if not free:
                raise IdempotencyInFlight  # another node runs it
            if kept_fingerprint is not None:
                if bytes(kept_fingerprint) != fingerprint:
                    raise IdempotencyKeyReused
                return _unseal(sealing, bytes(sealed)), True
            answer = await act(tx)
            await _keep_answer(tx, identity, fingerprint, _seal(sealing, answer))
            return answer, False

        self._running.add(identity)
        try:
            return await self._database.transact(guarded)
        finally:
            self._running.discard(identity)


def _seal(sealing: bytes, answer: KeptAnswer) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(sealing).encrypt(nonce, msgspec.msgpack.encode(answer), None)


def _unseal(sealing: bytes, sealed: bytes) -> KeptAnswer:
    plain = AESGCM(sealing).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    return msgspec.msgpack.decode(plain, type=KeptAnswer)


async def _begin(tx: Tx, identity: bytes) -> tuple[bool, Any, Any]:
    """Whether nobody else runs this key just now, and what was kept of it.

    Asked in one statement: should the other's answer be committed between its snapshot and its lock, then
    `_keep_answer` runs into the other's row, and all is begun again.
    """
    return await tx.one(
        lambda free, fingerprint, sealed: (free, fingerprint, sealed),
        """
        select asked.free, kept.fingerprint, kept.sealed
        from (select pg_try_advisory_xact_lock($1) as free) asked
        left join kernel.idempotency_keys kept on kept.id = $2 and kept.created_at > $3
        """,
        int.from_bytes(identity[:8], "big", signed=True),
        identity,
        tx.now - KEPT,
    )


async def _keep_answer(tx: Tx, identity: bytes, fingerprint: bytes, sealed: bytes) -> None:
    """Write the row; an expired one of the same key gives way, a living one means that we lost a race."""
    await tx.send(
        "select kernel.keep_answer($1, $2, $3, $4, $5)",
        identity,
        fingerprint,
        sealed,
        tx.now,
        tx.now - KEPT,
    )
