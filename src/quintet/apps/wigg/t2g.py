"""Keeping and telling the time to good.

Invariant: every change of a curve leaves a row in `t2g_due` in its own transaction, and a row is deleted in
the transaction that tells what was computed from that very curve; so the newest state is always reached, also
after a crash.
"""

import asyncio
from typing import Final

import msgspec

from quintet.apps.wigg import t2g_queries as queries
from quintet.apps.wigg.model import EstimatesChanged, Headline, T2g, T2gUpdated
from quintet.apps.wigg.t2g_queries import Fallback, OwnCurve, T2gRow
from quintet.apps.wigg.time_to_good import LEAST_USERS, THRESHOLD, Estimate, estimate
from quintet.domains.catalogue import Kind, WorkId, WorkNotFound, title_room
from quintet.kernel import json
from quintet.kernel.cache import HotAnswer
from quintet.kernel.database import Database, Tx
from quintet.kernel.http.call import Kernel

# A room nobody can join: its seq rises whenever a community estimate changes anywhere, and is part of every
# revision, since any fallback may have changed with it.
ESTIMATES_ROOM: Final = "wigg-estimates"
Fallbacks = dict[tuple[Kind, tuple[str, ...]], Fallback | None]
_LOOK_EVERY_SECONDS: Final = 0.25
_MOST_AT_ONCE: Final = 20


async def keep_computing(kernel: Kernel) -> None:
    """Compute what is due, for as long as the server runs."""
    while True:
        computed = await compute_due(kernel.database)
        if computed < _MOST_AT_ONCE:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def compute_due(database: Database, *, even_if_early: bool = False) -> int:
    """Compute the times to good that are due, or all that wait; how many.

    Reading and computing lock nothing; only the last step does, for those whose curve is still the same.
    Curves that change faster than that are computed under their lock.
    """
    async with database.statement() as tx:
        curves = await queries.due_curves(tx, even_if_early=even_if_early, most=_MOST_AT_ONCE)
    if not curves:
        return 0
    estimates = _estimates(curves)

    async def tell_unchanged(tx: Tx) -> set[WorkId]:
        settled = await queries.settle(tx, curves)
        await _tell_all(tx, {title_id: estimates[title_id] for title_id in settled})
        return settled

    moved_on = estimates.keys() - await database.transact(tell_unchanged)

    async def tell_newest(tx: Tx) -> None:
        await _tell_all(tx, _estimates(await queries.settle_newest(tx, sorted(moved_on))))

    if moved_on:
        await database.transact(tell_newest)
    return len(curves)


def _estimates(curves: list[OwnCurve]) -> dict[WorkId, Estimate]:
    return {c.title_id: estimate(c.sums, c.voices, c.levels, c.users) for c in curves}


async def _tell_all(tx: Tx, estimates: dict[WorkId, Estimate]) -> None:
    if not estimates:
        return
    before = await queries.t2g_of_all(tx, list(estimates))
    now = [
        msgspec.structs.replace(
            row, estimate=estimates[row.title_id], revision=row.revision + 1, updated_at=tx.now
        )
        for row in before
    ]
    if any(_community_estimate(a) != _community_estimate(b) for a, b in zip(before, now, strict=True)):
        tx.emit(ESTIMATES_ROOM, EstimatesChanged())
        # The event raises the estimates' seq at this transaction's end; tell the revisions of afterwards.
        now = [msgspec.structs.replace(row, estimates_seq=row.estimates_seq + 1) for row in now]
    await queries.write_t2g(tx, now)
    fallbacks: Fallbacks = {}
    told = [await tell(tx, row, fallbacks) for row in now]
    await queries.add_to_history(tx, told)
    for one in told:
        tx.emit(title_room(one.title_id), T2gUpdated(**msgspec.structs.asdict(one)))


async def hot_t2g(kernel: Kernel, title_id: WorkId) -> HotAnswer:
    """The time to good of a title, from memory where it is still true; its tag is the revision."""
    estimates_seq = await kernel.hot.seq_of(ESTIMATES_ROOM)

    async def read() -> HotAnswer:
        # One statement; a second one for the fallback may see it newer, which the next revision then tells.
        async with kernel.database.statement() as tx:
            told, row = await t2g_of(tx, title_id)
        return HotAnswer(json.encode(told), str(told.revision), row.room_seq)

    return await kernel.hot.get(title_room(title_id), f"t2g {estimates_seq}", read)


async def t2g_of(tx: Tx, title_id: str) -> tuple[T2g, T2gRow]:
    """The time to good of a title, and the row it was told from; raises WorkNotFound."""
    row = await queries.t2g_of(tx, WorkId(title_id))
    if row is None:
        raise WorkNotFound
    return await tell(tx, row, {}), row


async def tell(tx: Tx, row: T2gRow, fallbacks: Fallbacks) -> T2g:
    """The time to good as callers see it; under three users, from titles like this one.

    `fallbacks` keeps what was asked for already, for the next title of the same kind and genres.
    """
    own = row.estimate
    pct, basis, confidence = own.estimate_pct, "community", own.confidence
    if own.sample_size < LEAST_USERS:
        like = (row.kind, tuple(row.genres))
        if like not in fallbacks:
            fallbacks[like] = await queries.fallback(tx, row.kind, row.genres)
        fallback = fallbacks[like]
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


def _community_estimate(row: T2gRow) -> float | None:
    return row.estimate.estimate_pct if row.estimate.sample_size >= LEAST_USERS else None


def _seconds(pct: float | None, length: float | None) -> float | None:
    return None if pct is None or length is None else round(pct * length / 100, 3)
