"""Rebuilding curves from every voice, for operators: there must be no drift, and this proves it."""

from collections.abc import Callable

import msgspec

from quintet.apps.wigg.model import CurveRebuilt
from quintet.apps.wigg.t2g_queries import make_due
from quintet.domains.catalogue import WorkId, title_room
from quintet.kernel.database import Database, Tx


class Rebuilt(msgspec.Struct, frozen=True):
    """How many curves were looked at, and which had drifted and were set right."""

    looked_at: int
    drifted: list[WorkId]


async def rebuild_curves(database: Database, told: Callable[[int, int], None]) -> Rebuilt:
    """Compute every curve anew and set right those that differ; `told` hears of (done, total)."""
    async with database.statement() as tx:
        titles = await titles_with_curves(tx)
    drifted: list[WorkId] = []
    for done, title_id in enumerate(titles, 1):

        async def act(tx: Tx, title_id: WorkId = title_id) -> bool:
            changed = await rebuild_curve(tx, title_id)
            if changed:
                await make_due(tx, title_id)
                tx.emit(title_room(title_id), CurveRebuilt(title_id=title_id))
            return changed

        if await database.transact(act):
            drifted.append(title_id)
        told(done, len(titles))
    return Rebuilt(len(titles), drifted)


async def titles_with_curves(tx: Tx) -> list[WorkId]:
    """Every title that anybody has spoken of."""
    return await tx.all(
        WorkId,
        """
        select title_id from wigg.curves
        union select title_id from wigg.wiggs
        union select title_id from wigg.paintings
        order by title_id
        """,
    )


async def rebuild_curve(tx: Tx, title_id: WorkId) -> bool:
    """Compute one curve anew; whether it had drifted. Its row is locked first, so no write comes between."""
    await tx.run("select from wigg.curves where title_id = $1 for update", title_id)
    return bool(
        await tx.run(
            """
            insert into wigg.curves as kept (title_id, version, wiggs_count, users_count, sums, voices,
                                             levels)
            select $1, 1, anew.wiggs_count, anew.users_count, anew.sums, anew.voices, anew.levels
            from wigg.curve_anew($1) anew
            on conflict (title_id) do update
            set version = kept.version + 1, wiggs_count = excluded.wiggs_count,
                users_count = excluded.users_count, sums = excluded.sums, voices = excluded.voices,
                levels = excluded.levels
            where (kept.wiggs_count, kept.users_count, kept.sums, kept.voices, kept.levels)
                  is distinct from (excluded.wiggs_count, excluded.users_count, excluded.sums,
                                    excluded.voices, excluded.levels)
            """,
            title_id,
        )
    )
