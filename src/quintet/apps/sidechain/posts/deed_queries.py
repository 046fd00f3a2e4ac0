"""The statements about likes, reactions, comments and plays.

Invariant: whoever writes here keeps the post (`queries.standing_seen_kept`); the counts follow by triggers,
in the same transaction.
"""

from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.sidechain.posts.model import Comment, CommentId, CommentStanding, PostId, Standing
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array

COUNTED_AGAIN_SECONDS: Final = 30  # a play of one person counts once in so many seconds


class Counts(msgspec.Struct, frozen=True):
    """What is counted of a post."""

    likes: int
    comments: int
    reactions: int
    plays: int


class EmojiCounts(msgspec.Struct, frozen=True):
    """How a post's reactions stand, for somebody who gives or takes back one emoji."""

    own: int  # how many different ones are the caller's
    different: int  # how many different ones there are
    given: int  # how many gave this one
    all: int


async def like(tx: Tx, post_id: PostId, user_id: UserId) -> bool:
    """Write a like; whether there was none."""
    added = await tx.run(
        "insert into sidechain.likes (post_id, user_id, at) values ($1, $2, $3) on conflict do nothing",
        post_id,
        user_id,
        tx.now,
    )
    return added == 1


async def unlike(tx: Tx, post_id: PostId, user_id: UserId) -> bool:
    """Remove a like; whether there was one."""
    gone = await tx.run("delete from sidechain.likes where post_id = $1 and user_id = $2", post_id, user_id)
    return gone == 1


async def counts(tx: Tx, post_id: PostId) -> Counts:
    """What is counted of a post."""
    return await tx.one(
        Counts,
        "select likes, comments, reactions, plays from sidechain.post_counts where post_id = $1",
        post_id,
    )


async def lock_counts(tx: Tx, post_id: PostId) -> None:
    """Until the transaction ends, nobody else does anything that is counted of the post."""
    await tx.send("select from sidechain.post_counts where post_id = $1 for no key update", post_id)


async def emoji_counts(tx: Tx, post_id: PostId, user_id: UserId, emoji: str) -> EmojiCounts:
    """How a post's reactions stand."""
    return await tx.one(
        EmojiCounts,
        """
        select (select count(*) from sidechain.reactions where post_id = $1 and user_id = $2),
               (select count(*) from sidechain.reaction_counts where post_id = $1),
               coalesce((select count from sidechain.reaction_counts where post_id = $1 and emoji = $3), 0),
               (select reactions from sidechain.post_counts where post_id = $1)
        """,
        post_id,
        user_id,
        emoji,
    )


async def has_reacted(tx: Tx, post_id: PostId, user_id: UserId, emoji: str) -> bool:
    """Whether somebody gave a post this emoji."""
    return await tx.value(
        """
        select exists (
            select from sidechain.reactions where post_id = $1 and user_id = $2 and emoji = $3
        )
        """,
        post_id,
        user_id,
        emoji,
    )


async def react(tx: Tx, post_id: PostId, user_id: UserId, emoji: str) -> None:
    """Write a reaction that was not there."""
    await tx.send(
        "insert into sidechain.reactions (post_id, user_id, emoji, at) values ($1, $2, $3, $4)",
        post_id,
        user_id,
        emoji,
        tx.now,
    )


async def take_back(tx: Tx, post_id: PostId, user_id: UserId, emoji: str) -> bool:
    """Remove a reaction; whether it was there."""
    gone = await tx.run(
        "delete from sidechain.reactions where post_id = $1 and user_id = $2 and emoji = $3",
        post_id,
        user_id,
        emoji,
    )
    return gone == 1


async def add_comment(tx: Tx, comment_id: CommentId, post_id: PostId, user_id: UserId, text: str) -> None:
    """Write a comment."""
    await tx.send(
        """
        insert into sidechain.comments (id, post_id, user_id, text, created_at) values ($1, $2, $3, $4, $5)
        """,
        comment_id,
        post_id,
        user_id,
        text,
        tx.now,
    )


