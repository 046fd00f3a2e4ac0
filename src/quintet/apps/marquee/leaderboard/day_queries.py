"""The statements that keep the counters in step; all other counting is done by triggers.

Invariant: whatever is removed here answers no question any more.
"""

from datetime import date

from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


async def set_private(tx: Tx, user_id: UserId, *, is_private: bool) -> None:
    """Take somebody's rankings out of what everybody sees, or put them in."""
    await tx.send("select marquee.set_private($1, $2)", user_id, is_private)


async def remove_media_days(tx: Tx, before: date, most: int) -> int:
    """Remove titles' counters of earlier days; how many."""
    return await tx.run(
        """
        delete from marquee.media_days where (day, media_id) in (
            select day, media_id from marquee.media_days where day < $1 order by day, media_id limit $2
        )
        """,
        before,
        most,
    )


async def remove_ranker_days(tx: Tx, before: date, most: int) -> int:
    """Remove people's counters of earlier days; how many."""
    return await tx.run(
        """
        delete from marquee.ranker_days where (day, user_id) in (
            select day, user_id from marquee.ranker_days where day < $1 order by day, user_id limit $2
        )
        """,
        before,
        most,
    )
