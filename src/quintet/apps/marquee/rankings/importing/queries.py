"""The statements about imports."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from quintet.apps.marquee.rankings.importing.model import (
    MOST_SKIPS_TOLD,
    Import,
    ImportId,
    ListedWork,
    ListRow,
    OpenImport,
    Part,
    ReadList,
    Skip,
)
from quintet.apps.marquee.rankings.model import RankingId, Tier
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.json import encode


def _import(
    id_: ImportId,
    kind: str,
    status: str,
    total: int,
    done: int,
    matched: int,
    created: int,
    skips: list[object],
    *others: object,
) -> Import:
    told = msgspec.convert(skips, list[Skip])
    return Import(id_, kind, status, total, done, matched, created, told, *others)  # pyright: ignore[reportArgumentType]


async def own_import(tx: Tx, user_id: UserId, import_id: UUID) -> Import | None:
    """Somebody's import."""
    return await tx.maybe(
        _import,
        """
        select id, kind,
               case when error is not null then 'failed' when ended_at is not null then 'done'
                    when updated_at > created_at then 'running' else 'waiting' end,
               total, done, matched, created, skips, skipped, created_at, ended_at, error
        from marquee.imports where id = $1 and user_id = $2
        """,
        import_id,
        user_id,
    )


async def running_import(tx: Tx, user_id: UserId) -> Import | None:
    """Somebody's import that has not ended."""
    return await tx.maybe(
        _import,
        """
        select id, kind, case when updated_at > created_at then 'running' else 'waiting' end, total, done,
               matched, created, skips, skipped, created_at, ended_at, error
        from marquee.imports where user_id = $1 and ended_at is null
        """,
        user_id,
    )


async def insert_import(tx: Tx, user_id: UserId, import_id: ImportId, read: ReadList) -> None:
    """Keep a list, to be worked off from now on."""
    skipped = len(read.skips)
    await tx.run(
        """
        insert into marquee.imports (id, user_id, kind, total, done, skips, skipped, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6::jsonb, $5, $7, $7)
        """,
        import_id,
        user_id,
        read.kind,
        len(read.rows) + skipped,
        skipped,
        encode(read.skips[:MOST_SKIPS_TOLD]).decode(),
        tx.now,
    )
    await tx.send(
        """
        insert into marquee.import_rows (import_id, place, line, tier, to_come, work, note)
        select $1, place, line, tier, to_come, work, note
        from rows from (
            jsonb_to_recordset($2::jsonb) as (line integer, tier text, to_come integer, work jsonb, note text)
        ) with ordinality as listed(line, tier, to_come, work, note, place)
        """,
        import_id,
        encode(read.rows).decode(),
    )


async def import_to_work_off(tx: Tx) -> OpenImport | None:
    """The import that has waited longest, locked; those another node works on are left to it."""
    return await tx.maybe(
        OpenImport,
        """
        select id, user_id, tiers from marquee.imports
        where ended_at is null
        order by updated_at
        limit 1
        for no key update skip locked
        """,
    )


async def next_rows(tx: Tx, import_id: ImportId, most: int) -> list[tuple[int, ListRow]]:
    """The rows that are ranked next, with their places in the list."""
    return await tx.all(
        lambda place, line, tier, work, note, to_come: (
            place,
            ListRow(line, tier, msgspec.convert(work, ListedWork), note, to_come),
        ),
        """
        select place, line, tier, work, note, to_come from marquee.import_rows
        where import_id = $1
        order by place
        limit $2
        """,
        import_id,
        most,
    )


async def known_media(tx: Tx, named: Sequence[tuple[str, str]]) -> set[str]:
    """Of these ids those of films and plays that have the title named with them."""
    found = await tx.all(
        str,
        """
        select m.id from unnest($1::text[], $2::text[]) as named(id, title)
        join catalogue.media m on m.id = named.id and lower(m.title) = lower(named.title)
        """,
        [id_ for id_, _ in named],
        [title for _, title in named],
    )
    return set(found)


async def append_rankings(
    tx: Tx, user_id: UserId, rows: Sequence[ListRow], media_ids: Sequence[WorkId], ids: Sequence[RankingId]
) -> list[str]:
    """Rank titles at the ends of their tiers; of each row what came of it."""
    return await tx.all(
        str,
        """
        select outcome from marquee.append_rankings($1, $2::text[], $3::text[], $4::uuid[], $5::text[],
                                                    $6::integer[], $7)
        order by place
        """,
        user_id,
        list(media_ids),
        [row.tier for row in rows],
        list(ids),
        [row.note for row in rows],
        [row.to_come for row in rows],
        tx.now,
    )


async def note_part(tx: Tx, import_id: ImportId, part: Part) -> None:
    """Write down what a part came to; its rows are worked off."""
    await tx.send(
        """
        with gone as (
            delete from marquee.import_rows where import_id = $1 and place <= $2
        )
        update marquee.imports
        set done = done + $3 + $4 + jsonb_array_length($5::jsonb), matched = matched + $3,
            created = created + $4, skipped = skipped + jsonb_array_length($5),
            skips = jsonb_path_query_array(
                skips || $5, '$[0 to $last]', jsonb_build_object('last', $6::integer)
            ),
            tiers = array(select distinct tier from unnest(tiers || $7::text[]) as tier), updated_at = $8
        where id = $1
        """,
        import_id,
        part.last,
        part.matched,
        part.created,
        encode(part.skips).decode(),
        MOST_SKIPS_TOLD - 1,
        part.tiers,
        tx.now,
    )


async def rebalance_tier(tx: Tx, user_id: UserId, tier: Tier) -> None:
    """Give a tier even scores and short keys."""
    await tx.send("select marquee.rebalance_tier_positions($1, $2)", user_id, tier)


async def end_import(tx: Tx, import_id: ImportId, error: str | None) -> tuple[int, int, int, int]:
    """End an import: its rows in all, those matched, created and skipped."""
    return await tx.one(
        lambda *counts: counts,
        """
        with gone as (
            delete from marquee.import_rows where import_id = $1
        )
        update marquee.imports set ended_at = $2, updated_at = $2, error = $3
        where id = $1
        returning total, matched, created, skipped
        """,
        import_id,
        tx.now,
        error,
    )


async def note_failure(tx: Tx, import_id: ImportId) -> int:
    """A part failed: let others come first; how many have failed by now."""
    return await tx.value(
        """
        update marquee.imports set failures = failures + 1, updated_at = $2 where id = $1 returning failures
        """,
        import_id,
        tx.now,
    )


async def forget_imports(tx: Tx, ended_before: datetime, most: int) -> None:
    """Remove imports that ended long ago, a bounded part of them."""
    await tx.run(
        """
        delete from marquee.imports where id in (
            select id from marquee.imports where ended_at < $1 limit $2
        )
        """,
        ended_before,
        most,
    )
