"""Telling of posts: in the channel a post stands in, else to its author's followers; and to whom it concerns.

Invariant: a post is told of where it lives, and nowhere to people who do not see it.
"""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from quintet.apps.sidechain.channels.model import channel_room
from quintet.apps.sidechain.posts import deed_queries, queries, rules
from quintet.apps.sidechain.posts.model import (
    CommentDeleted,
    OfPost,
    Post,
    PostCreated,
    PostDeleted,
    Standing,
)
from quintet.apps.sidechain.telling import tell_of
from quintet.domains.accounts import users_named
from quintet.domains.notifications import notify, notify_many
from quintet.domains.notifications import withdraw as withdraw_notification
from quintet.domains.social import tell_followers
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.live.counts import CountKind, ReadCounts
from quintet.kernel.live.names import followers_of, user_room

LIKES: Final = "post_likes"


async def tell_where_it_lives(tx: Tx, post: Standing, event: PostCreated | PostDeleted) -> None:
    """Tell of a post that came or went."""
    if post.channel_id is not None:
        tell_of(tx, channel_room(post.channel_id), post.user_id, event)
    else:
        tell_of(tx, user_room(post.user_id), post.user_id, event)
        await tell_followers(tx, post.user_id, event)


def tell_deed(tx: Tx, post: Standing, user_id: UUID, event: OfPost | CommentDeleted) -> None:
    """Tell of what somebody did with a post: its author, its channel, and the doer's other tabs."""
    rooms = {user_room(post.user_id), user_room(user_id)}
    if post.channel_id is not None:
        rooms.add(channel_room(post.channel_id))
    for room in rooms:
        tell_of(tx, room, user_id, event)


async def notify_author(tx: Tx, actor: Actor, post: Standing, kind: str, **details: Any) -> None:
    """Notify a post's author of what the actor did with it."""
    await notify(tx, kind=kind, user_id=post.user_id, actor_id=actor.id, object_id=post.id, **details)


async def withdraw(tx: Tx, actor_id: UUID, post: Standing, kind: str) -> None:
    """Take such a notification back."""
    await withdraw_notification(tx, kind=kind, user_id=post.user_id, actor_id=actor_id, object_id=post.id)


async def notify_mentioned(
    tx: Tx, actor: Actor, post: Standing, text: str | None, but: Collection[UUID] = ()
) -> None:
    """Notify those whose usernames stand in the text, if they see the post; each once."""
    names = rules.mentioned_in(text)
    if not names:
        return
    named = set((await users_named(tx, names)).values()) - set(but)
    told = await queries.who_may_be_told(tx, list(named), actor.id, post) if named else []
    await notify_many(
        tx,
        [(user_id, actor.id) for user_id in told],
        kind="mention",
        object_id=post.id,
        details={"text": text},
    )


async def read_likes(tx: Tx, post_ids: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """How many like these posts, for those who hear of them."""
    return [
        (
            room,
            "like_count_update",
            {"post_id": post_id, "like_count": likes},
        )
        for post_id, user_id, channel_id, likes in await deed_queries.like_counts(tx, post_ids)
        for room in (user_room(user_id), around(user_id, channel_id))
    ]


def around(author_id: UUID, channel_id: UUID | None, of_id: UUID | None = None) -> str:
    """Who hears of a post what is not stored: its channel, else the followers of its author.

    Or, of what somebody else does with it, those followers of theirs who see the author.
    """
    if channel_id is not None:
        return channel_room(channel_id)
    return followers_of(of_id or author_id, author_id)


POST_COUNTS: Final[dict[str, ReadCounts | CountKind]] = {LIKES: read_likes}


def created(post: Post) -> PostCreated:
    """The event of a new post."""
    return PostCreated(post_id=post.id, channel_id=post.channel_id, user_id=post.user.id, post=post)
