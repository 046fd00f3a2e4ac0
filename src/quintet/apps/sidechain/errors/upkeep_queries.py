"""Error tracking's statements that remove what is old.

Invariant: each takes a bounded part, and passes over what somebody else holds just now.
"""

from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def remove_old_errors(tx: Tx, before: Instant, most: int) -> int:
    """Remove rows last seen before then, with their hours and words; how many."""
    return await tx.run(
        """
        with due as materialized (
            select id from sidechain.errors
            where last_seen < $1 order by last_seen limit $2 for update skip locked
        )
        delete from sidechain.errors
        where id in (select id from due)
        """,
        before,
        most,
    )


async def remove_old_hours(tx: Tx, before: Instant, most: int) -> int:
    """Remove the oldest hours of rows that go on and on; how many."""
    return await tx.run(
        """
        with due as materialized (
            select error_id, hour from sidechain.error_hours where hour < $1 limit $2 for update skip locked
        )
        delete from sidechain.error_hours
        where (error_id, hour) in (select error_id, hour from due)
        """,
        before,
        most,
    )


async def remove_old_groups(tx: Tx, before: Instant, most: int) -> int:
    """Remove groups last seen before then of which no row is left; how many."""
    return await tx.run(
        """
        with due as materialized (
            select id from sidechain.error_groups g
            where last_seen < $1 and not exists (select from sidechain.errors where group_id = g.id)
            order by last_seen limit $2 for update skip locked
        )
        delete from sidechain.error_groups
        where id in (select id from due)
        """,
        before,
        most,
    )


async def remove_old_releases(tx: Tx, before: Instant, most: int) -> int:
    """Remove releases that nobody has named since then, nor for a day after; how many."""
    return await tx.run(
        """
        with due as materialized (
            select user_id, release from sidechain.error_releases
            where last_seen < $1::timestamptz - interval '1 day' limit $2 for update skip locked
        )
        delete from sidechain.error_releases
        where (user_id, release) in (select user_id, release from due)
        """,
        before,
        most,
    )


async def remove_idle_reporters(tx: Tx, before: Instant, most: int) -> int:
    """Remove the counts of earlier days; how many."""
    return await tx.run(
        """
        with due as materialized (
            select user_id from sidechain.error_reporters where day < ($1::timestamptz)::date
            limit $2 for update skip locked
        )
        delete from sidechain.error_reporters
        where user_id in (select user_id from due)
        """,
        before,
        most,
    )
