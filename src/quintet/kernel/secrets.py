"""The server's own keys: made at first start, kept in the database, so that all nodes share them."""

import hashlib
import hmac
import secrets
from typing import Final

from quintet.kernel.database import Database

NAMES: Final = ("address", "cursor", "file", "idempotency", "push", "refresh", "undo")


class Secrets:
    """One 256-bit key per purpose; what is derived for one purpose says nothing about another."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys

    def mac(self, purpose: str, *parts: str | bytes) -> bytes:
        """HMAC-SHA-256 over the parts, unambiguously joined, under the key of `purpose`: 32 bytes."""
        digest = hmac.new(self._keys[purpose], digestmod=hashlib.sha256)
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
        return digest.digest()


async def load_secrets(database: Database) -> Secrets:
    """Every key, making those that are missing."""
    async with database.statement() as tx:
        await tx.run(
            """
            insert into kernel.secrets (name, value)
            select * from unnest($1::text[], $2::bytea[])
            on conflict (name) do nothing
            """,
            list(NAMES),
            [secrets.token_bytes(32) for _ in NAMES],
        )
        rows = await tx.all(
            lambda name, value: (name, bytes(value)), "select name, value from kernel.secrets"
        )
    return Secrets(dict(rows))
