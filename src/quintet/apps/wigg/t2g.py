"""Keeping and telling the time to good.

Invariant: every change of a curve leaves a row in `t2g_due` in its own transaction, and a row is deleted in
the transaction that computes; so the newest state is always reached, also after a crash.
"""

import asyncio
from typing import Final

import msgspec

from quintet.apps.wigg import t2g_queries as queries
from quintet.apps.wigg.access import title_room
from quintet.apps.wigg.model import EstimatesChanged, Headline, T2g, T2gUpdated
from quintet.apps.wigg.t2g_queries import T2gRow
from quintet.apps.wigg.time_to_good import LEAST_USERS, THRESHOLD, Estimate, estimate
from quintet.domains.catalogue import WorkId, WorkNotFound
from quintet.kernel.database import Database, Tx
from quintet.kernel.http.call import Kernel

# A room nobody can join: its seq rises whenever a community estimate changes anywhere, and is part of every
# revision, since any fallback may have changed with it.
ESTIMATES_ROOM: Final = "wigg-estimates"
_LOOK_EVERY_SECONDS: Final = 0.25
_MOST_AT_ONCE: Final = 50


async def keep_computing(kernel: Kernel) -> None:
    """Compute what is due, for as long as the server runs."""
    while True:
        computed = await compute_due(kernel.database)
        if computed < _MOST_AT_ONCE:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def compute_due(database: Database, *, even_if_early: bool = False) -> int:
    """Compute the times to good that are due, or all that wait; how many."""

    async def act(tx: Tx) -> int:
        due = await queries.due_titles(tx, even_if_early=even_if_early, most=_MOST_AT_ONCE)
        for title_id in due:
            await _compute(tx, title_id)
        return len(due)

    return await database.transact(act)


async def _compute(tx: Tx, title_id: WorkId) -> None:
    curve = await queries.own_curve(tx, title_id)
    own = Estimate() if curve is None else estimate(curve.sums, curve.voices, curve.levels, curve.users)
    was = await _row(tx, title_id)
    changed_estimate = _community_estimate(own) != _community_estimate(was.estimate)
    if changed_estimate:
        tx.emit(ESTIMATES_ROOM, EstimatesChanged())
    now = msgspec.structs.replace(was, estimate=own, revision=was.revision + 1, updated_at=tx.now)
    await queries.write_t2g(tx, title_id, own, now.revision)
    if changed_estimate:
        # The event raises the estimates' seq at this transaction's end; tell the revision of afterwards.
        now = msgspec.structs.replace(now, estimates_seq=now.estimates_seq + 1)
    told = await tell(tx, now)
    await queries.add_to_history(
        tx, title_id, told.revision, told.t2g_estimate_pct, told.confidence, told.sample_size, told.basis
    )
    tx.emit(title_room(title_id), T2gUpdated(**msgspec.structs.asdict(told)))


async def t2g_of(tx: Tx, title_id: str) -> tuple[T2g, T2gRow]:
    """The time to good of a title, and the row it was told from; raises WorkNotFound."""
    row = await _row(tx, WorkId(title_id))
    return await tell(tx, row), row


async def tell(tx: Tx, row: T2gRow) -> T2g:
    """The time to good as callers see it; under three users, from titles like this one."""
    own = row.estimate
    pct, basis, confidence = own.estimate_pct, "community", own.confidence
    if own.sample_size < LEAST_USERS:
        fallback = await queries.fallback(tx, row.kind, row.genres)
        pct, basis = (fallback.estimate_pct, fallback.basis) if fallback else (None, "none")
        confidence = "low"
    community = basis == "community"
    return T2g(
        title_id=row.title_id,
        t2g_estimate_pct=pct,
        t2g_estimate_seconds=_seconds(pct, row.total_length_seconds),
        own_estimate_pct=own.estimate_pct,
        threshold=THRESHOLD,
        steady_from_pct=own.steady_from_pct if community else None,
        confidence=confidence,
        sample_size=own.sample_size,
        segment_sample_size=own.segment_sample_size,
        basis=basis,
        interval=own.interval if community else None,
        revision=row.revision + row.estimates_seq,
        updated_at=row.updated_at,
    )


def headline(told: T2g) -> Headline:
    """The time to good in short."""
    return Headline(
        told.t2g_estimate_pct, told.t2g_estimate_seconds, told.confidence, told.sample_size, told.basis
    )


async def _row(tx: Tx, title_id: WorkId) -> T2gRow:
    row = await queries.t2g_of(tx, title_id, title_room(title_id), ESTIMATES_ROOM)
    if row is None:
        raise WorkNotFound
    return row


def _community_estimate(own: Estimate) -> float | None:
    return own.estimate_pct if own.sample_size >= LEAST_USERS else None


def _seconds(pct: float | None, length: float | None) -> float | None:
    return None if pct is None or length is None else round(pct * length / 100, 3)
