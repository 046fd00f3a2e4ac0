"""Social's statements that list: one's followers, whom one follows, who asks, whom one blocks.

Invariant: every list is its owner's own, newest first; a page goes on behind a time and an id, or begins.
"""

from uuid import UUID

from quintet.domains.accounts import Account
from quintet.domains.social.model import Acquaintance, FollowRequest, FollowRequestId, Me
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx

Behind = tuple[str, UUID] | tuple[None, None]


async def me(tx: Tx, user_id: UserId) -> Me:
    """One's own account among others."""
    return await tx.one(
        Me,
        """
        select coalesce(p.is_private, false), coalesce(p.followers, 0), coalesce(p.following, 0),
               (select count(*) from social.follow_requests r where r.owner_id = $1)
        from (select) one left join social.profiles p on p.user_id = $1
        """,
        user_id,
    )


async def follower_counts(tx: Tx, user_ids: list[str]) -> list[tuple[str, int]]:
    """How many follow each of these people."""
    return await tx.all(
        lambda user_id, followers: (user_id, followers),
        """
        select asked.user_id, coalesce(p.followers, 0)
        from unnest($1::text[]) as asked(user_id)
        left join social.profiles p on p.user_id = asked.user_id::uuid
        """,
        user_ids,
    )


async def followers(tx: Tx, user_id: UserId, behind: Behind, most: int) -> list[Acquaintance]:
    """Who follows this person."""
    return await tx.all(
        _acquaintance,
        """
        select f.since, p.id, p.username, p.display_name
        from social.follows f join accounts.people p on p.id = f.follower_id
        where f.followee_id = $1
          and (f.since, f.follower_id) < (coalesce($2::timestamptz, 'infinity'),
                                          coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by f.since desc, f.follower_id desc
        limit $4
        """,
        user_id,
        *behind,
        most,
    )


async def following(tx: Tx, user_id: UserId, behind: Behind, most: int) -> list[Acquaintance]:
    """Whom this person follows."""
    return await tx.all(
        _acquaintance,
        """
        select f.since, p.id, p.username, p.display_name
        from social.follows f join accounts.people p on p.id = f.followee_id
        where f.follower_id = $1
          and (f.since, f.followee_id) < (coalesce($2::timestamptz, 'infinity'),
                                          coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by f.since desc, f.followee_id desc
        limit $4
        """,
        user_id,
        *behind,
        most,
    )


async def blocked(tx: Tx, user_id: UserId, behind: Behind, most: int) -> list[Acquaintance]:
    """Whom this person blocks."""
    return await tx.all(
        _acquaintance,
        """
        select b.since, p.id, p.username, p.display_name
        from social.blocks b join accounts.people p on p.id = b.blocked_id
        where b.blocker_id = $1
          and (b.since, b.blocked_id) < (coalesce($2::timestamptz, 'infinity'),
                                         coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by b.since desc, b.blocked_id desc
        limit $4
        """,
        user_id,
        *behind,
        most,
    )


async def requests(tx: Tx, owner_id: UserId, behind: Behind, most: int) -> list[FollowRequest]:
    """Who asks to follow this person."""
    return await tx.all(
        _request,
        """
        select r.id, r.asked_at, p.id, p.username, p.display_name
        from social.follow_requests r join accounts.people p on p.id = r.requester_id
        where r.owner_id = $1
          and (r.asked_at, r.id) < (coalesce($2::timestamptz, 'infinity'),
                                    coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by r.asked_at desc, r.id desc
        limit $4
        """,
        owner_id,
        *behind,
        most,
    )


def _acquaintance(since: Instant, user_id: UserId, username: str, display_name: str) -> Acquaintance:
    return Acquaintance(Account(user_id, username, display_name), since)


def _request(
    request_id: FollowRequestId, asked_at: Instant, user_id: UserId, username: str, display_name: str
) -> FollowRequest:
    return FollowRequest(request_id, Account(user_id, username, display_name), asked_at)
