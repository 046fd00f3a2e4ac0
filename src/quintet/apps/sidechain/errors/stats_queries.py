"""Error tracking's statements that count.

Invariant: all figures are of the occurrences recorded since the beginning of an hour. `last_seen` is one of a
row's occurrences, so the rows last seen since then are exactly those that have some.
"""

from typing import Literal

import msgspec

from quintet.apps.sidechain.errors.model import Severity, Source
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


class Fact(msgspec.Struct, frozen=True):
    """One figure: a cell (of a severity and a source), an hour, a message, or the users there are."""

    kind: Literal["cell", "hour", "message", "users"]
    severity: Severity | None
    source: Source | None
    message: str | None
    hour: Instant | None
    rows: int
    occurrences: int


async def own_facts(tx: Tx, user_id: UserId, since: Instant, most_messages: int) -> list[Fact]:
    """What one user's reports come to; messages in that user's own words."""
    return await tx.all(
        Fact,
        """
        with seen as materialized (
            select e.id, e.group_id, e.severity, e.source, e.last_seen, h.hour, h.occurrences
            from sidechain.errors e join sidechain.error_hours h on h.error_id = e.id
            where e.user_id = $1 and e.last_seen >= $2 and h.hour >= $2
        ), row_sums as materialized (
            select id, group_id, severity, source, last_seen, sum(occurrences) as occurrences
            from seen group by id, group_id, severity, source, last_seen
        )
        select 'cell', severity, source, null as message, null::timestamptz as hour, count(*),
               sum(occurrences)::bigint
        from row_sums group by severity, source
        union all
        select 'hour', null, null, null, hour, 0, sum(occurrences)::bigint from seen group by hour
        union all
        select 'message', null, null, message, null, 0, occurrences
        from (
            select (array_agg(m.message order by r.last_seen desc, r.id desc))[1] as message,
                   sum(r.occurrences)::bigint as occurrences
            from row_sums r
            join sidechain.error_messages m on m.error_id = r.id
            join sidechain.error_groups g on g.id = r.group_id
            group by g.fingerprint
            order by 2 desc, 1 limit $3
        ) top
        union all
        select 'users', null, null, null, null, count(*), 0 from (select from row_sums limit 1) anybody
        """,
        user_id,
        since,
        most_messages,
    )


async def all_facts(tx: Tx, since: Instant, most_messages: int) -> list[Fact]:
    """What everybody's reports come to."""
    return await tx.all(
        Fact,
        """
        with group_sums as materialized (
            select g.id, g.fingerprint, g.severity, g.source, g.message, h.occurrences
            from (
                select group_id, sum(occurrences)::bigint as occurrences
                from sidechain.error_hours where hour >= $1
                group by group_id
            ) h
            join sidechain.error_groups g on g.id = h.group_id
        ), rows_of_users as materialized (
            select user_id, severity, source, count(*) as rows
            from sidechain.errors where last_seen >= $1
            group by user_id, severity, source
        )
        select 'cell', severity, source, null as message, null::timestamptz as hour, rows, occurrences
        from (
            select severity, source, sum(rows)::bigint as rows from rows_of_users group by severity, source
        ) counted
        join (
            select severity, source, sum(occurrences)::bigint as occurrences
            from group_sums group by severity, source
        ) summed using (severity, source)
        union all
        select 'hour', null, null, null, hour, 0, sum(occurrences)::bigint
        from sidechain.error_hours where hour >= $1 group by hour
        union all
        select 'message', null, null, message, null, 0, occurrences
        from (
            select (array_agg(message order by occurrences desc, id))[1] as message,
                   sum(occurrences)::bigint as occurrences
            from group_sums
            group by fingerprint
            order by 2 desc, 1 limit $2
        ) top
        union all
        select 'users', null, null, null, null, count(*), 0
        from (select from rows_of_users group by user_id) everybody
        """,
        since,
        most_messages,
    )


async def own_new_since_release(tx: Tx, user_id: UserId) -> int | None:
    """How many groups one user met since naming the newest release first; None where none was named."""
    return await tx.value(
        """
        select (
            select count(*) from (
                select from sidechain.errors where user_id = $1
                group by group_id having min(first_seen) >= newest.first_seen
            ) met
        )
        from (
            select first_seen from sidechain.error_releases
            where user_id = $1 order by first_seen desc limit 1
        ) newest
        """,
        user_id,
    )


async def all_new_since_release(tx: Tx) -> int | None:
    """How many groups were first seen since the release that appeared last; None where none was named."""
    return await tx.value(
        """
        select (select count(*) from sidechain.error_groups where first_seen >= newest.first_seen)
        from (
            select min(first_seen) as first_seen from sidechain.error_releases
            group by release order by 1 desc limit 1
        ) newest
        """,
    )
