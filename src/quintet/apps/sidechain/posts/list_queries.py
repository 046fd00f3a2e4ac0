"""The statements that find the posts of a page.

Invariant: they answer ids in the order of posting, newest first, and hold some that the viewer does not see:
whoever shows them asks (`queries.posts`), so a page may be shorter than its limit, never its list.
"""

from uuid import UUID

from quintet.apps.sidechain.posts.model import PostId
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


async def of_channel(tx: Tx, channel_id: UUID, behind: UUID | None, most: int) -> list[PostId]:
    """A channel's posts."""
    return await tx.all(
        PostId,
        """
        select id from sidechain.posts
        where channel_id = $1 and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by id desc
        limit $3
        """,
        channel_id,
        behind,
        most,
    )


async def of_person(
    tx: Tx, viewer_id: UserId, user_id: UserId, behind: UUID | None, most: int
) -> list[PostId]:
    """Somebody's posts outside channels, in public ones, and in the viewer's."""
    return await tx.all(
        PostId,
        """
        select id from sidechain.posts p
        where user_id = $2 and id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          and (is_open or channel_id in (select channel_id from sidechain.members where user_id = $1))
        order by id desc
        limit $4
        """,
        viewer_id,
        user_id,
        behind,
        most,
    )


async def of_feed_among_newest(
    tx: Tx, viewer_id: UserId, behind: UUID | None, among: int, most: int
) -> list[PostId]:
    """The feed, as far as it is among the `among` newest posts of everybody."""
    return await tx.all(
        PostId,
        """
        with newest as materialized (
            select id, user_id, channel_id, is_open from sidechain.posts
            where id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            order by id desc
            limit $3
        )
        select id from newest
        where (is_open and (user_id = $1 or exists (
                  select from social.following f where f.follower_id = $1 and f.followee_id = newest.user_id
              )))
           or exists (
                  select from sidechain.members m where m.user_id = $1 and m.channel_id = newest.channel_id
              )
        order by id desc
        limit $4
        """,
        viewer_id,
        behind,
        among,
        most,
    )


async def of_feed(tx: Tx, viewer_id: UserId, behind: UUID | None, most: int) -> list[PostId]:
    """The feed, by a look at each of the followed and each channel.

    A page of `most` can only hold posts of the `most` people and channels whose newest ones are the newest:
    of those as many each are read. What comes from both is one.
    """
    return await tx.all(
        PostId,
        """
        with person as (
            select p.user_id
            from (
                select f.followee_id as user_id from social.following f where f.follower_id = $1
                union all
                select $1
            ) p
            cross join lateral (
                select id from sidechain.posts
                where is_open and user_id = p.user_id
                  and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                order by id desc
                limit 1
            ) last
            order by last.id desc
            limit $3
        ), channel as (
            select m.channel_id
            from sidechain.members m
            cross join lateral (
                select id from sidechain.posts
                where channel_id = m.channel_id
                  and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                order by id desc
                limit 1
            ) last
            where m.user_id = $1
            order by last.id desc
            limit $3
        )
        select post.id
        from person
        cross join lateral (
            select id from sidechain.posts
            where is_open and user_id = person.user_id
              and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            order by id desc
            limit $3
        ) post
        union
        select post.id
        from channel
        cross join lateral (
            select id from sidechain.posts
            where channel_id = channel.channel_id
              and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            order by id desc
            limit $3
        ) post
        order by id desc
        limit $3
        """,
        viewer_id,
        behind,
        most,
    )
