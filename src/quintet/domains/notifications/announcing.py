"""Announcements: what moderators tell one person, or everybody.

Invariant: one row, however many people it is for; it stands in the list of all who had an account when it was
made. Who is connected hears of one to everybody at once, by a message without a place in any log.
"""

from typing import Any
from uuid import UUID

import msgspec

from quintet.domains.accounts import accounts_of
from quintet.domains.notifications import preference_queries, queries, rules
from quintet.domains.notifications.counting import UNREAD
from quintet.domains.notifications.kinds import ANNOUNCEMENT
from quintet.domains.notifications.model import (
    NewAnnouncement,
    Notification,
    NotificationId,
    Notified,
    RecipientNotFound,
    Row,
)
from quintet.domains.notifications.notifying import told
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import USER, user_room
from quintet.kernel.refusals import invalid


async def announce(tx: Tx, actor: Actor, new: NewAnnouncement) -> Notification:
    """Tell one person, or everybody; raises InvalidRequest unless it is either, or RecipientNotFound."""
    if (new.user_id is not None) == new.all:
        raise invalid("missing", "name a `user_id`, or say `all`: true", pointer="/user_id")
    if new.user_id is not None and not await accounts_of(tx, [UserId(new.user_id)]):
        raise RecipientNotFound
    id_ = NotificationId(new_id())
    at = await preference_queries.announce(tx, id_, actor.id, new.user_id, new.title, new.text)
    row = Row(id_, ANNOUNCEMENT, "", 0, at, at, None, [], {"title": new.title, "text": new.text})
    if new.user_id is None:
        tx.count(ANNOUNCEMENT, id_)
    else:
        if not await preference_queries.without_live(tx, ANNOUNCEMENT, [new.user_id]):
            tx.emit(user_room(new.user_id), told(Notified, row))
        tx.count(UNREAD, new.user_id)
    return rules.shown(row)


async def tell_announcements(kernel: Kernel) -> None:
    """Have every node tell its members what is announced to everybody."""

    async def read(tx: Tx, ids: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
        prefix = f"{USER}:"
        here = [
            UUID(name.removeprefix(prefix))
            for name, room in kernel.hub.rooms.items()
            if name.startswith(prefix) and room.members
        ]
        kernel.counts.note([(UNREAD, str(user_id)) for user_id in here])
        silent = await preference_queries.without_live(tx, ANNOUNCEMENT, here)
        shown = [rules.shown(row) for row in await queries.announcements(tx, ids)]
        return [
            (user_room(user_id), "notification", msgspec.structs.asdict(one))
            for one in shown
            for user_id in here
            if user_id not in silent
        ]

    kernel.counts.add(ANNOUNCEMENT, read)
