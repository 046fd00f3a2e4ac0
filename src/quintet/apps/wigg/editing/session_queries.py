"""WIGG's statements about edit sessions."""

from uuid import UUID

import msgspec

from quintet.apps.wigg.editing.model import EditSession
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


class LeftSession(msgspec.Struct, frozen=True):
    """A session that was ended, and whose it was."""

    id: UUID
    user_id: UserId
    title_id: WorkId


async def session(tx: Tx, user_id: UserId, title_id: WorkId, session_id: UUID) -> EditSession | None:
    """A user's own session on a title."""
    return await tx.maybe(
        EditSession,
        """
        select id, title_id, started_at, expires_at, ended_at, actions_count from wigg.edit_sessions
        where id = $1 and user_id = $2 and title_id = $3
        """,
        session_id,
        user_id,
        title_id,
    )


async def session_locked(tx: Tx, user_id: UserId, title_id: WorkId, session_id: UUID) -> EditSession | None:
    """The same, and nobody else may change it until the transaction ends."""
    return await tx.maybe(
        EditSession,
        """
        select id, title_id, started_at, expires_at, ended_at, actions_count from wigg.edit_sessions
        where id = $1 and user_id = $2 and title_id = $3
        for no key update
        """,
        session_id,
        user_id,
        title_id,
    )


async def insert_session(
    tx: Tx, user_id: UserId, title_id: WorkId, session_id: UUID, idle_seconds: int
) -> Instant:
    """Begin a session; when it runs out."""
    return await tx.value(
        """
        insert into wigg.edit_sessions (id, user_id, title_id, idle, started_at, expires_at)
        values ($1, $2, $3, $4 * interval '1 second', $5, $5::timestamptz + $4 * interval '1 second')
        returning expires_at
        """,
        session_id,
        user_id,
        title_id,
        idle_seconds,
        tx.now,
    )


async def end_all_but_newest(tx: Tx, user_id: UserId, kept: int) -> list[LeftSession]:
    """End a user's open sessions but the newest ones; one user at a time.

    The lock makes of two that start at once one after the other, or each would not see the other's.
    """
    await tx.send("select pg_advisory_xact_lock(hashtextextended('wigg sessions ' || $1::uuid, 0))", user_id)
    return await tx.all(
        LeftSession,
        """
        with older as materialized (
            select id from wigg.edit_sessions
            where user_id = $1 and ended_at is null
            order by started_at desc, id desc
            offset $3
            for no key update
        )
        update wigg.edit_sessions s set ended_at = $2 from older where s.id = older.id
        returning s.id, s.user_id, s.title_id
        """,
        user_id,
        tx.now,
        kept,
    )


async def prolong(tx: Tx, session_id: UUID) -> Instant:
    """Let a session last anew from now; when it runs out."""
    return await tx.value(
        """
        update wigg.edit_sessions set expires_at = $2::timestamptz + idle where id = $1
        returning expires_at
        """,
        session_id,
        tx.now,
    )


async def count_actions(tx: Tx, actions: dict[UUID, int], most: int) -> None:
    """Count actions in their sessions, which thereby last anew; one that is full ends."""
    await tx.send(
        """
        update wigg.edit_sessions s
        set actions_count = actions_count + done.actions, expires_at = $3::timestamptz + idle,
            ended_at = case when actions_count + done.actions >= $4 then $3 end
        from unnest($1::uuid[], $2::int[]) as done(id, actions)
        where s.id = done.id
        """,
        list(actions.keys()),
        list(actions.values()),
        tx.now,
        most,
    )


async def end_session(tx: Tx, session_id: UUID) -> None:
    """End a session."""
    await tx.send("update wigg.edit_sessions set ended_at = $2 where id = $1", session_id, tx.now)


async def end_expired(tx: Tx, most: int) -> list[LeftSession]:
    """End sessions that have run out, as many as nobody else is at; which."""
    return await tx.all(
        LeftSession,
        """
        with expired as materialized (
            select id from wigg.edit_sessions
            where ended_at is null and expires_at <= $1
            limit $2
            for no key update skip locked
        )
        update wigg.edit_sessions s set ended_at = expires_at from expired where s.id = expired.id
        returning s.id, s.user_id, s.title_id
        """,
        tx.now,
        most,
    )


async def forget_sessions(tx: Tx, ended_before: Instant, most: int) -> int:
    """Remove sessions that ended long ago; how many."""
    return await tx.run(
        """
        with old as materialized (
            select id from wigg.edit_sessions where ended_at < $1 limit $2 for update skip locked
        )
        delete from wigg.edit_sessions s using old where s.id = old.id
        """,
        ended_before,
        most,
    )
