"""Notifying: what the rest of the server calls when somebody did something that concerns somebody else.

Invariant: nobody is notified of their own deeds, nor across a block, nor of a kind they muted; whatever is
written is told in the same transaction.
"""

from typing import Any, Final
from uuid import UUID

import msgspec

from quintet.domains.notifications import queries, rules
from quintet.domains.notifications.counting import UNREAD
from quintet.domains.notifications.model import (
    NotificationChanged,
    NotificationId,
    NotificationWithdrawn,
    Notified,
    Row,
)
from quintet.domains.notifications.queries import Deed
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import user_room

MOST_TOLD: Final = 500  # rooms that one transaction waits for, when a thing goes that many were told of


async def notify(
    tx: Tx, *, kind: str, user_id: UUID, actor_id: UUID, object_id: UUID | str = "", **details: Any
) -> None:
    """Tell a user what somebody did to one object of theirs, in the transaction of the deed.

    Deeds of one kind about one object fold into one notification until it is read. The details are what the
    kind's text needs, and whatever a client needs to show the deed; texts are cut at 200 characters. Raises
    LookupError for a kind that nobody registered, or a detail that its text cannot do without.
    """
    await notify_many(tx, [(user_id, actor_id)], kind=kind, object_id=object_id, details=details)


async def notify_many(
    tx: Tx,
    pairs: list[tuple[UUID, UUID]],
    *,
    kind: str,
    object_id: UUID | str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """The same for many pairs of a recipient and an actor, in one statement."""
    kept = rules.details_of(kind, details or {})
    deeds = [
        Deed(NotificationId(new_id()), user_id, actor_id)
        for user_id, actor_id in pairs
        if user_id != actor_id
    ]
    if not deeds:
        return
    for folded in await queries.fold(tx, deeds, kind, str(object_id), kept):
        if folded.is_live:
            tx.emit(user_room(folded.user_id), told(Notified, folded.row))
        tx.count(UNREAD, folded.user_id)


async def withdraw(
    tx: Tx, *, kind: str, user_id: UUID, actor_id: UUID, object_id: UUID | str = "", is_told: bool = True
) -> None:
    """Take back what `notify` said of one actor: their deed is undone.

    Others who did the same remain; without any the notification goes. The recipient's other tabs hear of it,
    unless it is nobody's business that somebody left.
    """
    ids = await queries.lock_with_actor(tx, user_id, kind, str(object_id), actor_id)
    if not ids:
        return
    await queries.remove_actor(tx, ids, actor_id)
    left = {row.id: row for row in await queries.rows_of(tx, UserId(user_id), ids)} if is_told else {}
    for id_ in ids if is_told else ():
        event = told(NotificationChanged, left[id_]) if id_ in left else NotificationWithdrawn(id=id_)
        tx.emit(user_room(UserId(user_id)), event)
    tx.count(UNREAD, user_id)


async def withdraw_kind(tx: Tx, *, kind: str, user_id: UUID) -> None:
    """Take back all of a kind that the recipient was told, whoever did it."""
    for id_ in await queries.remove_kind(tx, user_id, kind):
        tx.emit(user_room(UserId(user_id)), NotificationWithdrawn(id=id_))
        tx.count(UNREAD, user_id)


async def withdraw_object(tx: Tx, object_id: UUID | str) -> None:
    """Take back everything about an object that has gone: nobody is shown a trace of it any more."""
    removed = await queries.remove_object(tx, str(object_id))
    for id_, user_id in removed:
        if len(removed) <= MOST_TOLD:
            tx.emit(user_room(user_id), NotificationWithdrawn(id=id_))
        tx.count(UNREAD, user_id)


def told(event: type[Any], row: Row) -> Any:
    """The event that shows the notification as the list does."""
    return event(**msgspec.structs.asdict(rules.shown(row)))
