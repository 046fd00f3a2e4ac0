"""Tickets: what opens a socket or a stream in the place of a token, where no header can be sent.

Invariant: a ticket is good for 30 seconds and once; one used on a stream stays good for that very path, so
that a browser can reconnect by itself, for as long as its session lives.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from quintet.kernel.actor import Actor, SessionId
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import NotSignedIn

GOOD_SECONDS: Final = 30
KEPT: Final = timedelta(days=1)
_SOCKET: Final = "/ws"


async def give_ticket(tx: Tx, actor: Actor) -> str:
    """A fresh ticket of the caller."""
    ticket = secrets.token_urlsafe(24)
    await tx.run(
        """
        insert into kernel.tickets (hash, session_id, token_expires_at, created_at)
        values ($1, $2, to_timestamp($3), $4)
        """,
        _hash(ticket),
        actor.session_id,
        actor.token_expires_at,
        tx.now,
    )
    return ticket


async def redeem_for_socket(kernel: Kernel, ticket: str) -> Actor:
    """Whose ticket it is; raises NotSignedIn when it is unknown, too old or used."""
    return await _redeem(kernel, ticket, _SOCKET)


async def redeem_for_stream(kernel: Kernel, ticket: str, path: str) -> Actor:
    """Whose ticket it is; it stays good for streams of this path. Raises NotSignedIn."""
    return await _redeem(kernel, ticket, path)


async def _redeem(kernel: Kernel, ticket: str, path: str) -> Actor:
    now = kernel.clock.now()
    async with kernel.database.statement() as tx:
        found = await tx.maybe(
            lambda session_id, expires_at: (SessionId(session_id), expires_at.timestamp()),
            """
            update kernel.tickets set used_for = $2
            where hash = $1 and (used_for is null and created_at > $3 or used_for = $2 and $2 <> $4)
            returning session_id, token_expires_at
            """,
            _hash(ticket),
            path,
            now - timedelta(seconds=GOOD_SECONDS),
            _SOCKET,
        )
    if found is None:
        raise NotSignedIn("the ticket is unknown, too old or used")
    return await kernel.authenticate.of_session(*found)


async def remove_old_tickets(tx: Tx) -> None:
    """Forget tickets nobody can use any more, a bounded part at a time."""
    await tx.run(
        """
        delete from kernel.tickets where hash in (
            select hash from kernel.tickets where created_at < $1 limit 1000
        )
        """,
        tx.now - KEPT,
    )


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
