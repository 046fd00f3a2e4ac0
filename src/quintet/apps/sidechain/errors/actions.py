"""Recording reports, resolving and reopening.

Invariant: a batch is recorded whole or not at all, and each of its occurrences once.
"""

from uuid import UUID

from quintet.apps.sidechain.errors import access, queries
from quintet.apps.sidechain.errors.merging import Report
from quintet.apps.sidechain.errors.model import (
    MOST_OPENED_A_DAY,
    MOST_RELEASES,
    ErrorGroup,
    ErrorRow,
    TooManyNewErrors,
)
from quintet.apps.sidechain.errors.rules import seconds_left_today
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


async def record_reports(
    tx: Tx, actor: Actor, reports: list[Report], most_a_day: int = MOST_OPENED_A_DAY
) -> int:
    """Record a batch; how many rows it has opened. Raises TooManyNewErrors where these are too many today."""
    await queries.lock_reporter(tx, actor.id)
    if releases := sorted({report.release for report in reports if report.release is not None}):
        await queries.note_releases(tx, actor.id, releases, MOST_RELEASES)
    opened = await queries.record(tx, actor.id, reports)
    if opened.rows and opened.today > most_a_day:
        raise TooManyNewErrors(headers={"Retry-After": str(seconds_left_today(tx.now))})
    return opened.rows


async def resolve_error(tx: Tx, actor: Actor, error_id: UUID, *, is_resolved: bool) -> ErrorRow:
    """Resolve a row or reopen it; again is the same."""
    found = await access.error_to_see(tx, actor, error_id)
    await queries.set_error_resolved(tx, found.id, actor.id, is_resolved=is_resolved)
    return await access.error_to_see(tx, actor, error_id)


async def resolve_group(tx: Tx, actor: Actor, group_id: UUID, *, is_resolved: bool) -> ErrorGroup:
    """Resolve a group or reopen it; its rows stay their users' affair."""
    found = await access.group_to_see(tx, actor, group_id)
    await queries.set_group_resolved(tx, found.id, actor.id, is_resolved=is_resolved)
    return await access.group_to_see(tx, actor, group_id)
