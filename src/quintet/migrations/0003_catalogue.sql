-- The catalogue: works that several products speak of (a film is the same work in WIGG and in Marquee).

create schema catalogue;

-- How titles are compared: lower case, without accents. Immutable by naming its dictionary, so that it may
-- stand in an index.
create function catalogue.folded(text) returns text
    language sql immutable strict parallel safe
    return lower(public.unaccent('public.unaccent', $1));

create table catalogue.works (
    id text collate "C" primary key check (id ~ '^[A-Za-z0-9._:-]{1,128}$' and id not in ('.', '..')),
    kind text not null check (kind in ('film', 'series', 'episode', 'game', 'book', 'play')),
    title text not null,
    folded_title text not null generated always as (catalogue.folded(title)) stored,
    spaceless_title text not null
        generated always as (replace(catalogue.folded(title), ' ', '')) stored,
    total_length_seconds double precision check (total_length_seconds > 0),
    year integer,
    genres text[] not null default '{}',
    attributes jsonb not null default '{}',
    original_title text,
    poster_url text,
    overview text,
    tmdb_id integer unique,  -- its index serves the meeting of what TMDB tells with what is here
    source text not null default 'local' check (source in ('local', 'tmdb', 'stub')),
    created_by uuid references accounts.users (id) on delete set null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
-- Serves the list of titles, newest first.
create index works_newest on catalogue.works (created_at desc, id desc);
-- Serves fuzzy search: similarity and prefix of the folded title.
create index works_folded_title on catalogue.works using gin (folded_title public.gin_trgm_ops);
-- Serves searches written without spaces: `starwars`.
create index works_spaceless_title on catalogue.works using gin (spaceless_title public.gin_trgm_ops);
-- Serves the setting of created_by to null when an account goes.
create index works_created_by on catalogue.works (created_by);

-- What floors above may read of a work.
create view catalogue.titles as
    select id, kind, title, total_length_seconds, year, genres, attributes, created_by, version,
           created_at, updated_at
    from catalogue.works;

-- Films and plays, in Marquee's words.
create view catalogue.media as
    select id, title, coalesce(original_title, title) as original_title,
           case kind when 'film' then 'MOVIE' else 'PLAY' end as media_type,
           year, poster_url, overview, genres, tmdb_id, attributes, source
    from catalogue.works
    where kind in ('film', 'play');
