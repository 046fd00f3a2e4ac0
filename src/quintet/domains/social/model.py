"""The words of following: what stands between two people, what is told of it, and what can be refused.

Invariant: nothing here tells anybody that somebody blocked, left or declined them.
"""

from typing import ClassVar, Final, Literal, NewType
from uuid import UUID

import msgspec

from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound, Unprocessable

FollowRequestId = NewType("FollowRequestId", UUID)
# A feed looks at everybody one follows: ten thousand is more than anybody reads, and still a bounded look.
MOST_FOLLOWED: Final = 10_000
MOST_BLOCKED: Final = 10_000
# Opening an account accepts whoever waits, in one transaction, which must stay short.
MOST_WAITING: Final = 1_000


class Profile(msgspec.Struct, frozen=True):
    """What this domain keeps of a person."""

    user_id: UserId
    is_private: bool
    followers: int
    following: int


class Standing(msgspec.Struct, frozen=True):
    """What stands between one person and another, as the first one's doing; a block counts from either."""

    is_blocked: bool
    is_following: bool
    is_waiting: bool


class Me(msgspec.Struct, frozen=True):
    """One's own account among others; `requests` wait for one's answer."""

    private: bool
    followers: int
    following: int
    requests: int


class MeChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of it."""

    server_owned: ClassVar[frozenset[str]] = frozenset({"followers", "following", "requests"})

    private: bool


class Followed(msgspec.Struct, frozen=True):
    """The answer to a follow: done, or waiting for the other's consent."""

    status: Literal["following", "requested"]


class Acquaintance(msgspec.Struct, frozen=True):
    """Somebody in a list of people, and since when."""

    user: Account
    since: Instant


class FollowRequest(msgspec.Struct, frozen=True):
    """Somebody who asks to follow."""

    id: FollowRequestId
    user: Account
    asked_at: Instant


class Oneself(Unprocessable):
    """Nobody follows or blocks themselves."""


class PersonNotFound(NotFound):
    """There is no such person."""

    code = "not_found"


class FollowRequestNotFound(NotFound):
    """You have no such request to answer."""

    code = "not_found"


class TooManyFollowed(Conflict):
    """You follow 10,000 people, those included who have not answered yet: leave somebody first."""


class TooManyBlocked(Conflict):
    """You block 10,000 people: let somebody go first."""


class TooManyWaiting(Conflict):
    """A thousand people wait for this account's answer already: try again later."""


class PrivacyChanged(msgspec.Struct, frozen=True):
    """Announced: an account became private, or stopped being so. Its row in `social.profiles` is locked."""

    user_id: UserId
    is_private: bool


class FollowBegan(msgspec.Struct, frozen=True):
    """Announced: one follows the other of their own accord; whom a request let in is not announced here."""

    follower_id: UserId
    followee_id: UserId


class FollowEnded(msgspec.Struct, frozen=True):
    """Announced: one follows the other no more; which the other is not to hear of."""

    follower_id: UserId
    followee_id: UserId


class FollowAsked(msgspec.Struct, frozen=True):
    """Announced: one asks the other to let them follow."""

    requester_id: UserId
    owner_id: UserId


class FollowAskedNoMore(msgspec.Struct, frozen=True):
    """Announced: a request was withdrawn or declined; which the other one is not to hear of."""

    requester_id: UserId
    owner_id: UserId


class FollowsAccepted(msgspec.Struct, frozen=True):
    """Announced: the owner let these follow who had asked."""

    requester_ids: list[UserId]
    owner_id: UserId


class Blocked(msgspec.Struct, frozen=True):
    """Announced: one blocked the other; neither is to see what the other did any more."""

    blocker_id: UserId
    blocked_id: UserId


class NewFollower(Event, frozen=True):
    """Told to the one who is followed now."""

    doubled = True

    user_id: UserId
    username: str
    display_name: str


class FollowRequestAccepted(Event, frozen=True):
    """Told to the one who follows now: the person named was asked, and let them."""

    doubled = True

    user_id: UserId
    username: str
    display_name: str


class FollowRequested(Event, frozen=True):
    """Told to the owner of a private account: somebody asks to follow."""

    request_id: FollowRequestId
    user_id: UserId
    username: str
    display_name: str


class Unfollowed(Event, frozen=True):
    """Told to the one who left, for their other tabs; the one who was left never hears of it."""

    doubled = True

    user_id: UserId
