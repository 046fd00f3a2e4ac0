"""The catalogue's statements."""

from datetime import datetime
from uuid import UUID

import msgspec

from quintet.domains.catalogue.model import Kind, Work, WorkId
from quintet.kernel.database import Tx
from quintet.kernel.json import encode


class Found(msgspec.Struct, frozen=True):
    """A hit of a search and how well it fits."""

    work: Work
    fit: float


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


async def insert_work(tx: Tx, work: Work) -> bool:
    """Enter a work; False where its id is taken."""
    written = await tx.run(
        """
        insert into catalogue.works (id, kind, title, total_length_seconds, year, genres, attributes,
                                     created_by, version, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11)
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


def _found(
    fit: float,
    id_: WorkId,
    kind: Kind,
    title: str,
    total_length_seconds: float | None,
    year: int | None,
    genres: list[str],
    attributes: dict[str, object],
    created_by: UUID | None,
    version: int,
    created_at: datetime,
    updated_at: datetime,
) -> Found:
    work = Work(
        id_, kind, title, total_length_seconds, year, genres, attributes, created_by, version,
        created_at, updated_at,
    )  # fmt: skip
    return Found(work, fit)


async def works_like(
    tx: Tx, query: str, kind: Kind | None, behind: tuple[float, WorkId] | None, most: int
) -> list[Found]:
    """Works whose title resembles the query: exact before prefix before similar, then by id.

    No single trigram threshold finds both `hamelt` and `starwars`, so candidates are the union of prefix,
    similarity, word similarity and the title without spaces, and are ranked anew.
    """
    return await tx.all(
        _found,
        """
        with asked as (
            select text, replace(text, ' ', '') as spaceless,
                   replace(replace(replace(text, '\\', '\\\\'), '%', '\\%'), '_', '\\_') as literal
            from catalogue.folded($1) as text
        ), hit as (
            select works.*,
                   case when folded_title = text then 3
                        when folded_title like literal || '%' then 2
                        else greatest(public.similarity(folded_title, text),
                                      public.word_similarity(text, folded_title),
                                      public.similarity(spaceless_title, spaceless))
                   end::double precision as fit
            from catalogue.works, asked
            where (folded_title like literal || '%'
                   or folded_title operator(public.%) text
                   or text operator(public.<%) folded_title
                   or spaceless_title operator(public.%) spaceless)
              and ($2::text is null or kind = $2)
        )
        select fit, id, kind, title, total_length_seconds, year, genres, attributes, created_by, version,
               created_at, updated_at
        from hit
        where $3::double precision is null or (-fit, id) > (-$3, $4)
        order by -fit, id
        limit $5
        """,
        query,
        kind,
        behind[0] if behind else None,
        behind[1] if behind else None,
        most,
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
