"""The feed's statements.

Invariant: a page is in the order (at, id), newest first, and holds nothing of people whom the viewer does not
follow.
"""

from typing import Any

from quintet.apps.marquee.feed.model import ActivityId, Behind, FeedItem, Kind, Told
from quintet.apps.marquee.media.model import Media
from quintet.apps.marquee.rankings.model import RankingId, Tier
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def of_followed_among_newest(
    tx: Tx, viewer_id: UserId, behind: Behind, among: int, most: int
) -> list[Told]:
    """What the followed did, as far as it is among the `among` newest deeds of everybody."""
    return await tx.all(
        _told,
        """
        with newest as materialized (
            select id, user_id, at from marquee.activities
            where (at, id) < (coalesce($2::timestamptz, 'infinity'),
                              coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            order by at desc, id desc
            limit $4
        ), page as (
            select newest.id from newest
            where exists (
                select from social.following f
                where f.follower_id = $1 and f.followee_id = newest.user_id
            )
            order by newest.at desc, newest.id desc
            limit $5
        )
        select a.id, a.at, a.kind, a.ranking_id, a.tier, a.from_tier, a.count, r.note,
               p.id, p.username, p.display_name, m.*
        from page
        join marquee.activities a on a.id = page.id
        join marquee.user_rankings r on r.id = a.ranking_id
        join accounts.people p on p.id = a.user_id
        left join catalogue.media m on m.id = r.media_id
        order by a.at desc, a.id desc
        """,
        viewer_id,
        *behind,
        among,
        most,
    )


async def of_followed(tx: Tx, viewer_id: UserId, behind: Behind, most: int) -> list[Told]:
    """What the followed did, by a look at each of them.

    A page of `most` can only hold deeds of the `most` people whose newest ones are the newest: of those as
    many each are read.
    """
    return await tx.all(
        _told,
        """
        with latest as (
            select f.followee_id
            from social.following f
            cross join lateral (
                select a.at, a.id from marquee.activities a
                where a.user_id = f.followee_id
                  and (a.at, a.id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
                order by a.at desc, a.id desc
                limit 1
            ) last
            where f.follower_id = $1
            order by last.at desc, last.id desc
            limit $4
        ), page as (
            select deed.id
            from latest
            cross join lateral (
                select a.at, a.id from marquee.activities a
                where a.user_id = latest.followee_id
                  and (a.at, a.id) < (coalesce($2::timestamptz, 'infinity'),
                                      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
                order by a.at desc, a.id desc
                limit $4
            ) deed
            order by deed.at desc, deed.id desc
            limit $4
        )
        select a.id, a.at, a.kind, a.ranking_id, a.tier, a.from_tier, a.count, r.note,
               p.id, p.username, p.display_name, m.*
        from page
        join marquee.activities a on a.id = page.id
        join marquee.user_rankings r on r.id = a.ranking_id
        join accounts.people p on p.id = a.user_id
        left join catalogue.media m on m.id = r.media_id
        order by a.at desc, a.id desc
        """,
        viewer_id,
        *behind,
        most,
    )


def _told(
    activity_id: ActivityId,
    at: Instant,
    kind: Kind,
    ranking_id: RankingId,
    tier: Tier,
    from_tier: Tier | None,
    count: int,
    note: str | None,
    user_id: UserId,
    username: str,
    display_name: str,
    *media: Any,
) -> Told:
    if media[0] is None:
        return Told(activity_id, at, None)
    user = Account(user_id, username, display_name)
    shown = Media(*media)
    return Told(
        activity_id,
        at,
        FeedItem(activity_id, kind, user, ranking_id, shown, tier, count, at, from_tier, note),
    )
