"""The statements that note what somebody did.

Invariant: each answers the deed as it now stands where somebody follows its author; else nobody waits for it.
"""

from quintet.apps.marquee.feed.model import ActivityId, Noted
from quintet.apps.marquee.rankings.model import RankingId, Tier
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

_ADD_RANKED = """
    with deed as (
        insert into marquee.activities (id, user_id, kind, ranking_id, tier, at)
        values ($1, $2, 'ranked', $3, $4, $5)
        returning *
    )
    select deed.id, deed.from_tier, deed.count, deed.at, p.id, p.username, p.display_name
    from deed join accounts.people p on p.id = deed.user_id
"""


async def add_ranked(
    tx: Tx,
    activity_id: ActivityId,
    user_id: UserId,
    ranking_id: RankingId,
    tier: Tier,
    *,
    is_followed: bool,
) -> Noted | None:
    """Write that somebody ranked a title."""
    values = (activity_id, user_id, ranking_id, tier, tx.now)
    if is_followed:
        return await tx.one(Noted, _ADD_RANKED, *values)
    await tx.send(_ADD_RANKED, *values)
    return None


_FOLD_MOVED = """
    with folded as (
        update marquee.activities set tier = $5, count = count + 1, at = greatest(at, $6)
        where id = (
            select id from marquee.activities
            where ranking_id = $3 and kind = 'moved' and at >= $6::timestamptz - interval '30 minutes'
            order by at desc limit 1
        )
        returning *
    ), added as (
        insert into marquee.activities (id, user_id, kind, ranking_id, from_tier, tier, at)
        select $1, $2, 'moved', $3, $4, $5, $6 where not exists (select from folded)
        returning *
    )
    select deed.id, deed.from_tier, deed.count, deed.at, p.id, p.username, p.display_name
    from (select * from folded union all select * from added) deed
    join accounts.people p on p.id = deed.user_id
"""


async def fold_moved(
    tx: Tx,
    activity_id: ActivityId,
    user_id: UserId,
    ranking_id: RankingId,
    from_tier: Tier,
    tier: Tier,
    *,
    is_followed: bool,
) -> Noted | None:
    """Write a move: into the last one's row where that is at most 30 minutes old."""
    values = (activity_id, user_id, ranking_id, from_tier, tier, tx.now)
    if is_followed:
        return await tx.one(Noted, _FOLD_MOVED, *values)
    await tx.send(_FOLD_MOVED, *values)
    return None


async def fold_noted(
    tx: Tx, activity_id: ActivityId, user_id: UserId, ranking_id: RankingId, tier: Tier
) -> Noted:
    """Write that a note was written; there is one telling of a ranking's note, which moves up."""
    return await tx.one(
        Noted,
        """
        with deed as (
            insert into marquee.activities as told (id, user_id, kind, ranking_id, tier, at)
            values ($1, $2, 'noted', $3, $4, $5)
            on conflict (ranking_id) where kind = 'noted' do update
            set tier = excluded.tier, count = told.count + 1, at = greatest(told.at, excluded.at)
            returning *
        )
        select deed.id, deed.from_tier, deed.count, deed.at, p.id, p.username, p.display_name
        from deed join accounts.people p on p.id = deed.user_id
        """,
        activity_id,
        user_id,
        ranking_id,
        tier,
        tx.now,
    )


async def remove_noted(tx: Tx, ranking_id: RankingId) -> None:
    """Tell nothing of a note that is gone."""
    await tx.send("delete from marquee.activities where ranking_id = $1 and kind = 'noted'", ranking_id)
