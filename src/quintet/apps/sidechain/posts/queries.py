"""The statements about posts.

Invariant: nothing of a post comes out of here for somebody who does not see it (`sidechain.can_see_post`).
"""

from typing import Any
from uuid import UUID

import msgspec

from quintet.apps.sidechain.channels.model import ChannelId
from quintet.apps.sidechain.posts.model import NewPost, PostId, ReactionCount, Standing
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array


class PostRow(msgspec.Struct, frozen=True):
    """A post as the viewer sees it, but for its audio."""

    id: PostId
    user: Account
    channel_id: ChannelId | None
    text: str | None
    audio_id: UUID | None
    bpm: float | None
    key: str | None
    tags: list[str]
    created_at: Instant
    likes: int
    comments: int
    reactions: int
    plays: int
    liked: bool
    emoji: list[ReactionCount]


class Place(msgspec.Struct, frozen=True):
    """The channel that is posted in."""

    is_private: bool
    is_member: bool


async def lock_place(tx: Tx, user_id: UserId, channel_id: UUID) -> Place | None:
    """The channel, which stays and stays private or public until the transaction ends."""
    return await tx.maybe(
        Place,
        """
        select c.is_private, exists (
            select from sidechain.members m where m.channel_id = c.id and m.user_id = $2
        )
        from sidechain.channels c
        where c.id = $1 and c.members > 0
        for key share
        """,
        channel_id,
        user_id,
    )


async def add_post(
    tx: Tx, post_id: PostId, user_id: UserId, channel_id: UUID | None, new: NewPost, *, is_open: bool
) -> None:
    """Write a post, with nothing counted yet."""
    await tx.send(
        """
        with post as (
            insert into sidechain.posts (
                id, user_id, channel_id, is_open, audio_id, text, bpm, key, tags, created_at
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10)
            returning id
        )
        insert into sidechain.post_counts (post_id) select id from post
        """,
        post_id,
        user_id,
        channel_id,
        is_open,
        new.audio_id,
        new.text,
        new.bpm,
        new.key,
        new.tags,
        tx.now,
    )


async def posts(tx: Tx, viewer_id: UUID, post_ids: list[PostId]) -> list[PostRow]:
    """Of these posts those that the viewer sees, newest first."""
    return await tx.all(
        _row,
        """
        select p.id, u.id, u.username, u.display_name, p.channel_id, p.text, p.audio_id, p.bpm, p.key, p.tags,
               p.created_at, k.likes, k.comments, k.reactions, k.plays,
               exists (select from sidechain.likes l where l.post_id = p.id and l.user_id = $1),
               (
                   select coalesce(json_agg(json_build_object(
                       'emoji', e.emoji, 'count', e.count, 'own', o.user_id is not null
                   ) order by e.count desc, e.emoji), '[]')
                   from sidechain.reaction_counts e
                   left join sidechain.reactions o
                       on o.post_id = p.id and o.user_id = $1 and o.emoji = e.emoji
                   where e.post_id = p.id
               )
        from sidechain.posts p
        join sidechain.post_counts k on k.post_id = p.id
        join accounts.people u on u.id = p.user_id
        where p.id = any($2::uuid[]) and sidechain.can_see_post($1, p.user_id, p.channel_id)
        order by p.id desc
        """,
        viewer_id,
        array(post_ids),
    )


async def standing(tx: Tx, post_id: UUID) -> Standing | None:
    """What decides about a post, whoever asks."""
    return await tx.maybe(
        Standing, "select id, user_id, channel_id, text from sidechain.posts where id = $1", post_id
    )


async def standing_seen(tx: Tx, viewer_id: UserId, post_id: UUID) -> Standing | None:
    """The same, if the viewer sees the post."""
    return await tx.maybe(
        Standing,
        """
        select id, user_id, channel_id, text from sidechain.posts
        where id = $2 and sidechain.can_see_post($1, user_id, channel_id)
        """,
        viewer_id,
        post_id,
    )


async def standing_seen_kept(tx: Tx, viewer_id: UserId, post_id: UUID) -> Standing | None:
    """The same, and the post stays until the transaction ends; others may do so at the same time."""
    return await tx.maybe(
        Standing,
        """
        select id, user_id, channel_id, text from sidechain.posts
        where id = $2 and sidechain.can_see_post($1, user_id, channel_id)
        for key share
        """,
        viewer_id,
        post_id,
    )


async def owner_of_channel(tx: Tx, channel_id: ChannelId) -> UserId | None:
    """Who owns the channel."""
    return await tx.value("select owner_id from sidechain.channels where id = $1", channel_id)


async def remove_post(tx: Tx, post_id: PostId) -> bool:
    """Remove a post with all that hangs on it; whether it was there."""
    return await tx.run("delete from sidechain.posts where id = $1", post_id) == 1


async def who_may_be_told(tx: Tx, user_ids: list[UserId], actor_id: UserId, post: Standing) -> list[UserId]:
    """Of these people those who see the post, without whom a block stands between and the one who speaks."""
    return await tx.all(
        UserId,
        """
        select asked.id from unnest($1::uuid[]) as asked(id)
        where asked.id <> $2 and sidechain.can_see_post(asked.id, $3, $4) and not exists (
            select from social.blocks_between b where b.user_id = asked.id and b.other_id = $2
        )
        """,
        array(user_ids),
        actor_id,
        post.user_id,
        post.channel_id,
    )


def _row(id_: PostId, user_id: UserId, username: str, display_name: str, *rest: Any) -> PostRow:
    reactions = msgspec.convert(rest[-1], list[ReactionCount])
    return PostRow(id_, Account(user_id, username, display_name), *rest[:-1], reactions)  # pyright: ignore[reportCallIssue]
