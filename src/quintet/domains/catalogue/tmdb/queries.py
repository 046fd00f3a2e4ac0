"""The statements of what TMDB has told."""

from datetime import datetime

import msgspec

from quintet.domains.catalogue.model import WorkId
from quintet.domains.catalogue.tmdb.breaker import Breaker
from quintet.domains.catalogue.tmdb.model import TmdbFilm
from quintet.kernel import json
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


class Remembered(msgspec.Struct, frozen=True):
    """The films a query was answered with, and when."""

    work_ids: list[WorkId]
    asked_at: Instant


class Due(msgspec.Struct, frozen=True):
    """A film that TMDB is to be asked about."""

    work_id: WorkId
    tmdb_id: int


async def remembered(tx: Tx, query: str) -> Remembered | None:
    """What TMDB last answered to a normalised query."""
    return await tx.maybe(
        Remembered, "select work_ids, asked_at from catalogue.tmdb_answers where query = $1", query
    )


async def remember(tx: Tx, query: str, work_ids: list[WorkId], now: datetime) -> None:
    """Keep what TMDB has answered to a normalised query."""
    await tx.run(
        """
        insert into catalogue.tmdb_answers (query, work_ids, asked_at) values ($1, $2, $3)
        on conflict (query) do update set work_ids = excluded.work_ids, asked_at = excluded.asked_at
        """,
        query,
        work_ids,
        now,
    )


async def forget_answers(tx: Tx, before: datetime, most: int) -> int:
    """Remove old answers; how many."""
    return await tx.run(
        """
        delete from catalogue.tmdb_answers where query in (
            select query from catalogue.tmdb_answers where asked_at < $1 limit $2)
        """,
        before,
        most,
    )


async def breaker(tx: Tx) -> Breaker:
    """The state of the breaker."""
    return await tx.one(Breaker, "select failures, rests_until from catalogue.tmdb_breaker")


async def breaker_locked(tx: Tx) -> Breaker:
    """The same, locked until the transaction ends."""
    return await tx.one(Breaker, "select failures, rests_until from catalogue.tmdb_breaker for update")


async def set_breaker(tx: Tx, state: Breaker) -> None:
    """Write the breaker's state."""
    await tx.run(
        "update catalogue.tmdb_breaker set failures = $1, rests_until = $2", state.failures, state.rests_until
    )


async def adopt_films(tx: Tx, films: list[TmdbFilm], now: datetime) -> list[tuple[WorkId, int]]:
    """Give films that were entered by hand TMDB's id and what they lack; they stay what they are otherwise.

    The same film has the same title but for case and accents, and the same year. Of several by hand the
    oldest is the one, of several of TMDB's the best known.
    """
    return await tx.all(
        lambda work_id, version: (WorkId(work_id), version),
        """
        with told as (
            select *, catalogue.folded(title) as folded
            from jsonb_to_recordset($1::jsonb) as film(
                tmdb_id integer, title text, original_title text, year integer, poster_url text,
                overview text, popularity double precision, genres text[], attributes jsonb)
        ), alike as (
            select distinct on (told.tmdb_id) told.*, w.id as work_id
            from told
            join catalogue.works w on w.folded_title = told.folded and w.year = told.year
            where w.kind = 'film' and w.tmdb_id is null
              and not exists (select from catalogue.works known where known.tmdb_id = told.tmdb_id)
            order by told.tmdb_id, w.created_at, w.id
        ), pair as (
            select distinct on (work_id) * from alike order by work_id, popularity desc, tmdb_id
        ), adopted as (
            update catalogue.works w
            set tmdb_id = pair.tmdb_id, popularity = pair.popularity, version = w.version + 1,
                updated_at = $2,
                original_title = coalesce(w.original_title, pair.original_title),
                poster_url = coalesce(w.poster_url, pair.poster_url),
                overview = coalesce(w.overview, pair.overview),
                genres = case when w.genres = '{}' then pair.genres else w.genres end,
                attributes = pair.attributes || w.attributes
            from pair where w.id = pair.work_id
            returning w.id, w.version
        ), noted as (
            insert into catalogue.tmdb_films (work_id, is_complete, refreshed_at, due_at)
            select id, false, $2, $2::timestamptz + interval '150 days' from adopted
        )
        select id, version from adopted
        """,
        json.encode(films).decode(),
        now,
    )


async def renew_films(tx: Tx, films: list[TmdbFilm], now: datetime) -> list[tuple[WorkId, int]]:
    """Take over what a search tells of films that nothing more is known of; those that changed."""
    return await tx.all(
        lambda work_id, version: (WorkId(work_id), version),
        """
        with told as (
            select * from jsonb_to_recordset($1::jsonb) as film(
                tmdb_id integer, title text, original_title text, year integer, poster_url text,
                overview text, popularity double precision, genres text[], attributes jsonb)
        ), vouched as (
            update catalogue.tmdb_films f set refreshed_at = $2
            from told join catalogue.works w using (tmdb_id)
            where f.work_id = w.id and f.refreshed_at is null
        ), renewed as (
            update catalogue.works w
            set title = told.title, original_title = told.original_title, year = told.year,
                poster_url = told.poster_url, overview = told.overview, popularity = told.popularity,
                genres = told.genres, attributes = w.attributes || told.attributes,
                version = w.version + 1, updated_at = $2
            from told, catalogue.tmdb_films f
            where w.tmdb_id = told.tmdb_id and f.work_id = w.id and w.source = 'tmdb' and not f.is_complete
              and (w.title, w.original_title, w.year, w.poster_url, w.overview, w.genres) is distinct from
                  (told.title, told.original_title, told.year, told.poster_url, told.overview, told.genres)
            returning w.id, w.version
        )
        select id, version from renewed
        """,
        json.encode(films).decode(),
        now,
    )


