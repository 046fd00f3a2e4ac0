"""From a caller's names and ids to people and requests: unknown and hidden people look alike.

Invariant: whoever comes out of here to be followed or left is locked together with the caller, so what stands
between the two stays as it was read until the transaction ends.
"""

from uuid import UUID

import msgspec

from quintet.domains.accounts import Account, account_named
from quintet.domains.social import queries
from quintet.domains.social.model import (
    FollowRequestId,
    FollowRequestNotFound,
    Oneself,
    PersonNotFound,
    Profile,
    Standing,
)
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx


class Pair(msgspec.Struct, frozen=True):
    """The caller and somebody else, both locked, and what stands between them."""

    own: Profile
    other: Profile
    standing: Standing


async def pair_to_change(tx: Tx, actor: Actor, other_id: UUID) -> Pair:
    """Caller and the other, who may have blocked or be blocked; raises Oneself or PersonNotFound."""
    other = UserId(other_id)
    if other == actor.id:
        raise Oneself
    profiles = await queries.lock_people(tx, [actor.id, other])
    if other not in profiles:
        raise PersonNotFound
    standing = await queries.standing(tx, actor.id, other)
    return Pair(profiles[actor.id], profiles[other], standing)


async def pair_to_follow(tx: Tx, actor: Actor, other_id: UUID) -> Pair:
    """The same, where neither has blocked the other; raises Oneself or PersonNotFound."""
    pair = await pair_to_change(tx, actor, other_id)
    if pair.standing.is_blocked:
        raise PersonNotFound
    return pair


async def id_of(tx: Tx, username: str) -> UserId:
    """Whose username this is; raises PersonNotFound."""
    account = await account_named(tx, username)
    if account is None:
        raise PersonNotFound
    return account.id


async def request_to_answer(tx: Tx, actor: Actor, request_id: UUID) -> tuple[FollowRequestId, Account]:
    """A request made of the caller, locked with its author; raises FollowRequestNotFound."""
    found = FollowRequestId(request_id)
    requester = await queries.requester_of(tx, found, actor.id)
    if requester is None:
        raise FollowRequestNotFound
    await queries.lock_people(tx, [actor.id, requester.id])
    if not await queries.end_request(tx, found):  # answered or withdrawn while we waited
        raise FollowRequestNotFound
    return found, requester
