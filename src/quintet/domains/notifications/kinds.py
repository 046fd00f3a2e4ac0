"""The kinds of notifications, and how each is put into words; apps add their own.

Invariant: a kind stands here before anybody is notified of it; an unknown one is a bug of the caller.
"""

from typing import Final

import msgspec

ANNOUNCEMENT: Final = "announcement"


class Kind(msgspec.Struct, frozen=True):
    """How notifications of a kind read.

    `text` names the details it cannot do without in braces, besides `{actors}`. The detail named by `quotes`
    is quoted behind it where there is one.
    """

    title: str
    text: str
    quotes: str | None = None


KINDS: Final[dict[str, Kind]] = {
    "post_liked": Kind("New like", "{actors} liked your post", quotes="post_text"),
    "new_comment": Kind("New comment", "{actors} commented on your post", quotes="comment_text"),
    "new_reaction": Kind("New reaction", "{actors} reacted to your post", quotes="emoji"),
    "mention": Kind("You were mentioned", "{actors} mentioned you", quotes="text"),
    "new_follower": Kind("New follower", "{actors} started following you"),
    "follow_request": Kind("Follow request", "{actors} asked to follow you"),
    "follow_request_accepted": Kind("Request accepted", "{actors} let you follow them"),
    "channel_added": Kind("Added to a channel", "{actors} added you to {channel_name}"),
    ANNOUNCEMENT: Kind("Announcement", ""),  # these bring their own words
}


def register(name: str, kind: Kind) -> None:
    """Add an app's own kind; again is the same, another kind of the same name is a bug."""
    if KINDS.setdefault(name, kind) != kind:
        raise AssertionError(f"there is another kind of notification called {name}")
