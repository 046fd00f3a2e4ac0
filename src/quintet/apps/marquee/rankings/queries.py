"""The statements about one ranking: placing, moving, noting, removing.

Where a ranking stands is found, locked and written by `marquee.place_ranking`, in one journey.
"""

from typing import Any
from uuid import UUID

from quintet.apps.marquee.media.model import Media
from quintet.apps.marquee.rankings.model import Change, Place, Ranking, RankingId, Removed, Tier
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def place_media(
    tx: Tx, user_id: UserId, media_id: WorkId, tier: Tier, place: Place, new_id: RankingId, note: str | None
) -> Change:
    """Rank a title at a place, or say why not; where it is ranked already, the change shows that ranking."""
    return await tx.one(
        _change,
        """
        select c.outcome, c.from_tier, c.rebalanced, p.above_id, p.below_id,
               exists (select from social.following f where f.followee_id = $1), p.id, p.tier, p.rank,
               p.position_key, p.score, p.note, p.created_at, p.updated_at, (p.media).*
        from marquee.place_ranking($1, $2, null, $3, $4, $5, $6, $7, $8, $9) c
        left join lateral marquee.placed_ranking(c.ranking_id) p on true
        """,
        user_id,
        media_id,
        tier,
        place.after_id,
        place.before_id,
        place.rank,
        new_id,
        note,
        tx.now,
    )


async def move_ranking(tx: Tx, user_id: UserId, ranking_id: UUID, tier: Tier | None, place: Place) -> Change:
    """Move somebody's ranking to a place, or say why not; without a tier in its own."""
    return await tx.one(
        _change,
        """
        select c.outcome, c.from_tier, c.rebalanced, p.above_id, p.below_id,
               exists (select from social.following f where f.followee_id = $1), p.id, p.tier, p.rank,
               p.position_key, p.score, p.note, p.created_at, p.updated_at, (p.media).*
        from marquee.place_ranking($1, null, $2, $3, $4, $5, $6, null, null, $7) c
        left join lateral marquee.placed_ranking(c.ranking_id) p on true
        """,
        user_id,
        ranking_id,
        tier,
        place.after_id,
        place.before_id,
        place.rank,
        tx.now,
    )


async def ranking(tx: Tx, user_id: UserId, ranking_id: UUID) -> Ranking | None:
    """Somebody's ranking as it stands."""
    return await tx.maybe(
        shown,
        """
        select p.id, p.tier, p.rank, p.position_key, p.score, p.note, p.created_at, p.updated_at, (p.media).*
        from marquee.user_rankings r, marquee.placed_ranking(r.id) p
        where r.id = $1 and r.user_id = $2
        """,
        ranking_id,
        user_id,
    )


async def ranking_locked(tx: Tx, user_id: UserId, ranking_id: UUID) -> Ranking | None:
    """The same, and nobody else changes it until the transaction ends."""
    return await tx.maybe(
        shown,
        """
        select p.id, p.tier, p.rank, p.position_key, p.score, p.note, p.created_at, p.updated_at, (p.media).*
        from (
            select id from marquee.user_rankings where id = $1 and user_id = $2 for no key update
        ) r, marquee.placed_ranking(r.id) p
        """,
        ranking_id,
        user_id,
    )


async def write_note(tx: Tx, ranking_id: RankingId, note: str | None) -> None:
    """Write a ranking's note."""
    await tx.send(
        "update marquee.user_rankings set note = $2, updated_at = $3 where id = $1", ranking_id, note, tx.now
    )


async def remove_ranking(tx: Tx, user_id: UserId, ranking_id: UUID) -> Removed | None:
    """Remove somebody's ranking; what it was."""
    return await tx.maybe(
        Removed, "select id, media_id, tier from marquee.remove_ranking($1, $2)", user_id, ranking_id
    )


async def band(tx: Tx, tier: Tier) -> tuple[float, float]:
    """The scores of a tier: from the first up to the second."""
    return await tx.one(
        lambda lo, hi: (lo, hi), "select lo, hi from marquee.tier_bands where tier = $1", tier
    )


def _change(
    outcome: str,
    from_tier: Tier | None,
    rebalanced: int | None,
    above_id: RankingId | None,
    below_id: RankingId | None,
    is_followed: bool,
    *ranking: Any,
) -> Change:
    shown_ = shown(*ranking) if ranking[0] else None
    return Change(outcome, from_tier, rebalanced, above_id, below_id, is_followed, shown_)


def shown(
    id_: RankingId,
    tier: Tier,
    rank: int,
    position_key: str,
    score: float,
    note: str | None,
    created_at: Instant,
    updated_at: Instant,
    *media: Any,
) -> Ranking:
    """A ranking from its columns, those of its title last."""
    return Ranking(id_, tier, rank, position_key, score, note, Media(*media), created_at, updated_at)
