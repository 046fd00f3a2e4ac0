"""Following, asking to, answering, blocking, closing and opening an account.

Invariant: each verb is idempotent, and ends with the counters, the requests and the blocks in agreement:
nobody follows across a block, and nobody both follows and waits.
"""

from uuid import UUID

from quintet.domains.accounts import Account, accounts_of
from quintet.domains.social import access, list_queries, queries
from quintet.domains.social.access import Pair
from quintet.domains.social.counting import FOLLOWERS
from quintet.domains.social.model import (
    MOST_BLOCKED,
    MOST_FOLLOWED,
    MOST_WAITING,
    Blocked,
    FollowAsked,
    FollowAskedNoMore,
    FollowBegan,
    Followed,
    FollowEnded,
    FollowRequestAccepted,
    FollowRequested,
    FollowRequestId,
    FollowsAccepted,
    Me,
    NewFollower,
    PrivacyChanged,
    TooManyBlocked,
    TooManyFollowed,
    TooManyWaiting,
    Unfollowed,
)
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import user_room


async def follow_person(tx: Tx, actor: Actor, other_id: UUID) -> Followed:
    """Follow somebody, or ask to where the account is private; twice is once."""
    pair = await access.pair_to_follow(tx, actor, other_id)
    if pair.standing.is_following:
        return Followed("following")
    if pair.other.is_private and pair.standing.is_waiting:
        return Followed("requested")
    if not pair.standing.is_waiting:
        await _check_room(tx, pair)
    own = (await accounts_of(tx, [actor.id]))[0]
    if pair.other.is_private:
        await _ask(tx, own, pair.other.user_id)
        return Followed("requested")
    await queries.follow(tx, actor.id, pair.other.user_id)
    _tell_followed(tx, own, pair.other.user_id)
    await tx.announce(FollowBegan(actor.id, pair.other.user_id))
    return Followed("following")


async def _check_room(tx: Tx, pair: Pair) -> None:
    # Who is asked counts, too: so a request that is accepted later is never one too many.
    if pair.own.following + await queries.awaited_by(tx, pair.own.user_id) >= MOST_FOLLOWED:
        raise TooManyFollowed


async def _ask(tx: Tx, own: Account, owner_id: UserId) -> None:
    if await queries.waiting_for(tx, owner_id) >= MOST_WAITING:
        raise TooManyWaiting
    request_id = FollowRequestId(new_id())
    await queries.ask_to_follow(tx, request_id, own.id, owner_id)
    asked = FollowRequested(
        request_id=request_id, user_id=own.id, username=own.username, display_name=own.display_name
    )
    tx.emit(user_room(owner_id), asked)
    await tx.announce(FollowAsked(own.id, owner_id))


async def unfollow_person(tx: Tx, actor: Actor, other_id: UUID) -> None:
    """Follow somebody no more, or withdraw the request; the other one is not told."""
    pair = await access.pair_to_follow(tx, actor, other_id)
    await _leave(tx, actor.id, pair.other.user_id)
    if pair.standing.is_waiting:
        await tx.announce(FollowAskedNoMore(actor.id, pair.other.user_id))


async def _leave(tx: Tx, user_id: UserId, other_id: UserId) -> None:
    if await queries.unfollow(tx, user_id, other_id):
        tx.emit(user_room(user_id), Unfollowed(user_id=other_id))
        tx.count(FOLLOWERS, other_id)
        await tx.announce(FollowEnded(user_id, other_id))


async def accept_request(tx: Tx, actor: Actor, request_id: UUID) -> None:
    """Let somebody who asked follow."""
    _, requester = await access.request_to_answer(tx, actor, request_id)
    await queries.follow(tx, requester.id, actor.id)
    await _tell_accepted(tx, actor.id, [requester])


async def decline_request(tx: Tx, actor: Actor, request_id: UUID) -> None:
    """Let somebody who asked not follow; they are not told, and may ask again."""
    _, requester = await access.request_to_answer(tx, actor, request_id)
    await tx.announce(FollowAskedNoMore(requester.id, actor.id))


async def block_person(tx: Tx, actor: Actor, username: str) -> None:
    """See and be seen by somebody no more; follows and requests between the two end, untold to the other.

    Who is blocked may block in turn, and is not thereby told anything: that a username is taken is no
    secret, sign-up tells it.
    """
    pair = await access.pair_to_change(tx, actor, await access.id_of(tx, username))
    other_id = pair.other.user_id
    if await queries.others_blocked(tx, actor.id, other_id) >= MOST_BLOCKED:
        raise TooManyBlocked
    await queries.block(tx, actor.id, other_id)
    _tell_hidden(tx, pair)
    await _leave(tx, actor.id, other_id)
    if await queries.unfollow(tx, other_id, actor.id):
        tx.count(FOLLOWERS, actor.id)
    await tx.announce(Blocked(actor.id, other_id))


async def unblock_person(tx: Tx, actor: Actor, username: str) -> None:
    """End one's own block; what it ended stays ended."""
    pair = await access.pair_to_change(tx, actor, await access.id_of(tx, username))
    await queries.unblock(tx, actor.id, pair.other.user_id)
    _tell_hidden(tx, pair)


def _tell_hidden(tx: Tx, pair: Pair) -> None:
    """Whom each of the two sees in live rooms is to be looked at anew."""
    for one in (pair.own, pair.other):
        tx.review(user_room(one.user_id))


async def set_privacy(tx: Tx, actor: Actor, *, is_private: bool) -> Me:
    """Close an account, or open it, which lets everybody who waits follow."""
    waiting = [] if is_private else await queries.requesters_of(tx, actor.id)
    profiles = await queries.lock_people(tx, [actor.id, *waiting])
    if profiles[actor.id].is_private != is_private:
        await queries.set_private(tx, actor.id, is_private=is_private)
        if not is_private:
            # Who asked between our look and our lock is accepted, too. Their row is locked out of order
            # then: should two such meet, the database ends one and it is run anew.
            accepted = await queries.follow_all_waiting(tx, actor.id)
            await _tell_accepted(tx, actor.id, accepted)
        await tx.announce(PrivacyChanged(actor.id, is_private))
    return await list_queries.me(tx, actor.id)


def _tell_followed(tx: Tx, follower: Account, followee_id: UserId) -> None:
    told = NewFollower(user_id=follower.id, username=follower.username, display_name=follower.display_name)
    tx.emit(user_room(followee_id), told)
    tx.count(FOLLOWERS, followee_id)


async def _tell_accepted(tx: Tx, owner_id: UserId, requesters: list[Account]) -> None:
    if not requesters:
        return
    for requester in requesters:
        _tell_followed(tx, requester, owner_id)
    owner = (await accounts_of(tx, [owner_id]))[0]
    accepted = FollowRequestAccepted(
        user_id=owner.id, username=owner.username, display_name=owner.display_name
    )
    for requester in requesters:
        tx.emit(user_room(requester.id), accepted)
    await tx.announce(FollowsAccepted([requester.id for requester in requesters], owner_id))
