"""The catalogue's statements."""

from datetime import datetime

from quintet.domains.catalogue.model import Kind, Source, Work, WorkId
from quintet.kernel.database import Tx
from quintet.kernel.json import encode


async def work_by_id(tx: Tx, work_id: WorkId) -> Work | None:
    """One work."""
    return await tx.maybe(
        Work,
        """
        select id, kind, title, total_length_seconds, year, genres, attributes, created_by, version,
               created_at, updated_at
        from catalogue.works where id = $1
        """,
        work_id,
    )


async def work_to_change(tx: Tx, work_id: WorkId) -> Work | None:
    """One work, locked until the transaction ends."""
    return await tx.maybe(
        Work,
        """
        select id, kind, title, total_length_seconds, year, genres, attributes, created_by, version,
               created_at, updated_at
        from catalogue.works where id = $1 for no key update
        """,
        work_id,
    )


async def insert_work(tx: Tx, work: Work, source: Source) -> bool:
    """Enter a work; False where its id is taken."""
    written = await tx.run(
        """
        insert into catalogue.works (id, kind, title, total_length_seconds, year, genres, attributes,
                                     created_by, version, created_at, updated_at, source)
        values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11, $12)
        on conflict (id) do nothing
        """,
        work.id,
        work.kind,
        work.title,
        work.total_length_seconds,
        work.year,
        work.genres,
        encode(work.attributes).decode(),
        work.created_by,
        work.version,
        work.created_at,
        work.updated_at,
        source,
    )
    return written == 1


async def update_work(tx: Tx, work: Work) -> None:
    """Write back a changed work."""
    await tx.run(
        """
        update catalogue.works
        set kind = $2, title = $3, total_length_seconds = $4, year = $5, genres = $6,
            attributes = $7::jsonb, version = $8, updated_at = $9
        where id = $1
        """,
        work.id,
        work.kind,
        work.title,
        work.total_length_seconds,
        work.year,
        work.genres,
        encode(work.attributes).decode(),
        work.version,
        work.updated_at,
    )


async def newest_works(
    tx: Tx, kind: Kind | None, before: tuple[datetime, WorkId] | None, most: int
) -> list[Work]:
    """The catalogue, newest first, behind `before`."""
    return await tx.all(
        Work,
        """
        select id, kind, title, total_length_seconds, year, genres, attributes, created_by, version,
               created_at, updated_at
        from catalogue.works
        where ($1::text is null or kind = $1)
          and ($2::timestamptz is null or (created_at, id) < ($2, $3))
        order by created_at desc, id desc
        limit $4
        """,
        kind,
        before[0] if before else None,
        before[1] if before else None,
        most,
    )


async def works_with(tx: Tx, ids: list[WorkId]) -> list[Work]:
    """The works with these ids, in the order of the ids."""
    return await tx.all(
        Work,
        """
        select w.id, w.kind, w.title, w.total_length_seconds, w.year, w.genres, w.attributes, w.created_by,
               w.version, w.created_at, w.updated_at
        from unnest($1::text[]) with ordinality as asked(id, place)
        join catalogue.works w using (id)
        order by asked.place
        """,
        ids,
    )


async def works_titled(tx: Tx, titles: list[str], kind: Kind | None, most: int) -> list[Work]:
    """Works whose title is one of `titles` but for case and accents, oldest first."""
    return await tx.all(
        Work,
        """
        select w.id, w.kind, w.title, w.total_length_seconds, w.year, w.genres, w.attributes, w.created_by,
               w.version, w.created_at, w.updated_at
        from unnest($1::text[]) as asked(title)
        join catalogue.works w on w.folded_title = catalogue.folded(asked.title)
        where $2::text is null or w.kind = $2
        order by w.created_at, w.id
        limit $3
        """,
        titles,
        kind,
        most,
    )
