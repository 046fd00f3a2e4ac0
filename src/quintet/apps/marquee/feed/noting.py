"""Noting what somebody does, in the transaction of the doing; the rankings call this.

Invariant: whoever calls holds the ranking, so of two moves at once the second one sees the first. Where
somebody follows, what is noted is on its way into their live feeds, as the very item that reading the feed
gives; where nobody does, nobody waits for the writing.
"""

from quintet.apps.marquee.feed import note_queries as queries
from quintet.apps.marquee.feed.model import ActivityId, FeedItem, FeedItemTold, Kind, Noted
from quintet.apps.marquee.rankings.model import Ranking, Tier
from quintet.domains.accounts import Account
from quintet.domains.social import tell_followers
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id


async def note_ranked(tx: Tx, user_id: UserId, ranking: Ranking, *, is_followed: bool) -> None:
    """Somebody, whom others follow or do not, ranked a title."""
    noted = await queries.add_ranked(
        tx, ActivityId(new_id()), user_id, ranking.id, ranking.tier, is_followed=is_followed
    )
    await _tell(tx, "ranked", noted, ranking)


async def note_moved(
    tx: Tx, user_id: UserId, ranking: Ranking, from_tier: Tier, *, is_followed: bool
) -> None:
    """Somebody moved a ranking; within 30 minutes of its last move that is one deed with it."""
    activity_id = ActivityId(new_id())
    noted = await queries.fold_moved(
        tx, activity_id, user_id, ranking.id, from_tier, ranking.tier, is_followed=is_followed
    )
    await _tell(tx, "moved", noted, ranking)


async def note_noted(tx: Tx, user_id: UserId, ranking: Ranking) -> None:
    """Somebody wrote a note on a ranking, or emptied it, of which nothing is told."""
    if ranking.note is None:
        await queries.remove_noted(tx, ranking.id)
        return
    noted = await queries.fold_noted(tx, ActivityId(new_id()), user_id, ranking.id, ranking.tier)
    await _tell(tx, "noted", noted, ranking)


async def _tell(tx: Tx, kind: Kind, noted: Noted | None, ranking: Ranking) -> None:
    """Tell the followers, where there are any."""
    if noted is None:
        return
    user = Account(noted.user_id, noted.username, noted.display_name)
    item = FeedItem(
        noted.id, kind, user, ranking.id, ranking.media, ranking.tier, noted.count, noted.at,
        noted.from_tier, ranking.note,
    )  # fmt: skip
    await tell_followers(tx, user.id, FeedItemTold(item=item))
