"""WIGG's statements about the time to good."""

from datetime import datetime
from typing import Any

import msgspec

from quintet.apps.wigg.model import Basis, PctInterval, T2g, T2gThen
from quintet.apps.wigg.time_to_good import Estimate
from quintet.domains.catalogue import Kind, WorkId
from quintet.kernel.database import Tx
from quintet.kernel.json import encode


class T2gRow(msgspec.Struct, frozen=True):
    """A title's time to good as last computed from its own curve, with what it takes to show it."""

    title_id: WorkId
    kind: Kind
    genres: list[str]
    total_length_seconds: float | None
    estimate: Estimate
    revision: int
    updated_at: datetime
    wiggs_count: int
    users_count: int
    room_seq: int
    estimates_seq: int


class OwnCurve(msgspec.Struct, frozen=True):
    """What the time to good is computed from: the grid of 20 segments, and which version of it."""

    title_id: WorkId
    version: int
    sums: list[int]
    voices: list[int]
    levels: list[int]
    users: int


class Fallback(msgspec.Struct, frozen=True):
    """The median estimate of other titles."""

    estimate_pct: float
    basis: Basis


def _t2g_row(*columns: Any) -> T2gRow:
    pct, steady, confidence, sample, segment_sample, low, high = columns[4:11]
    interval = None if low is None else PctInterval(low, high)
    estimate = Estimate(pct, steady, confidence, sample, segment_sample, interval)
    title_id, kind, genres, length = columns[:4]
    revision, updated_at, wiggs_count, users_count, room_seq, estimates_seq = columns[11:]
    return T2gRow(
        title_id, kind, genres, length, estimate, revision, updated_at, wiggs_count, users_count, room_seq,
        estimates_seq,
    )  # fmt: skip


async def t2g_of(tx: Tx, title_id: WorkId) -> T2gRow | None:
    """A title's time to good as last computed; None where there is no title."""
    return await tx.maybe(
        _t2g_row,
        """
        select id, kind, genres, total_length_seconds, estimate_pct, steady_from_pct, confidence, sample_size,
               segment_sample_size, interval_start_pct, interval_end_pct, revision, updated_at, wiggs_count,
               users_count, room_seq, estimates_seq
        from wigg.titles_told where id = $1
        """,
        title_id,
    )


async def t2g_of_all(tx: Tx, title_ids: list[WorkId]) -> list[T2gRow]:
    """The same of many titles, of those that exist; a plan made for many would be slow for one."""
    return await tx.all(
        _t2g_row,
        """
        select id, kind, genres, total_length_seconds, estimate_pct, steady_from_pct, confidence, sample_size,
               segment_sample_size, interval_start_pct, interval_end_pct, revision, updated_at, wiggs_count,
               users_count, room_seq, estimates_seq
        from wigg.titles_told where id = any($1)
        """,
        title_ids,
    )


async def fallback(tx: Tx, kind: Kind, genres: list[str]) -> Fallback | None:
    """The median community estimate: of the kind sharing a genre, else of the kind, else of all."""
    return await tx.maybe(
        Fallback,
        """
        with spoken as (
            select own.estimate_pct, t.kind = $1 as same_kind,
                   t.kind = $1 and t.genres && $2::text[] as same_genre
            from wigg.t2g own
            join catalogue.titles t on t.id = own.title_id
            where own.sample_size >= 3 and own.estimate_pct is not null
        )
        select estimate_pct, basis
        from (
            select percentile_cont(0.5) within group (order by estimate_pct) as estimate_pct,
                   'genre' as basis, 1 as place
            from spoken where same_genre
            union all
            select percentile_cont(0.5) within group (order by estimate_pct), 'kind', 2
            from spoken where same_kind
            union all
            select percentile_cont(0.5) within group (order by estimate_pct), 'all', 3
            from spoken
        ) median
        where estimate_pct is not null
        order by place
        limit 1
        """,
        kind,
        genres,
    )


async def due_curves(tx: Tx, *, even_if_early: bool, most: int) -> list[OwnCurve]:
    """The curves of 20 segments of titles whose time to good is due; nothing is locked."""
    return await tx.all(
        OwnCurve,
        """
        select c.title_id, c.version, c.sums[13:32], c.voices[13:32], c.levels, c.users_count
        from (
            select title_id from wigg.t2g_due
            where $1 or due_at <= clock_timestamp()
            order by due_at
            limit $2
        ) due
        join wigg.curves c using (title_id)
        """,
        even_if_early,
        most,
    )


