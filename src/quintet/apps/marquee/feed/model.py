"""The words of the feed."""

from typing import Literal, NewType
from uuid import UUID

import msgspec

from quintet.apps.marquee.media.model import Media
from quintet.apps.marquee.rankings.model import RankingId, Tier
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event

ActivityId = NewType("ActivityId", UUID)
Kind = Literal["ranked", "moved", "noted"]


class FeedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that somebody did; `from_tier` only of moves, `note` only where there is one."""

    id: ActivityId
    kind: Kind
    user: Account
    ranking_id: RankingId
    media: Media
    tier: Tier
    count: int
    at: Instant
    from_tier: Tier | None = None
    note: str | None = None


class FeedItemTold(Event, frozen=True, kw_only=True, tag="feed_item"):
    """Somebody whom one follows did something, or went on with what an item of the same id told already."""

    item: FeedItem


class Noted(msgspec.Struct, frozen=True):
    """What was just noted, as it stands with what it was folded into."""

    id: ActivityId
    from_tier: Tier | None
    count: int
    at: Instant
    user_id: UserId
    username: str
    display_name: str


class Told(msgspec.Struct, frozen=True):
    """A row of a feed; without an item where its title is no film or play any more."""

    id: ActivityId
    at: Instant
    item: FeedItem | None


# Where a page goes on: a time and an id; or it begins.
Behind = tuple[str, str] | tuple[None, None]
