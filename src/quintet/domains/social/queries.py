"""Social's statements about what stands between people.

Invariant: whatever changes here was locked by `lock_people` first, and the counters follow by a trigger.
"""

from uuid import UUID

from quintet.domains.accounts import Account
from quintet.domains.social.model import FollowRequestId, Profile, Standing
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx, array


async def can_see(tx: Tx, viewer_id: UserId | None, owner_id: UserId) -> bool:
    """Whether the viewer (None: a stranger) may see what the owner keeps; nobody sees who is not there.

    Oneself always; else nobody across a block, and of a private account only its followers.
    """
    return await tx.value("select social.can_see($1, $2)", viewer_id, owner_id)


async def block_between(tx: Tx, one_id: UserId, other_id: UserId) -> bool:
    """Whether one of the two blocked the other."""
    return await tx.value(
        "select exists (select from social.blocks_between where user_id = $1 and other_id = $2)",
        one_id,
        other_id,
    )


async def hidden_from(tx: Tx, user_id: UUID) -> frozenset[UUID]:
    """Whom the user does not see, and who does not see them: both directions of their blocks."""
    return frozenset(
        await tx.all(
            lambda other_id: other_id,
            "select other_id from social.blocks_between where user_id = $1",
            user_id,
        )
    )


async def lock_people(tx: Tx, user_ids: list[UserId]) -> dict[UserId, Profile]:
    """Lock what is kept of these people, in the order of their ids; those who do not exist are left out."""
    found = await tx.all(
        Profile,
        "select user_id, is_private, followers, following from social.lock_people($1::uuid[])",
        array(user_ids),
    )
    return {profile.user_id: profile for profile in found}


async def standing(tx: Tx, user_id: UserId, other_id: UserId) -> Standing:
    """What stands between a person and another."""
    return await tx.one(
        Standing,
        """
        select exists (select from social.blocks_between where user_id = $1 and other_id = $2),
               exists (select from social.follows where follower_id = $1 and followee_id = $2),
               exists (select from social.follow_requests where requester_id = $1 and owner_id = $2)
        """,
        user_id,
        other_id,
    )


async def follow(tx: Tx, follower_id: UserId, followee_id: UserId) -> None:
    """Write that one follows the other; a request to do so is over."""
    await tx.send(
        "delete from social.follow_requests where requester_id = $1 and owner_id = $2",
        follower_id,
        followee_id,
    )
    await tx.send(
        """
        insert into social.follows (follower_id, followee_id, since) values ($1, $2, $3)
        """,
        follower_id,
        followee_id,
        tx.now,
    )


async def unfollow(tx: Tx, follower_id: UserId, followee_id: UserId) -> bool:
    """End a follow, and a request for one; whether there was a follow."""
    await tx.send(
        "delete from social.follow_requests where requester_id = $1 and owner_id = $2",
        follower_id,
        followee_id,
    )
    ended = await tx.run(
        "delete from social.follows where follower_id = $1 and followee_id = $2", follower_id, followee_id
    )
    return ended == 1


async def awaited_by(tx: Tx, requester_id: UserId) -> int:
    """How many answers somebody waits for."""
    return await tx.value("select count(*) from social.follow_requests where requester_id = $1", requester_id)


async def waiting_for(tx: Tx, owner_id: UserId) -> int:
    """How many people wait for somebody's answer."""
    return await tx.value("select count(*) from social.follow_requests where owner_id = $1", owner_id)


async def ask_to_follow(tx: Tx, request_id: FollowRequestId, requester_id: UserId, owner_id: UserId) -> None:
    """Write a request."""
    await tx.send(
        """
        insert into social.follow_requests (id, requester_id, owner_id, asked_at) values ($1, $2, $3, $4)
        """,
        request_id,
        requester_id,
        owner_id,
        tx.now,
    )


async def requester_of(tx: Tx, request_id: FollowRequestId, owner_id: UserId) -> Account | None:
    """Who made this request of the owner."""
    return await tx.maybe(
        Account,
        """
        select p.id, p.username, p.display_name
        from social.follow_requests r join accounts.people p on p.id = r.requester_id
        where r.id = $1 and r.owner_id = $2
        """,
        request_id,
        owner_id,
    )


async def end_request(tx: Tx, request_id: FollowRequestId) -> bool:
    """Remove a request; whether it was there."""
    return await tx.run("delete from social.follow_requests where id = $1", request_id) == 1


async def requesters_of(tx: Tx, owner_id: UserId) -> list[UserId]:
    """Everybody who waits for the owner's answer."""
    return await tx.all(
        UserId, "select requester_id from social.follow_requests where owner_id = $1", owner_id
    )


async def follow_all_waiting(tx: Tx, owner_id: UserId) -> list[Account]:
    """Let everybody who waits follow the owner; who they are."""
    return await tx.all(
        Account,
        """
        with waiting as (
            delete from social.follow_requests where owner_id = $1 returning requester_id
        ), followed as (
            insert into social.follows (follower_id, followee_id, since)
            select requester_id, $1, $2 from waiting
            returning follower_id
        )
        select p.id, p.username, p.display_name
        from followed join accounts.people p on p.id = followed.follower_id
        """,
        owner_id,
        tx.now,
    )


async def set_private(tx: Tx, user_id: UserId, *, is_private: bool) -> None:
    """Close or open an account."""
    await tx.send("update social.profiles set is_private = $2 where user_id = $1", user_id, is_private)


async def others_blocked(tx: Tx, blocker_id: UserId, besides_id: UserId) -> int:
    """How many people somebody blocks besides this one."""
    return await tx.value(
        "select count(*) from social.blocks where blocker_id = $1 and blocked_id <> $2",
        blocker_id,
        besides_id,
    )


async def block(tx: Tx, blocker_id: UserId, blocked_id: UserId) -> None:
    """Write a block."""
    await tx.send(
        """
        insert into social.blocks (blocker_id, blocked_id, since) values ($1, $2, $3) on conflict do nothing
        """,
        blocker_id,
        blocked_id,
        tx.now,
    )


async def unblock(tx: Tx, blocker_id: UserId, blocked_id: UserId) -> None:
    """End a block."""
    await tx.send(
        "delete from social.blocks where blocker_id = $1 and blocked_id = $2", blocker_id, blocked_id
    )