async def comment_standing(tx: Tx, comment_id: UUID) -> CommentStanding | None:
    """A comment with its post; the post stays until the transaction ends."""
    return await tx.maybe(
        lambda id_, user_id, *post: CommentStanding(id_, user_id, Standing(*post)),
        """
        select c.id, c.user_id, p.id, p.user_id, p.channel_id, p.text
        from sidechain.comments c join sidechain.posts p on p.id = c.post_id
        where c.id = $1
        for key share of p
        """,
        comment_id,
    )


async def sees_comment(tx: Tx, viewer_id: UserId, comment_id: UUID) -> bool:
    """Whether the viewer sees the comment: its post, and no block hides whose it is."""
    return await tx.value(
        """
        select exists (
            select from sidechain.comments c join sidechain.posts p on p.id = c.post_id
            where c.id = $2 and sidechain.can_see_post($1, p.user_id, p.channel_id) and not exists (
                select from social.blocks_between b where b.user_id = c.user_id and b.other_id = $1
            )
        )
        """,
        viewer_id,
        comment_id,
    )


async def remove_comment(tx: Tx, comment_id: CommentId) -> bool:
    """Remove a comment; whether it was there."""
    return await tx.run("delete from sidechain.comments where id = $1", comment_id) == 1


async def has_commented(tx: Tx, post_id: PostId, user_id: UserId) -> bool:
    """Whether somebody said anything of a post."""
    return await tx.value(
        "select exists (select from sidechain.comments where post_id = $1 and user_id = $2)",
        post_id,
        user_id,
    )


async def comments(
    tx: Tx, viewer_id: UserId, post_id: PostId, behind: UUID | None, most: int
) -> list[Comment]:
    """What was said of a post, newest first, without whom a block hides."""
    return await tx.all(
        _comment,
        """
        select c.id, c.post_id, u.id, u.username, u.display_name, c.text, c.created_at
        from sidechain.comments c join accounts.people u on u.id = c.user_id
        where c.post_id = $2 and c.id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          and not exists (
              select from social.blocks_between b where b.user_id = c.user_id and b.other_id = $1
          )
        order by c.id desc
        limit $4
        """,
        viewer_id,
        post_id,
        behind,
        most,
    )


async def count_play(tx: Tx, post_id: PostId, user_id: UserId) -> int:
    """Count a play, unless this person's last one was counted just before; how many there are."""
    await tx.send(
        """
        with counted as (
            insert into sidechain.plays as p (post_id, user_id, counted_at) values ($1, $2, $3)
            on conflict (post_id, user_id) do update set counted_at = excluded.counted_at
            where p.counted_at <= excluded.counted_at - make_interval(secs => $4)
            returning post_id
        )
        update sidechain.post_counts k set plays = k.plays + 1 from counted where k.post_id = counted.post_id
        """,
        post_id,
        user_id,
        tx.now,
        COUNTED_AGAIN_SECONDS,
    )
    return (await counts(tx, post_id)).plays


async def like_counts(tx: Tx, post_ids: list[str]) -> list[tuple[PostId, UserId, UUID | None, int]]:
    """Of these posts: whose each is, its channel, and how many like it."""
    return await tx.all(
        lambda post_id, user_id, channel_id, likes: (post_id, user_id, channel_id, likes),
        """
        select p.id, p.user_id, p.channel_id, k.likes
        from sidechain.posts p join sidechain.post_counts k on k.post_id = p.id
        where p.id = any($1::uuid[])
        """,
        array(post_ids),
    )


def _comment(
    id_: CommentId,
    post_id: PostId,
    user_id: UserId,
    username: str,
    display_name: str,
    text: str,
    created_at: Instant,
) -> Comment:
    return Comment(id_, post_id, Account(user_id, username, display_name), text, created_at)
