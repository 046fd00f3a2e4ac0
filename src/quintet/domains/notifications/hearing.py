"""What following and blocking mean for notifications.

Invariant: nobody learns from here that somebody left, withdrew a request, or blocked them: what is taken back
then goes without a word.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from quintet.domains.notifications import queries
from quintet.domains.notifications.counting import UNREAD
from quintet.domains.notifications.notifying import notify, notify_many, withdraw, withdraw_kind
from quintet.domains.social import (
    Blocked,
    FollowAsked,
    FollowAskedNoMore,
    FollowBegan,
    FollowEnded,
    FollowsAccepted,
)
from quintet.kernel.database import Tx

FOLLOWER, ASKED, ACCEPTED = "new_follower", "follow_request", "follow_request_accepted"


async def _follow_began(tx: Tx, began: FollowBegan) -> None:
    await notify(tx, kind=FOLLOWER, user_id=began.followee_id, actor_id=began.follower_id)


async def _follow_ended(tx: Tx, ended: FollowEnded) -> None:
    follower_id, followee_id = ended.follower_id, ended.followee_id
    await withdraw(tx, kind=FOLLOWER, user_id=followee_id, actor_id=follower_id, is_told=False)
    await withdraw(tx, kind=ACCEPTED, user_id=follower_id, actor_id=followee_id)


async def _asked(tx: Tx, asked: FollowAsked) -> None:
    await notify(tx, kind=ASKED, user_id=asked.owner_id, actor_id=asked.requester_id)


async def _asked_no_more(tx: Tx, asked: FollowAskedNoMore) -> None:
    await withdraw(tx, kind=ASKED, user_id=asked.owner_id, actor_id=asked.requester_id, is_told=False)


async def _accepted(tx: Tx, accepted: FollowsAccepted) -> None:
    owner_id, requesters = accepted.owner_id, accepted.requester_ids
    if len(requesters) == 1:
        await withdraw(tx, kind=ASKED, user_id=owner_id, actor_id=requesters[0])
    else:  # the account was opened: nobody asks any more
        await withdraw_kind(tx, kind=ASKED, user_id=owner_id)
    await notify_many(tx, [(requester_id, owner_id) for requester_id in requesters], kind=ACCEPTED)


async def _blocked(tx: Tx, blocked: Blocked) -> None:
    await queries.part(tx, blocked.blocker_id, blocked.blocked_id)
    for user_id in (blocked.blocker_id, blocked.blocked_id):
        tx.count(UNREAD, user_id)


HEARS: Final[dict[type, Callable[[Tx, Any], Awaitable[None]]]] = {
    FollowBegan: _follow_began,
    FollowEnded: _follow_ended,
    FollowAsked: _asked,
    FollowAskedNoMore: _asked_no_more,
    FollowsAccepted: _accepted,
    Blocked: _blocked,
}
