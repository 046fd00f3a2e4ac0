"""The verbs of imports: begin one, work off a part of one, end it.

Invariant: a part is one transaction that ranks its rows, notes the progress and forgets the rows, under the
import's row lock. So a server that is killed leaves a part done or not begun, and any other goes on with it;
no row is ranked twice. Locks are taken in this order: import, catalogue, rankings, tiers, room.
"""

from typing import Final
from uuid import UUID

from quintet.apps.marquee.leaderboard.model import LEADERBOARD
from quintet.apps.marquee.rankings.importing import queries
from quintet.apps.marquee.rankings.importing.model import (
    Import,
    ImportId,
    ImportNotFound,
    ImportRunning,
    ListRow,
    OpenImport,
    Part,
    RankingsImported,
    ReadList,
    Skip,
)
from quintet.apps.marquee.rankings.model import RankingId
from quintet.domains.catalogue import WantedWork, WorkId, find_or_enter_films
from quintet.kernel.actor import Actor, SessionId
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import user_room

ROWS_AT_ONCE: Final = 100
MOST_FAILURES: Final = 5
_REASONS: Final = {
    "already_ranked": "already ranked",
    "tier_full": "the tier holds 10,000 titles already",
}


async def begin_import(tx: Tx, actor: Actor, read: ReadList) -> Import:
    """Take a list to be ranked; raises ImportRunning with the import that is still under way."""
    running = await queries.running_import(tx, actor.id)
    if running is not None:
        raise ImportRunning(members={"import": running})
    import_id = ImportId(new_id())
    await queries.insert_import(tx, actor.id, import_id, read)
    return await import_to_see(tx, actor, import_id)


async def import_to_see(tx: Tx, actor: Actor, import_id: UUID) -> Import:
    """One's own import; raises ImportNotFound."""
    found = await queries.own_import(tx, actor.id, import_id)
    if found is None:
        raise ImportNotFound
    return found


async def work_off_part(tx: Tx, one: OpenImport) -> None:
    """Rank the next rows of an import, or end it where none are left."""
    placed = await queries.next_rows(tx, one.id, ROWS_AT_ONCE)
    if not placed:
        for tier in one.tiers:
            await queries.rebalance_tier(tx, one.user_id, tier)
        await end_import(tx, one, None)
        return
    rows = [row for _, row in placed]
    works = await _works_of(tx, one, rows)
    ids = [RankingId(new_id()) for _ in rows]
    outcomes = await queries.append_rankings(tx, one.user_id, rows, [id_ for id_, _ in works], ids)
    ranked = [
        (row, is_new)
        for row, (_, is_new), outcome in zip(rows, works, outcomes, strict=True)
        if outcome == "inserted"
    ]
    part = Part(
        last=placed[-1][0],
        matched=sum(not is_new for _, is_new in ranked),
        created=sum(is_new for _, is_new in ranked),
        skips=[
            Skip(row.line, _REASONS[outcome])
            for row, outcome in zip(rows, outcomes, strict=True)
            if outcome != "inserted"
        ],
        tiers=[row.tier for row, _ in ranked],
    )
    await queries.note_part(tx, one.id, part)
    if ranked:
        tx.touch(LEADERBOARD)


async def end_import(tx: Tx, one: OpenImport, error: str | None) -> None:
    """End an import and tell its owner."""
    total, matched, created, skipped = await queries.end_import(tx, one.id, error)
    told = RankingsImported(
        import_id=one.id, total=total, matched=matched, created=created, skipped_total=skipped
    )
    tx.emit(user_room(one.user_id), told)


async def _works_of(tx: Tx, one: OpenImport, rows: list[ListRow]) -> list[tuple[WorkId, bool]]:
    """The work that each row names, and whether it was entered just now."""
    named = [(row.work.media_id, row.work.title) for row in rows if row.work.media_id is not None]
    known = await queries.known_media(tx, named) if named else set[str]()
    others = [row.work for row in rows if row.work.media_id not in known]
    importer = Actor(one.user_id, SessionId(one.id), "user")  # no session of theirs need last so long
    found = iter(
        await find_or_enter_films(
            tx,
            importer,
            [
                WantedWork(w.title, w.year, w.kind, w.tmdb_id, w.poster_url, w.genres, w.attributes)
                for w in others
            ],
        )
    )
    return [
        (WorkId(row.work.media_id), False)
        if row.work.media_id is not None and row.work.media_id in known
        else next(found)
        for row in rows
    ]