async def enter_films(tx: Tx, films: list[TmdbFilm], ids: list[WorkId], now: datetime) -> None:
    """Enter the films whose TMDB id is not here, under the ids given for each."""
    await tx.run(
        """
        with entered as (
            insert into catalogue.works (id, kind, title, original_title, year, poster_url, overview,
                                         popularity, genres, attributes, tmdb_id, source, created_at,
                                         updated_at)
            select fresh.id, 'film', title, original_title, year, poster_url, overview, popularity, genres,
                   attributes, tmdb_id, 'tmdb', $3, $3
            from jsonb_array_elements($1::jsonb) with ordinality as one(film, place)
            join unnest($2::text[]) with ordinality as fresh(id, place) using (place)
            cross join lateral jsonb_to_record(film) as told(
                tmdb_id integer, title text, original_title text, year integer, poster_url text,
                overview text, popularity double precision, genres text[], attributes jsonb)
            where not exists (select from catalogue.works known where known.tmdb_id = told.tmdb_id)
            order by tmdb_id
            on conflict (tmdb_id) do nothing
            returning id
        )
        insert into catalogue.tmdb_films (work_id, is_complete, refreshed_at, due_at)
        select id, false, $3, $3::timestamptz + interval '150 days' from entered
        """,
        json.encode(films).decode(),
        ids,
        now,
    )


async def works_of(tx: Tx, tmdb_ids: list[int]) -> list[WorkId]:
    """The works with these TMDB ids, in their order."""
    return await tx.all(
        WorkId,
        """
        select w.id from unnest($1::integer[]) with ordinality as asked(tmdb_id, place)
        join catalogue.works w using (tmdb_id) order by place
        """,
        tmdb_ids,
    )


async def complete_film(tx: Tx, work_id: WorkId, film: TmdbFilm, now: datetime) -> int | None:
    """Take over all that TMDB tells of a film; its new version, or None where nothing changed.

    A film that was entered by hand only gains what it lacks.
    """
    return await tx.value(
        """
        with told as (
            select * from jsonb_to_record($2::jsonb) as film(
                title text, original_title text, year integer, poster_url text, overview text,
                popularity double precision, genres text[], attributes jsonb, alternative_titles text[],
                length_seconds double precision)
        ), noted as (
            update catalogue.tmdb_films
            set is_complete = true, refreshed_at = $3,
                due_at = $3::timestamptz + interval '150 days', gone_at = null
            where work_id = $1
        ), merged as (
            select w.id,
                   case when own then told.title else w.title end as title,
                   case when own then told.original_title
                        else coalesce(w.original_title, told.original_title) end as original_title,
                   case when own then told.year else coalesce(w.year, told.year) end as year,
                   case when own then told.poster_url else coalesce(w.poster_url, told.poster_url) end
                       as poster_url,
                   case when own then told.overview else coalesce(w.overview, told.overview) end as overview,
                   case when own or w.genres = '{}' then told.genres else w.genres end as genres,
                   case when own then w.attributes || told.attributes else told.attributes || w.attributes end
                       as attributes,
                   told.popularity, told.alternative_titles,
                   coalesce(w.total_length_seconds, told.length_seconds) as total_length_seconds
            from told, catalogue.works w, lateral (select w.source = 'tmdb' as own) as whose
            where w.id = $1
        ), news as (
            -- Popularity changes daily; alone it is no change that anybody need hear of.
            select m.*, (w.title, w.original_title, w.year, w.poster_url, w.overview, w.genres, w.attributes,
                         w.alternative_titles, w.total_length_seconds)
                        is distinct from
                        (m.title, m.original_title, m.year, m.poster_url, m.overview, m.genres, m.attributes,
                         m.alternative_titles, m.total_length_seconds) as is_news
            from merged m join catalogue.works w using (id)
        )
        update catalogue.works w
        set title = m.title, original_title = m.original_title, year = m.year, poster_url = m.poster_url,
            overview = m.overview, genres = m.genres, attributes = m.attributes, popularity = m.popularity,
            alternative_titles = m.alternative_titles, total_length_seconds = m.total_length_seconds,
            version = w.version + m.is_news::integer,
            updated_at = case when m.is_news then $3 else w.updated_at end
        from news m
        where w.id = m.id
        returning case when m.is_news then w.version end
        """,
        work_id,
        json.encode(film).decode(),
        now,
    )


async def mark_gone(tx: Tx, work_id: WorkId, now: datetime) -> int | None:
    """Note that TMDB has the film no more; the work's version where that is news."""
    return await tx.value(
        """
        update catalogue.tmdb_films f
        set refreshed_at = case when f.refreshed_at is not null then $2::timestamptz end,
            due_at = $2::timestamptz + interval '150 days', gone_at = coalesce(f.gone_at, $2)
        from (select id, version, gone_at from catalogue.works
              join catalogue.tmdb_films on work_id = id where id = $1 for update) as w
        where f.work_id = w.id
        returning case when w.gone_at is null then w.version end
        """,
        work_id,
        now,
    )


async def claim_due(tx: Tx, now: datetime, until: datetime, most: int) -> list[Due]:
    """Films that nobody has asked TMDB about for long, the longest first; this node's until then."""
    return await tx.all(
        Due,
        """
        with due as (
            select work_id from catalogue.tmdb_films
            where due_at <= $1 order by due_at limit $3 for update skip locked
        ), claimed as (
            update catalogue.tmdb_films f set due_at = $2 from due where f.work_id = due.work_id
            returning f.work_id
        )
        select w.id, w.tmdb_id from claimed join catalogue.works w on w.id = claimed.work_id
        where w.tmdb_id is not null
        """,
        now,
        until,
        most,
    )
