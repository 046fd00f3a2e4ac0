"""The number on the bell: told to its owner's tabs whenever it may have changed.

Invariant: it is what `GET /api/v1/notifications/count` says at the moment it is told.
"""

from typing import Any, Final

from quintet.domains.notifications import queries
from quintet.kernel.database import Tx
from quintet.kernel.live.names import user_room

UNREAD: Final = "notification_count"


async def read_unread(tx: Tx, user_ids: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """How many notifications wait for each of these people, for their own rooms."""
    counted = await queries.unread_of(tx, user_ids)
    return [(user_room(user_id), UNREAD, {"unread": unread}) for user_id, unread in counted]
