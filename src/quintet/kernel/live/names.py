"""What the rooms that everybody has are called.

Invariant: whose feed it is stands in the log's name alone; clients say and hear `feed`.
"""

from typing import Final
from uuid import UUID

USER: Final = "user"  # what concerns one user and nobody else
REVIEWS: Final = "reviews"  # of who may be in which room; the nodes alone are in it
FEED: Final = "feed"  # each user's own stream of what others do
FOLLOWERS: Final = "followers"  # no room: stands for the feeds of all who follow somebody


def user_room(user_id: UUID | str) -> str:
    """The room that somebody is in alone, with all their tabs."""
    return f"{USER}:{user_id}"


def feed_room(user_id: UUID) -> str:
    """Somebody's feed, as the log calls it."""
    return f"{FEED}:{user_id}"


def followers_of(user_id: UUID | str, about_id: UUID | str | None = None) -> str:
    """The feeds of all who follow this user and, where it is about somebody else, see them."""
    return f"{FOLLOWERS}:{user_id}:{about_id or user_id}"


def shown(room: str) -> str:
    """What clients call the room."""
    return FEED if room.startswith((f"{FEED}:", f"{FOLLOWERS}:")) else room
