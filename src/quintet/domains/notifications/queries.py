"""Notifications' statements about what somebody is told of others.

Invariant: who writes here holds the recipient's mailbox, by `notifications.fold` or `hold_mailbox`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from quintet.domains.notifications.model import NewestActor, NotificationId, Row
from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array


class Deed(msgspec.Struct, frozen=True):
    """What somebody did, and who is to be told."""

    id: NotificationId  # of the notification, should it begin a new one
    user_id: UUID
    actor_id: UUID


class Folded(msgspec.Struct, frozen=True):
    """The notification that a deed went into, and whether its recipient wants to hear of it live."""

    user_id: UserId
    row: Row
    is_live: bool


async def fold(
    tx: Tx, deeds: Sequence[Deed], kind: str, object_id: str, details: dict[str, Any]
) -> list[Folded]:
    """Write the deeds, one recipient after the other; those that nobody is to be told of are left out."""

    def folded(
        user_id: UserId,
        id_: NotificationId,
        count: int,
        created_at: Instant,
        updated_at: Instant,
        actors: Any,
        is_live: bool,
    ) -> Folded:
        newest = msgspec.convert(actors, list[NewestActor])
        row = Row(id_, kind, object_id, count, created_at, updated_at, None, newest)
        return Folded(user_id, row, is_live)

    return await tx.all(
        folded,
        """
        select d.user_id, f.id, f.actor_count, f.created_at, f.updated_at, f.actors, f.is_live
        from (
            select (deed->>'id')::uuid as id, (deed->>'user_id')::uuid as user_id,
                   (deed->>'actor_id')::uuid as actor_id
            from json_array_elements($1::json) as deed
            order by 2
        ) d cross join lateral
            notifications.fold(d.id, d.user_id, $2, $3, d.actor_id, $4::json, $5) f
        """,
        json.encode(deeds).decode(),
        kind,
        object_id,
        json.encode(details).decode(),
        tx.now,
    )


async def lock_with_actor(
    tx: Tx, user_id: UUID, kind: str, object_id: str, actor_id: UUID
) -> list[NotificationId]:
    """Lock the notifications, read or not, that count this actor, and hold the recipient's mailbox."""
    await tx.send("select notifications.hold_mailbox($1, false)", user_id)
    return await tx.all(
        NotificationId,
        """
        select n.id
        from notifications.notifications n
        where n.user_id = $1 and n.kind = $2 and n.object_id = $3
          and exists (select from notifications.actors a where a.notification_id = n.id and a.actor_id = $4)
        order by n.id
        for no key update
        """,
        user_id,
        kind,
        object_id,
        actor_id,
    )


async def remove_actor(tx: Tx, ids: list[NotificationId], actor_id: UUID) -> None:
    """Count this actor no more; a trigger keeps the counts, and removes what nobody is left in."""
    await tx.send(
        "delete from notifications.actors where notification_id = any($1::uuid[]) and actor_id = $2",
        array(ids),
        actor_id,
    )


async def rows_of(tx: Tx, user_id: UserId, ids: list[NotificationId]) -> list[Row]:
    """These of somebody's notifications."""
    return await tx.all(
        row_of,
        """
        select id, kind, object_id, actor_count, created_at, updated_at, read_at,
               notifications.newest_actors(id), announced
        from notifications.listed
        where user_id = $1 and id = any($2::uuid[])
        """,
        user_id,
        array(ids),
    )


async def remove_kind(tx: Tx, user_id: UUID, kind: str) -> list[NotificationId]:
    """Remove a recipient's notifications of a kind; which."""
    await tx.send("select notifications.hold_mailbox($1, false)", user_id)
    return await tx.all(
        NotificationId,
        "delete from notifications.notifications where user_id = $1 and kind = $2 returning id",
        user_id,
        kind,
    )


async def remove_object(tx: Tx, object_id: str) -> list[tuple[NotificationId, UserId]]:
    """Remove every notification about an object; which, and whose."""
    await tx.send(
        """
        select notifications.hold_mailbox(user_id, false)
        from (
            select distinct user_id from notifications.notifications where object_id = $1 order by user_id
        ) recipient
        """,
        object_id,
    )
    return await tx.all(
        lambda id_, user_id: (id_, user_id),
        "delete from notifications.notifications where object_id = $1 returning id, user_id",
        object_id,
    )


async def part(tx: Tx, one_id: UserId, other_id: UserId) -> None:
    """Neither is told any more of what the other did."""
    await tx.send("select notifications.part($1, $2)", one_id, other_id)


def row_of(
    id_: NotificationId,
    kind: str,
    object_id: str,
    actor_count: int,
    created_at: Instant,
    updated_at: Instant,
    read_at: Instant | None,
    actors: Any,
    announced: dict[str, str] | None,
) -> Row:
    """A row of the list."""
    newest = msgspec.convert(actors, list[NewestActor])
    return Row(id_, kind, object_id, actor_count, created_at, updated_at, read_at, newest, announced)


async def unread_of(tx: Tx, user_ids: list[str]) -> list[tuple[str, int]]:
    """How many notifications wait for each of these people."""
    return await tx.all(
        lambda user_id, unread: (user_id, unread),
        """
        select asked.user_id,
               (select count(*) from notifications.listed l
                where l.user_id = asked.user_id::uuid and l.read_at is null)
        from unnest($1::text[]) as asked(user_id)
        """,
        user_ids,
    )


async def announcements(tx: Tx, ids: list[str]) -> list[Row]:
    """These announcements, as nobody has read them yet."""
    return await tx.all(
        row_of,
        """
        select id, 'announcement', '', 0, at, at, null, '[]'::json,
               json_build_object('title', title, 'text', text)
        from notifications.announcements where id = any($1::uuid[])
        order by at
        """,
        array(ids),
    )
