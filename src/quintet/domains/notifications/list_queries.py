"""Notifications' statements about one's own list: reading it, counting it, and what was read of it.

Invariant: the list and its count are taken from one view, `notifications.listed`, so they agree.
"""

from uuid import UUID

from quintet.domains.notifications.model import NotificationId, Row, Unread
from quintet.domains.notifications.queries import row_of
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

Behind = tuple[str, UUID] | tuple[None, None]


async def notifications_of(
    tx: Tx, user_id: UserId, behind: Behind, most: int, *, unread_only: bool
) -> list[Row]:
    """Somebody's notifications, newest first; who did it is looked up for this page alone."""
    return await tx.all(
        row_of,
        """
        select id, kind, object_id, actor_count, created_at, updated_at, read_at,
               notifications.newest_actors(id), announced
        from (
            select id, kind, object_id, actor_count, created_at, updated_at, read_at, announced
            from notifications.listed
            where user_id = $1 and (read_at is null or not $5)
              and (updated_at, id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            order by updated_at desc, id desc
            limit $4
        ) page
        order by updated_at desc, id desc
        """,
        user_id,
        *behind,
        most,
        unread_only,
    )


async def counts_of(tx: Tx, user_id: UserId) -> Unread:
    """How many wait, of how many."""
    return await tx.one(
        Unread,
        """
        select count(*) filter (where read_at is null), count(*) from notifications.listed where user_id = $1
        """,
        user_id,
    )


async def read_one(tx: Tx, user_id: UserId, id_: NotificationId) -> bool:
    """Write that it was read; whether it was one that waited."""
    read = await tx.run(
        """
        update notifications.notifications set read_at = $3 where id = $2 and user_id = $1 and read_at is null
        """,
        user_id,
        id_,
        tx.now,
    )
    return read == 1


async def read_announcement(tx: Tx, user_id: UserId, id_: NotificationId) -> None:
    """Write that an announcement was read."""
    await tx.send(
        """
        insert into notifications.announcement_reads (user_id, announcement_id, read_at) values ($1, $2, $3)
        on conflict do nothing
        """,
        user_id,
        id_,
        tx.now,
    )


async def hold_mailbox_alone(tx: Tx, user_id: UserId) -> None:
    """From here to the commit nothing is written into this mailbox."""
    await tx.send("select notifications.hold_mailbox($1, true)", user_id)


async def read_all(tx: Tx, user_id: UserId) -> None:
    """Write that everything was read."""
    await tx.send(
        "update notifications.notifications set read_at = $2 where user_id = $1 and read_at is null",
        user_id,
        tx.now,
    )
    await tx.send(
        """
        insert into notifications.readers as r (user_id, read_up_to)
        select $1, max(at) from notifications.announcements having max(at) is not null
        on conflict (user_id) do update set read_up_to = greatest(r.read_up_to, excluded.read_up_to)
        """,
        user_id,
    )
    await tx.send(
        """
        delete from notifications.announcement_reads r
        using notifications.readers s, notifications.announcements a
        where r.user_id = $1 and s.user_id = $1 and a.id = r.announcement_id and a.at <= s.read_up_to
        """,
        user_id,
    )
