"""Notifications: what somebody is told of what others did, in every app.

An app says `await notify(tx, kind=…, user_id=…, actor_id=…, object_id=…, …)` in the transaction of the deed,
`withdraw` when it is taken back, `withdraw_object` when the object goes, and `register`s kinds of its own.
"""

from quintet.domains.notifications.announcing import tell_announcements
from quintet.domains.notifications.counting import UNREAD, read_unread
from quintet.domains.notifications.hearing import HEARS
from quintet.domains.notifications.kinds import KINDS, Kind, register
from quintet.domains.notifications.notifying import notify, notify_many, withdraw, withdraw_object
from quintet.domains.notifications.routes import NOTIFICATION_ROUTES
from quintet.domains.notifications.upkeep import notifications_upkeep
from quintet.kernel.live.counts import CountKind
from quintet.kernel.live.names import user_room
from quintet.kernel.parts import Part

PART = Part(
    "notifications",
    routes=NOTIFICATION_ROUTES,
    background=(notifications_upkeep,),
    on_start=(tell_announcements,),
    hears=HEARS,
    counts={UNREAD: CountKind(read_unread, user_room)},
)

__all__ = ["KINDS", "PART", "Kind", "notify", "notify_many", "register", "withdraw", "withdraw_object"]
