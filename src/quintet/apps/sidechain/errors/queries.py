"""Error tracking's statements that write.

Invariant: whoever records holds the reporter's row first, so what `record` sees of that user's rows is what
is there; groups are written in the order of their ids.
"""

import msgspec

from quintet.apps.sidechain.errors.merging import Report
from quintet.apps.sidechain.errors.model import ErrorGroupId, ErrorId
from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


class Opened(msgspec.Struct, frozen=True):
    """How many rows a batch has opened, and how many that user has today."""

    rows: int
    today: int


async def lock_reporter(tx: Tx, user_id: UserId) -> None:
    """Have this user's batches, on whatever node, come one after the other."""
    await tx.send(
        """
        insert into sidechain.error_reporters as r (user_id, day) values ($1, ($2::timestamptz)::date)
        on conflict (user_id) do update
        set day = greatest(r.day, excluded.day),
            opened = case when r.day < excluded.day then 0 else r.opened end
        """,
        user_id,
        tx.now,
    )


async def record(tx: Tx, user_id: UserId, reports: list[Report]) -> Opened:
    """Add each report to the row it belongs to, or open one; count hours, groups and people.

    What is resolved and comes back is reopened: the row itself, or the new row that goes on where the user's
    last one, or the group, was resolved.
    """
    return await tx.one(
        Opened,
        """
        with given as (
            select *
            from json_to_recordset($3::json) as g(
                id uuid, group_id uuid, fingerprint uuid, source text, severity text, message text,
                shown text, pattern text, release text, context json, samples json[], occurrences bigint
            )
        ), known as (
            select g.*, e.id as row_id,
                   coalesce(e.last_seen >= $2::timestamptz - interval '1 hour', false) as is_going_on,
                   e.resolved_at is not null or grouped.resolved_at is not null as was_resolved
            from given g
            left join sidechain.error_groups grouped on grouped.id = g.group_id
            left join lateral (
                select id, last_seen, resolved_at
                from sidechain.errors
                where user_id = $1 and group_id = g.group_id
                order by first_seen desc limit 1
            ) e on true
        ), merged as (
            update sidechain.errors e
            set occurrences = e.occurrences + k.occurrences,
                last_seen = greatest(e.last_seen, $2),
                context = k.context,
                samples = case when e.sampled < 5 then (e.samples || k.samples)[1:5] else e.samples end,
                sampled = least(5, e.sampled + cardinality(k.samples)),
                reopened_at = case when e.resolved_at is null then e.reopened_at else $2 end,
                resolved_at = null,
                resolved_by = null
            from known k
            where k.is_going_on and e.id = k.row_id
            returning e.id, k.group_id, k.occurrences
        ), opened as (
            insert into sidechain.errors (id, user_id, group_id, source, severity, context, samples,
                                          sampled, occurrences, first_seen, last_seen, reopened_at)
            select id, $1, group_id, source, severity, context, samples,
                   cardinality(samples), occurrences, $2, $2,
                   case when was_resolved then $2 end
            from known where not is_going_on
            returning id, group_id, occurrences
        ), worded as (
            insert into sidechain.error_messages (error_id, message)
            select id, message from known where not is_going_on
        ), counted as (
            insert into sidechain.error_hours as h (error_id, hour, group_id, occurrences)
            select id, date_trunc('hour', $2), group_id, occurrences
            from (table merged union all table opened) recorded
            on conflict (error_id, hour) do update set occurrences = h.occurrences + excluded.occurrences
        ), met as (
            insert into sidechain.error_group_users (group_id, user_id)
            select group_id, $1 from known where row_id is null
            on conflict do nothing
            returning group_id
        ), grouped as (
            insert into sidechain.error_groups as g (id, fingerprint, source, severity, message, pattern,
                                                     users, occurrences, first_seen, last_seen, first_release)
            select k.group_id, fingerprint, source, severity, shown, pattern, count(met.group_id),
                   occurrences, $2, $2, release
            from known k left join met on met.group_id = k.group_id
            group by k.group_id, fingerprint, source, severity, shown, pattern, occurrences, release
            order by k.group_id
            on conflict (id) do update
            set users = g.users + excluded.users,
                occurrences = g.occurrences + excluded.occurrences,
                last_seen = greatest(g.last_seen, excluded.last_seen),
                reopened_at = case when g.resolved_at is null then g.reopened_at else excluded.last_seen end,
                resolved_at = null,
                resolved_by = null
        )
        update sidechain.error_reporters
        set opened = opened + (select count(*) from opened)
        where user_id = $1
        returning (select count(*) from opened), opened
        """,
        user_id,
        tx.now,
        json.encode(reports).decode(),
    )


async def set_error_resolved(tx: Tx, error_id: ErrorId, by: UserId, *, is_resolved: bool) -> None:
    """Resolve a row, or reopen it; what is so already stays as it is."""
    await tx.send(
        """
        update sidechain.errors
        set resolved_at = case when $2 then $4::timestamptz end,
            resolved_by = case when $2 then $3::uuid end,
            reopened_at = case when $2 then reopened_at else $4::timestamptz end
        where id = $1 and (resolved_at is not null) <> $2
        """,
        error_id,
        is_resolved,
        by,
        tx.now,
    )


async def set_group_resolved(tx: Tx, group_id: ErrorGroupId, by: UserId, *, is_resolved: bool) -> None:
    """Resolve a group, or reopen it; what is so already stays as it is."""
    await tx.send(
        """
        update sidechain.error_groups
        set resolved_at = case when $2 then $4::timestamptz end,
            resolved_by = case when $2 then $3::uuid end,
            reopened_at = case when $2 then reopened_at else $4::timestamptz end
        where id = $1 and (resolved_at is not null) <> $2
        """,
        group_id,
        is_resolved,
        by,
        tx.now,
    )


async def note_releases(tx: Tx, user_id: UserId, releases: list[str], most: int) -> None:
    """Write down which releases a user's reports name, and once a day that they still do; `most` or so."""
    await tx.send(
        """
        insert into sidechain.error_releases as r (user_id, release, first_seen, last_seen)
        select $1, named, $2::timestamptz, $2
        from json_array_elements_text($3::json) as named
        where (select count(*) from sidechain.error_releases where user_id = $1) < $4
        on conflict (user_id, release) do update
        set last_seen = excluded.last_seen
        where r.last_seen < excluded.last_seen - interval '1 day'
        """,
        user_id,
        tx.now,
        json.encode(releases).decode(),
        most,
    )
