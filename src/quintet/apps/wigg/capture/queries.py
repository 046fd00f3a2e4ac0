"""The statements of live capture."""

from uuid import UUID

from quintet.apps.wigg.capture.model import Capture
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def lock_user(tx: Tx, user_id: UserId) -> None:
    """Let nobody else start captures or hear of players for this user until the transaction ends."""
    await tx.send("select pg_advisory_xact_lock(hashtextextended('wigg captures ' || $1, 0))", str(user_id))


async def insert_capture(tx: Tx, capture: Capture) -> None:
    """Write a new capture."""
    await tx.send(
        """
        insert into wigg.captures (id, user_id, title_id, mode, speed, length_seconds, anchor_position,
                                   anchor_at, started_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        capture.id,
        capture.user_id,
        capture.title_id,
        capture.mode,
        capture.speed,
        capture.length_seconds,
        capture.anchor_position,
        capture.anchor_at,
        capture.started_at,
        capture.updated_at,
    )


async def active_capture(tx: Tx, user_id: UserId, title_id: WorkId) -> Capture | None:
    """What a user captures of a title now."""
    return await tx.maybe(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures where user_id = $1 and title_id = $2 and stopped_at is null
        """,
        user_id,
        title_id,
    )


async def active_capture_locked(tx: Tx, user_id: UserId, title_id: WorkId) -> Capture | None:
    """The same, locked until the transaction ends."""
    return await tx.maybe(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures where user_id = $1 and title_id = $2 and stopped_at is null
        for no key update
        """,
        user_id,
        title_id,
    )


async def own_capture(tx: Tx, user_id: UserId, capture_id: UUID) -> Capture | None:
    """A capture of this user's."""
    return await tx.maybe(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures where id = $2 and user_id = $1
        """,
        user_id,
        capture_id,
    )


async def own_capture_locked(tx: Tx, user_id: UserId, capture_id: UUID) -> Capture | None:
    """The same, locked until the transaction ends."""
    return await tx.maybe(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures where id = $2 and user_id = $1
        for no key update
        """,
        user_id,
        capture_id,
    )


async def stalest_active(tx: Tx, user_id: UserId, most: int) -> list[Capture]:
    """The active captures beyond the `most` that changed last, locked."""
    return await tx.all(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures
        where id in (
            select id from wigg.captures where user_id = $1 and stopped_at is null
            order by updated_at desc, id desc
            offset $2
        )
        order by id
        for no key update
        """,
        user_id,
        most,
    )


async def forget_old(tx: Tx, user_id: UserId, most: int) -> None:
    """Remove the stopped captures beyond the newest `most`."""
    await tx.send(
        """
        delete from wigg.captures where id in (
            select id from wigg.captures where user_id = $1 and stopped_at is not null
            order by started_at desc, id desc
            offset $2
        )
        """,
        user_id,
        most,
    )


async def own_captures(
    tx: Tx, user_id: UserId, behind: tuple[bool, Instant, UUID] | None, most: int
) -> list[Capture]:
    """A user's captures: active ones first, each part newest first, behind `behind`."""
    return await tx.all(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures
        where user_id = $1
          and ($2::boolean is null
               or ((stopped_at is null), started_at, id) < ($2, $3::timestamptz, $4::uuid))
        order by (stopped_at is null) desc, started_at desc, id desc
        limit $5
        """,
        user_id,
        behind[0] if behind else None,
        behind[1] if behind else None,
        behind[2] if behind else None,
        most,
    )


async def marked_at(tx: Tx, user_id: UserId, optimistic_id: UUID) -> int | None:
    """Where the mark with this id of the client's was set before."""
    return await tx.value(
        "select position from wigg.capture_marks where user_id = $1 and optimistic_id = $2",
        user_id,
        optimistic_id,
    )


async def remember_mark(tx: Tx, user_id: UserId, optimistic_id: UUID, position: int) -> int:
    """Keep where a mark is set, and answer where: another request may have been faster."""
    return await tx.value(
        """
        insert into wigg.capture_marks as m (user_id, optimistic_id, position) values ($1, $2, $3)
        on conflict (user_id, optimistic_id) do update set position = m.position
        returning position
        """,
        user_id,
        optimistic_id,
        position,
    )
