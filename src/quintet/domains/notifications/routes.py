"""The edge of notifications: one's list, its count, reading, preferences; and what moderators announce."""

from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody

from quintet.domains.notifications import actions, announcing, list_queries, rules
from quintet.domains.notifications.model import (
    AllRead,
    NewAnnouncement,
    Notification,
    NotificationNotFound,
    Preferences,
    PreferencesChange,
    RecipientNotFound,
    Unread,
)
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, get, post, put
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.live.names import user_room

TAG = "Notifications"
PATH = "/api/v1/notifications"


@get(PATH, access=Access.SIGNED_IN, tag=TAG, summary="Your notifications, newest first")
async def read_notifications(
    request: Call, unread: FromQuery[bool] = False, limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Notification]]:
    """Answer what others did that concerns the caller; with `unread=true` only what waits to be read."""
    read = request.read_cursor(cursor, unread)
    behind = (None, None) if read is None else (read[0], UUID(read[1]))
    user_id = request.actor.id
    async with request.read() as tx:
        rows = await list_queries.notifications_of(tx, user_id, behind, limit + 1, unread_only=unread)
        seq = await room_seq(tx, user_room(user_id))
    page, place = cut(rows, limit, lambda row: [row.updated_at.isoformat(), str(row.id)])
    told = Page([rules.shown(row) for row in page], request.next_cursor(place, unread))
    return Answer(told, headers={"Room-Seq": request.room_seq(seq)})


@get(f"{PATH}/count", access=Access.SIGNED_IN, tag=TAG, summary="How many notifications wait for you")
async def count_notifications(request: Call) -> Answer[Unread]:
    """Answer how many are unread, and how many there are."""
    async with request.read() as tx:
        counts = await list_queries.counts_of(tx, request.actor.id)
        seq = await room_seq(tx, user_room(request.actor.id))
    return Answer(counts, headers={"Room-Seq": request.room_seq(seq)})


@put(f"{PATH}/{{notification_id:uuid}}/read", access=Access.SIGNED_IN, tag=TAG,
     refusals=(NotificationNotFound,), summary="Read a notification")  # fmt: skip
async def read_notification(request: Call, notification_id: FromPath[UUID]) -> Answer[Notification]:
    """Read it; the next deed of its kind begins a new one."""

    async def act(tx: Tx) -> Answer[Notification]:
        return Answer(await actions.read_notification(tx, request.actor, notification_id))

    return await request.write(act)


@put(f"{PATH}/read-all", access=Access.SIGNED_IN, tag=TAG, summary="Read all your notifications")
async def read_all(request: Call) -> Answer[AllRead]:
    """Read all there are; how many were unread."""

    async def act(tx: Tx) -> Answer[AllRead]:
        return Answer(await actions.read_all(tx, request.actor))

    return await request.write(act)


@post(PATH, access=Access.MODERATOR, tag=TAG, refusals=(RecipientNotFound,),
      example={"title": "Maintenance", "text": "We are away on Sunday from 3 to 4.", "all": True},
      summary="Announce something to one person or to everybody")  # fmt: skip
async def announce(request: Call, data: JSONBody[NewAnnouncement]) -> Answer[Notification]:
    """Tell the `user_id`, or `all` who have an account."""

    async def act(tx: Tx) -> Answer[Notification]:
        return Answer(await announcing.announce(tx, request.actor, data))

    return await request.write(act)


@get(f"{PATH}/preferences", access=Access.SIGNED_IN, tag=TAG,
     summary="How you want to be told, kind by kind")  # fmt: skip
async def read_preferences(request: Call) -> Answer[Preferences]:
    """Answer for every kind whether it is told live, by push and by e-mail, or muted, which keeps nothing."""
    async with request.kernel.database.statement() as tx:
        return Answer(await actions.preferences_of(tx, request.actor))


@put(f"{PATH}/preferences", access=Access.SIGNED_IN, tag=TAG,
     example={"preferences": {"post_liked": {"live": False, "push": False}}},
     summary="Change how you want to be told")  # fmt: skip
async def change_preferences(request: Call, data: JSONBody[PreferencesChange]) -> Answer[Preferences]:
    """Change what is given of the kinds that are given; what is left out stays."""

    async def act(tx: Tx) -> Answer[Preferences]:
        return Answer(await actions.change_preferences(tx, request.actor, data))

    return await request.write(act)


NOTIFICATION_ROUTES = (
    read_notifications, count_notifications, read_notification, read_all, announce,
    read_preferences, change_preferences,
)  # fmt: skip
