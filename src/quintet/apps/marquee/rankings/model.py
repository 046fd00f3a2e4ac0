"""The words of rankings: what is ranked, what a caller asks for, what is told, and what can be refused.

Scores are never rounded; ranks count from 1 within a tier; `position_key` is a fractional index whose byte
order is the order of the tier.
"""

from typing import Annotated, ClassVar, Literal, NewType
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from quintet.apps.marquee.media.model import Media
from quintet.domains.catalogue import WorkId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound, Unprocessable

RankingId = NewType("RankingId", UUID)
Tier = Literal["S", "A", "B", "C", "D"]
TIERS: tuple[Tier, ...] = ("S", "A", "B", "C", "D")
MOST_TITLES = 10_000  # in a tier; the database counts them

Note = Annotated[str, Meta(max_length=5000)]
Rank = Annotated[int, Meta(ge=1)]


class Ranking(msgspec.Struct, frozen=True):
    """A title in somebody's tier."""

    id: RankingId
    tier: Tier
    rank: int
    position_key: str
    score: float
    note: str | None
    media: Media
    created_at: Instant
    updated_at: Instant


class Rankings(msgspec.Struct, frozen=True):
    """A part of somebody's list: tier by tier, best first."""

    items: list[Ranking]
    limit: int
    offset: int
    total: int


class NewRanking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A title to be ranked; the older front end's names for its fields are understood, too."""

    media_id: Annotated[str, Meta(max_length=128)]
    tier: Tier
    before_id: UUID | None = None
    after_id: UUID | None = None
    rank: Rank | None = None
    note: Note | None = None
    prev_ranking_id: UUID | None = None
    next_ranking_id: UUID | None = None
    notes: Note | None = None


class RankingMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a ranking is to stand: without a tier in its own, without a place at the end."""

    server_owned: ClassVar[frozenset[str]] = frozenset(
        {"id", "position_key", "score", "media", "created_at", "updated_at"}
    )

    tier: Tier | None = None
    before_id: UUID | None = None
    after_id: UUID | None = None
    rank: Rank | None = None
    prev_ranking_id: UUID | None = None
    next_ranking_id: UUID | None = None


class NoteChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be noted on a ranking; null takes the note away. `notes` is an older front end's name."""

    # Where a ranking stands is changed at `/move`; here it comes along when a whole ranking is sent back.
    server_owned: ClassVar[frozenset[str]] = frozenset(
        {"id", "tier", "rank", "position_key", "score", "media", "created_at", "updated_at"}
    )

    note: Note | UnsetType | None = UNSET
    notes: Note | UnsetType | None = UNSET


class Compared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer: whether the new title is the better of the two."""

    ranking_id: UUID
    better: bool


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A title that looks for its place in a tier, and the answers given so far."""

    media_id: Annotated[str, Meta(max_length=128)]
    tier: Tier
    answers: Annotated[list[Compared], Meta(max_length=100)] = []


class NextComparison(msgspec.Struct, frozen=True):
    """Which of the two is better? Or, once that is `done`, the place: before `before_id`, or null, the end.

    `asked` questions were answered, of `at_most`.
    """

    done: bool
    compare_with: Ranking | UnsetType = UNSET
    asked: int | UnsetType = UNSET
    at_most: int | UnsetType = UNSET
    rank: int | UnsetType = UNSET
    before_id: RankingId | UnsetType | None = UNSET


class Place(msgspec.Struct, frozen=True):
    """A place in a tier: directly below `after_id`, directly above `before_id`, at `rank`, or at the end.

    Both neighbours together name one gap.
    """

    after_id: UUID | None = None
    before_id: UUID | None = None
    rank: int | None = None


class Change(msgspec.Struct, frozen=True):
    """What became of an insertion or a move, as the database says it."""

    outcome: str
    from_tier: Tier | None
    rebalanced: int | None
    above_id: RankingId | None
    below_id: RankingId | None
    is_followed: bool  # whether anybody follows whose list it is
    ranking: Ranking | None


class Removed(msgspec.Struct, frozen=True):
    """What a ranking was."""

    id: RankingId
    media_id: WorkId
    tier: Tier


class RankingPlaced(Event, frozen=True, kw_only=True):
    """A title was ranked: it stands at `rank` now, between the rankings named."""

    ranking_id: RankingId
    tier: Tier
    rank: int
    position_key: str
    score: float
    after_id: RankingId | None
    before_id: RankingId | None
    note: str | None
    media: Media
    created_at: Instant
    updated_at: Instant


class RankingMoved(Event, frozen=True, kw_only=True):
    """A ranking left `from_tier` and stands at `rank` of `tier` now, between the rankings named."""

    ranking_id: RankingId
    media_id: WorkId
    from_tier: Tier
    tier: Tier
    rank: int
    position_key: str
    score: float
    after_id: RankingId | None
    before_id: RankingId | None
    updated_at: Instant


class RankingNoted(Event, frozen=True, kw_only=True):
    """A ranking's note changed."""

    ranking_id: RankingId
    media_id: WorkId
    note: str | None
    updated_at: Instant


class RankingRemoved(Event, frozen=True, kw_only=True):
    """A title is ranked no more."""

    ranking_id: RankingId
    media_id: WorkId
    tier: Tier


class TierRebalanced(Event, frozen=True, kw_only=True):
    """A tier's keys and scores were made anew, its order as before.

    Rank i of `titles` has the i-th of the keys a0, a1, … (`generateNKeysBetween(null, null, titles)`) and the
    score `hi - (hi - lo) * (i - 0.5) / titles`.
    """

    tier: Tier
    titles: int
    lo: float
    hi: float


class RankingNotFound(NotFound):
    """There is no such ranking."""

    code = "not_found"


class MediaNotFound(NotFound):
    """There is no such film or play."""

    code = "not_found"


class ListNotFound(NotFound):
    """There is no such list."""

    code = "not_found"


class OnePlace(Unprocessable):
    """Name one place: before_id, after_id or rank."""


class WrongNeighbour(Unprocessable):
    """The neighbour named stands in another tier, or on the wrong side."""


class AnswersContradict(Unprocessable):
    """The answers contradict each other."""


class AlreadyRanked(Conflict):
    """You have ranked this title already; see `ranking`."""


class NeighbourGone(Conflict):
    """The neighbour named has gone meanwhile: read the list again."""


class TierFull(Conflict):
    """A tier holds at most 10,000 titles."""
