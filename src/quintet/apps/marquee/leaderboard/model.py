"""The words of the leaderboard."""

from datetime import date
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from quintet.apps.marquee.media.model import Media, MediaType
from quintet.domains.accounts import Account

Of = Literal["media", "users"]
Period = Literal["week", "month", "all"]
Scope = Literal["everyone", "following"]
# The subject that every write of a ranking touches, so that hot leaderboards are never older than it.
LEADERBOARD: Final = "leaderboard"


class Wanted(msgspec.Struct, frozen=True):
    """Which leaderboard is asked for."""

    of: Of
    media_type: MediaType | None
    genre: str | None
    period: Period
    scope: Scope


class Days(msgspec.Struct, frozen=True):
    """The UTC days that count, the first and the last; none where all of time does."""

    first: date | None = None
    last: date | None = None


class Place(msgspec.Struct, frozen=True):
    """A title with its Bayesian mean and how many ranked it; or a person with how many titles they ranked."""

    score: float
    count: int
    media: Media | UnsetType = UNSET
    user: Account | UnsetType = UNSET


class Prior(msgspec.Struct, frozen=True):
    """The constants of the Bayesian mean: as if `m` more people had given every title `c`."""

    m: float
    c: float


class Leaderboard(msgspec.Struct, frozen=True):
    """One page of a leaderboard."""

    items: list[Place]
    next_cursor: str | None
    prior: Prior


# Where a page goes on: a score, a count and an id; or it begins.
Behind = tuple[float, int, str] | tuple[None, None, None]