async def settle(tx: Tx, curves: list[OwnCurve]) -> set[WorkId]:
    """Take titles off the list of what is due, those whose curve is still the one computed from; which.

    Their curves stay locked until the commit. A writer holds a curve's lock from before it looks at the
    list until its own commit; so nothing it adds can be missed, and nothing computed twice on two nodes.
    """
    settled = await tx.all(
        WorkId,
        """
        with same as materialized (
            select c.title_id
            from wigg.curves c
            join unnest($1::text[], $2::bigint[]) as computed(title_id, version)
              on c.title_id = computed.title_id and c.version = computed.version
            order by c.title_id
            for update of c
        )
        delete from wigg.t2g_due d using same where d.title_id = same.title_id
        returning d.title_id
        """,
        [curve.title_id for curve in curves],
        [curve.version for curve in curves],
    )
    return set(settled)


async def settle_newest(tx: Tx, title_ids: list[WorkId]) -> list[OwnCurve]:
    """Take titles off the list of what is due, and their newest curves, locked until the commit."""
    return await tx.all(
        OwnCurve,
        """
        with newest as materialized (
            select c.title_id, c.version, c.sums[13:32] as sums, c.voices[13:32] as voices, c.levels,
                   c.users_count
            from wigg.curves c
            where c.title_id = any($1)
            order by c.title_id
            for update of c
        ), settled as (
            delete from wigg.t2g_due d using newest where d.title_id = newest.title_id
            returning d.title_id
        )
        select newest.* from newest join settled using (title_id)
        """,
        title_ids,
    )


async def make_due(tx: Tx, title_id: WorkId) -> None:
    """Have a title's time to good told anew: its length, kind or genres have changed."""
    await tx.send("select wigg.empty_curve($1)", title_id)
    await tx.send(
        """
        insert into wigg.t2g_due (title_id, due_at) values ($1, clock_timestamp() + interval '1 second')
        on conflict do nothing
        """,
        title_id,
    )


async def write_t2g(tx: Tx, rows: list[T2gRow]) -> None:
    """Keep the times to good of titles."""
    await tx.send(
        """
        insert into wigg.t2g (title_id, estimate_pct, steady_from_pct, confidence, sample_size,
                              segment_sample_size, interval_start_pct, interval_end_pct, revision, updated_at)
        select title_id, estimate_pct, steady_from_pct, confidence, sample_size, segment_sample_size,
               (range->>'start_pct')::double precision, (range->>'end_pct')::double precision, revision, $2
        from jsonb_to_recordset($1::jsonb) as own(
            title_id text, estimate_pct double precision, steady_from_pct double precision, confidence text,
            sample_size bigint, segment_sample_size bigint, range jsonb, revision bigint
        )
        on conflict (title_id) do update
        set estimate_pct = excluded.estimate_pct, steady_from_pct = excluded.steady_from_pct,
            confidence = excluded.confidence, sample_size = excluded.sample_size,
            segment_sample_size = excluded.segment_sample_size,
            interval_start_pct = excluded.interval_start_pct,
            interval_end_pct = excluded.interval_end_pct,
            revision = excluded.revision, updated_at = excluded.updated_at
        """,
        encode(
            [
                {
                    **msgspec.structs.asdict(row.estimate),
                    "title_id": row.title_id,
                    "range": row.estimate.interval,
                    "revision": row.revision,
                }
                for row in rows
            ]
        ).decode(),
        tx.now,
    )


async def add_to_history(tx: Tx, told: list[T2g]) -> None:
    """Remember times to good, save those whose estimate and confidence are what was remembered last."""
    await tx.send(
        """
        insert into wigg.t2g_history (title_id, revision, estimate_pct, confidence, sample_size, basis, at)
        select now.title_id, revision, t2g_estimate_pct, confidence, sample_size, basis, $2
        from jsonb_to_recordset($1::jsonb) as now(
            title_id text, revision bigint, t2g_estimate_pct double precision, confidence text,
            sample_size bigint, basis text
        )
        where not exists (
            select from (
                select estimate_pct, confidence from wigg.t2g_history
                where title_id = now.title_id order by revision desc limit 1
            ) last
            where last.estimate_pct is not distinct from now.t2g_estimate_pct
              and last.confidence = now.confidence
        )
        """,
        encode(told).decode(),
        tx.now,
    )


async def history(tx: Tx, title_id: WorkId, before: int | None, most: int) -> list[tuple[int, T2gThen]]:
    """What a title's time to good was, newest first, with the revisions."""
    return await tx.all(
        lambda revision, *then: (revision, T2gThen(*then)),
        """
        select revision, estimate_pct, confidence, sample_size, basis, at
        from wigg.t2g_history
        where title_id = $1 and ($2::bigint is null or revision < $2)
        order by revision desc
        limit $3
        """,
        title_id,
        before,
        most,
    )
