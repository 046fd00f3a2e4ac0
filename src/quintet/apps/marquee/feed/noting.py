"""Noting what somebody does, in the transaction of the doing; the rankings call this.

Invariant: each is one statement that nobody waits for; whoever calls holds the ranking, so of two moves at
once the second one sees the first.
"""

from quintet.apps.marquee.feed import queries
from quintet.apps.marquee.feed.model import ActivityId
from quintet.apps.marquee.rankings.model import RankingId, Tier
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id


async def note_ranked(tx: Tx, user_id: UserId, ranking_id: RankingId, tier: Tier) -> None:
    """Somebody ranked a title."""
    await queries.add_ranked(tx, ActivityId(new_id()), user_id, ranking_id, tier)


async def note_moved(tx: Tx, user_id: UserId, ranking_id: RankingId, from_tier: Tier, tier: Tier) -> None:
    """Somebody moved a ranking; within 30 minutes of its last move that is one deed with it."""
    await queries.fold_moved(tx, ActivityId(new_id()), user_id, ranking_id, from_tier, tier)


async def note_noted(tx: Tx, user_id: UserId, ranking_id: RankingId, tier: Tier, note: str | None) -> None:
    """Somebody wrote a note on a ranking, or emptied it, of which nothing is told."""
    if note is None:
        await queries.remove_noted(tx, ranking_id)
    else:
        await queries.fold_noted(tx, ActivityId(new_id()), user_id, ranking_id, tier)
