"""The statements for works that come many at a time."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from quintet.domains.catalogue.model import Kind, Source, WantedWork, WorkId
from quintet.kernel import json
from quintet.kernel.database import Tx


class Looked(msgspec.Struct, frozen=True):
    """What a look for a wanted work has shown: the work or None, and its title folded.

    `is_id_taken`: its TMDB id stands at a work of another title that TMDB has not vouched for.
    """

    id: WorkId | None
    folded: str
    is_id_taken: bool


class NewFilm(msgspec.Struct, frozen=True):
    """A work to be entered, within the bounds of the catalogue."""

    id: WorkId
    kind: Kind
    title: str
    year: int | None
    genres: list[str]
    attributes: dict[str, Any]
    poster_url: str | None
    tmdb_id: int | None
    source: Source
    created_by: UUID | None


async def look_for(tx: Tx, wanted: list[WantedWork]) -> list[Looked]:
    """What is here of the wanted works, in their order."""
    return await tx.all(
        Looked,
        """
        select found.id, folded, found.id is null and exists (
                   select from catalogue.works w where w.tmdb_id = (asked.value ->> 'tmdb_id')::integer)
        from json_array_elements($1::json) with ordinality as asked(value, place)
        cross join lateral catalogue.folded(asked.value ->> 'title') as folded
        cross join lateral (
            select asked.value ->> 'kind' as kind, (asked.value ->> 'year')::integer as year,
                   (asked.value ->> 'tmdb_id')::integer as tmdb_id
        ) as one
        left join lateral (
            select id from (
                select w.id, 0 as likeness, 0::double precision as unknown, w.created_at
                from catalogue.works w
                left join catalogue.tmdb_films told on told.work_id = w.id
                where w.tmdb_id = one.tmdb_id and w.kind = one.kind
                  and (told.refreshed_at is not null or w.folded_title = folded)
                union all
                select w.id, case when w.year = one.year then 1 else 2 end, -w.popularity, w.created_at
                from catalogue.works w
                where w.folded_title = folded and w.kind = one.kind
                  and (w.tmdb_id is null or one.tmdb_id is null)
                  and (w.year = one.year or w.year is null or one.year is null)
            ) as same
            order by likeness, unknown, created_at, id limit 1
        ) as found on true
        order by place
        """,
        json.encode(wanted).decode(),
    )


async def lock_entering(tx: Tx) -> None:
    """Let nobody else enter a list of works until the transaction ends."""
    await tx.send("select pg_advisory_xact_lock(hashtextextended('catalogue films', 0))")


async def insert_films(tx: Tx, films: list[NewFilm], now: datetime) -> None:
    """Enter works; those with a TMDB id wait for what TMDB tells of them."""
    await tx.send(
        """
        with entered as (
            insert into catalogue.works (id, kind, title, year, genres, attributes, poster_url, tmdb_id,
                                         source, created_by, created_at, updated_at)
            select id, kind, title, year, genres, attributes, poster_url, tmdb_id, source, created_by, $2, $2
            from jsonb_to_recordset($1::jsonb) as film(
                id text, kind text, title text, year integer, genres text[], attributes jsonb,
                poster_url text, tmdb_id integer, source text, created_by uuid)
            returning id, tmdb_id
        )
        insert into catalogue.tmdb_films (work_id, is_complete, refreshed_at, due_at)
        select id, false, null, $2 from entered where tmdb_id is not null
        """,
        json.encode(films).decode(),
        now,
    )
