"""What people do with their notifications: reading them, and saying how they want to be told.

Invariant: "read all" reads exactly what was written before it, and says so to one's other tabs in that order.
"""

from uuid import UUID

import msgspec

from quintet.domains.notifications import list_queries, preference_queries, queries, rules
from quintet.domains.notifications.counting import UNREAD
from quintet.domains.notifications.kinds import ANNOUNCEMENT, KINDS
from quintet.domains.notifications.model import (
    AllRead,
    Notification,
    NotificationId,
    NotificationNotFound,
    NotificationRead,
    Preference,
    Preferences,
    PreferencesChange,
)
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.live.names import user_room
from quintet.kernel.refusals import invalid


async def read_notification(tx: Tx, actor: Actor, notification_id: UUID) -> Notification:
    """Read one; again is the same. Raises NotificationNotFound."""
    id_ = NotificationId(notification_id)
    is_news = await list_queries.read_one(tx, actor.id, id_)
    found = await queries.rows_of(tx, actor.id, [id_])
    if not found:
        raise NotificationNotFound
    row = found[0]
    if row.read_at is None:
        await list_queries.read_announcement(tx, actor.id, id_)
        row, is_news = msgspec.structs.replace(row, read_at=tx.now), True
    if is_news:
        read = NotificationRead(notification_ids=[id_], all=False, read_at=tx.now)
        tx.emit(user_room(actor.id), read)
        tx.count(UNREAD, actor.id)
    return rules.shown(row)


async def read_all(tx: Tx, actor: Actor) -> AllRead:
    """Read all there is."""
    # What is just being written is waited for, and what comes later is told later: so the event says the same
    # as the database.
    await list_queries.hold_mailbox_alone(tx, actor.id)
    unread = (await list_queries.counts_of(tx, actor.id)).unread
    if unread:
        await list_queries.read_all(tx, actor.id)
        tx.emit(user_room(actor.id), NotificationRead(notification_ids=[], all=True, read_at=tx.now))
        tx.count(UNREAD, actor.id)
    return AllRead(unread)


async def preferences_of(tx: Tx, actor: Actor) -> Preferences:
    """How the caller wants to be told of each kind."""
    said = await preference_queries.preferences_of(tx, actor.id)
    return Preferences({kind: said.get(kind, Preference()) for kind in KINDS})


async def change_preferences(tx: Tx, actor: Actor, change: PreferencesChange) -> Preferences:
    """Change what is given of the kinds given; raises InvalidRequest for a kind that there is not."""
    for kind, wanted in change.preferences.items():
        if kind not in KINDS:
            raise invalid("out_of_range", "no such kind of notification", pointer="/preferences")
        if kind == ANNOUNCEMENT and wanted.muted:
            pointer = f"/preferences/{kind}/muted"
            raise invalid("out_of_range", "announcements are for everybody", pointer=pointer)
    await list_queries.hold_mailbox_alone(tx, actor.id)  # two tabs may change two fields of one kind
    present = (await preferences_of(tx, actor)).preferences
    changed = {
        kind: msgspec.structs.replace(
            present[kind],
            **{name: is_on for name, is_on in msgspec.structs.asdict(wanted).items() if is_on is not None},
        )
        for kind, wanted in change.preferences.items()
    }
    if changed:
        await preference_queries.set_preferences(tx, actor.id, changed)
    return Preferences(present | changed)
