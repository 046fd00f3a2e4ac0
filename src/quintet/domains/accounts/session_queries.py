"""Reads and writes of sessions and their refresh tokens: one statement each.

Invariant: a refresh token changes only under its session's row lock; and every time is the database's.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from quintet.domains.accounts.model import LockedSession, RefreshTokenState, SessionRow, SessionState
from quintet.kernel.actor import SessionId
from quintet.kernel.database import Tx, array


async def add_session(tx: Tx, session_id: UUID, user_id: UUID, user_agent: str) -> None:
    """Write a session that lives as long as its first refresh token, unless renewed."""
    await tx.run(
        """
        insert into accounts.sessions (id, user_id, user_agent, expires_at)
        values ($1, $2, $3, now() + interval '30 days')
        """,
        session_id,
        user_id,
        user_agent,
    )


async def add_external_session(
    tx: Tx, session_id: UUID, user_id: UUID, identity_id: UUID, external_id: str, token_expires_at: float
) -> None:
    """Write a session of an outside issuer; its row outlives the token that it was first seen by.

    Use prolongs it; one that is removed unused is written anew when it is seen again.
    """
    await tx.run(
        """
        insert into accounts.sessions (id, user_id, user_agent, identity_id, external_id, expires_at)
        values ($1, $2, '', $3, $4, to_timestamp($5) + interval '1 hour')
        """,
        session_id,
        user_id,
        identity_id,
        external_id,
        token_expires_at,
    )


async def session_state(tx: Tx, session_id: UUID) -> SessionState | None:
    """Whose the session is, what they may do, and whether it was ended."""
    return await tx.maybe(
        SessionState,
        """
        select s.user_id, u.role, s.ended_at is not null, s.last_seen_at < now() - interval '5 minutes'
        from accounts.sessions s join accounts.users u on u.id = s.user_id
        where s.id = $1
        """,
        session_id,
    )


async def ended_sessions(tx: Tx, roles: Mapping[SessionId, str]) -> set[SessionId]:
    """Those of these sessions that have ended, or whose user's role is another than said."""
    found = await tx.all(
        SessionId,
        """
        select asked.id from unnest($1::uuid[], $2::text[]) as asked(id, role)
        left join accounts.sessions s on s.id = asked.id and s.ended_at is null
        left join accounts.users u on u.id = s.user_id
        where u.role is distinct from asked.role
        """,
        array(roles),
        array(roles.values()),
    )
    return set(found)


async def touch_sessions(tx: Tx, session_ids: Iterable[UUID]) -> None:
    """Note that sessions are in use, those of which it was last noted over five minutes ago."""
    await tx.run(
        """
        update accounts.sessions
        set last_seen_at = now(),
            expires_at = case when identity_id is null then expires_at
                              else greatest(expires_at, now() + interval '30 days') end
        where id = any($1::uuid[]) and ended_at is null and last_seen_at < now() - interval '5 minutes'
        """,
        array(session_ids),
    )


async def living_sessions(tx: Tx, user_id: UUID, before: UUID | None, limit: int) -> list[SessionRow]:
    """A person's sessions, newest first, behind the session `before`."""
    return await tx.all(
        SessionRow,
        """
        select id, created_at, last_seen_at, user_agent
        from accounts.sessions
        where user_id = $1 and ended_at is null and expires_at > now() and ($2::uuid is null or id < $2)
        order by id desc
        limit $3
        """,
        user_id,
        before,
        limit,
    )


async def end_session(tx: Tx, user_id: UUID, session_id: UUID) -> bool:
    """End one of the person's living sessions; whether there was one.

    An outside issuer may go on making tokens of a session ended here, so that row is kept for as long as
    browsers keep anything.
    """
    ended = await tx.run(
        """
        update accounts.sessions
        set ended_at = now(),
            expires_at = case when identity_id is null then expires_at
                              else greatest(expires_at, now() + interval '400 days') end
        where id = $2 and user_id = $1 and ended_at is null
        """,
        user_id,
        session_id,
    )
    return ended > 0


async def end_other_sessions(tx: Tx, user_id: UUID, kept: UUID) -> list[SessionId]:
    """End all of the person's living sessions but one; which."""
    return await tx.all(
        SessionId,
        """
        update accounts.sessions
        set ended_at = now(),
            expires_at = case when identity_id is null then expires_at
                              else greatest(expires_at, now() + interval '400 days') end
        where user_id = $1 and id <> $2 and ended_at is null
        returning id
        """,
        user_id,
        kept,
    )


async def session_of_token(tx: Tx, hashed: bytes) -> SessionId | None:
    """The session of a refresh token, whatever has become of either."""
    return await tx.value("select session_id from accounts.refresh_tokens where hash = $1", hashed)


async def lock_session(tx: Tx, session_id: UUID) -> LockedSession | None:
    """The session, locked: its tokens must be read by a later statement, which sees what we waited for."""
    return await tx.maybe(
        LockedSession,
        """
        select id, user_id, ended_at is not null from accounts.sessions where id = $1 for no key update
        """,
        session_id,
    )


async def refresh_token_state(tx: Tx, hashed: bytes) -> RefreshTokenState | None:
    """How a refresh token stands."""
    return await tx.maybe(
        RefreshTokenState,
        """
        select expires_at <= clock_timestamp(), spent_at is not null,
               coalesce(spent_at > clock_timestamp() - interval '10 seconds', false)
        from accounts.refresh_tokens where hash = $1
        """,
        hashed,
    )


async def add_refresh_token(tx: Tx, hashed: bytes, session_id: UUID) -> None:
    """Write a refresh token good for thirty days; its session lives at least as long."""
    await tx.run(
        """
        with renewed as (
            update accounts.sessions
            set last_seen_at = now(), expires_at = now() + interval '30 days'
            where id = $2
        )
        insert into accounts.refresh_tokens (hash, session_id, expires_at)
        values ($1, $2, now() + interval '30 days')
        """,
        hashed,
        session_id,
    )


async def spend_refresh_token(tx: Tx, hashed: bytes) -> None:
    """Mark a refresh token as used."""
    await tx.run("update accounts.refresh_tokens set spent_at = clock_timestamp() where hash = $1", hashed)


async def remove_expired_tokens(tx: Tx, most: int) -> int:
    """Remove refresh tokens that have expired, at most so many; how many."""
    return await tx.run(
        """
        delete from accounts.refresh_tokens where hash in (
            select hash from accounts.refresh_tokens where expires_at <= now() limit $1
        )
        """,
        most,
    )


async def remove_expired_sessions(tx: Tx, most: int) -> int:
    """Remove sessions no token of which can be good any more, at most so many; how many."""
    return await tx.run(
        """
        delete from accounts.sessions where id in (
            select id from accounts.sessions where expires_at <= now() - interval '1 hour' limit $1
        )
        """,
        most,
    )
