"""Notifications' statements about preferences and announcements, and the removal of what is old."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from quintet.domains.notifications.model import NotificationId, Preference
from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array


async def preferences_of(tx: Tx, user_id: UserId) -> dict[str, Preference]:
    """What somebody has ever said, by kind."""
    found = await tx.all(
        lambda kind, live, push, email, muted: (kind, Preference(live, push, email, muted)),
        "select kind, live, push, email, muted from notifications.preferences where user_id = $1",
        user_id,
    )
    return dict(found)


async def set_preferences(tx: Tx, user_id: UserId, preferences: Mapping[str, Preference]) -> None:
    """Write what somebody says of these kinds."""
    await tx.send(
        """
        insert into notifications.preferences (user_id, kind, live, push, email, muted)
        select $1, said.key, (said.value->>'live')::boolean, (said.value->>'push')::boolean,
               (said.value->>'email')::boolean, (said.value->>'muted')::boolean
        from json_each($2::json) said
        on conflict (user_id, kind) do update
        set live = excluded.live, push = excluded.push, email = excluded.email, muted = excluded.muted
        """,
        user_id,
        json.encode(preferences).decode(),
    )


async def without_live(tx: Tx, kind: str, user_ids: list[UUID]) -> set[UUID]:
    """Those of these people who do not want to hear of the kind live."""
    found = await tx.all(
        lambda user_id: user_id,
        """
        select user_id from notifications.preferences
        where kind = $1 and not live and user_id = any($2::uuid[])
        """,
        kind,
        array(user_ids),
    )
    return set(found)


async def announce(
    tx: Tx, id_: NotificationId, author_id: UserId, recipient_id: UUID | None, title: str, text: str
) -> Instant:
    """Write an announcement, to one or (None) to everybody; when it was, later than all others."""
    return await tx.value(
        "select notifications.announce($1, $2, $3, $4, $5)",
        id_,
        author_id,
        recipient_id,
        title,
        text,
    )


async def remove_old(tx: Tx, before: datetime, most: int) -> int:
    """Remove notifications that nothing has happened to since; how many, at most `most`."""
    return await tx.run(
        """
        delete from notifications.notifications where id in (
            select id from notifications.notifications where updated_at < $1 limit $2
        )
        """,
        before,
        most,
    )


async def remove_old_announcements(tx: Tx, before: datetime, most: int) -> int:
    """Remove announcements of before; how many, at most `most`."""
    return await tx.run(
        """
        delete from notifications.announcements where id in (
            select id from notifications.announcements where at < $1 limit $2
        )
        """,
        before,
        most,
    )
