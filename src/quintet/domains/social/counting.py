"""The number of one's followers: told to their own tabs whenever it may have changed.

Invariant: it is what `GET /social/me` says at the moment it is told.
"""

from typing import Any, Final

from quintet.domains.social import list_queries
from quintet.kernel.database import Tx
from quintet.kernel.live.names import user_room

FOLLOWERS: Final = "follower_count_update"


async def read_followers(tx: Tx, user_ids: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """How many follow each of these people, for their own rooms."""
    counted = await list_queries.follower_counts(tx, user_ids)
    return [
        (user_room(user_id), FOLLOWERS, {"user_id": user_id, "followers": followers})
        for user_id, followers in counted
    ]
