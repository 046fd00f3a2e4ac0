-- The catalogue: works that several products speak of (a film is the same work in WIGG and in Marquee), every
-- name each is known by, the words those names are made of, and what TMDB has told.

create schema catalogue;

-- How titles are compared: lower case, without accents, in Unicode's plainest form, single spaces. Immutable by
-- naming its dictionary, so that it may stand in an index; cut, since one letter may unfold to eighteen and an
-- index takes no row of more than 2,700 bytes.
create function catalogue.folded(text) returns text
    language sql immutable strict parallel safe
    return left(btrim(regexp_replace(
        lower(public.unaccent('public.unaccent', normalize($1, NFKC))), '\s+', ' ', 'g')), 400);

-- The words of a folded title. Punctuation parts them, apostrophes do not: `ocean's` is `oceans`. All other
-- signs are letters, `%` and `_` too.
create function catalogue.words_of(folded text) returns text[]
    language sql immutable strict parallel safe
    return array_remove(string_to_array(
        translate(folded, '-–—/\.,:;!?&·…()[]"“”„«»''’‘`´', repeat(' ', 24)), ' '), '');

-- A folded title without its spaces: `starwars`. A title of nothing but signs stays as it is.
create function catalogue.squeezed(folded text) returns text
    language sql immutable strict parallel safe
    return coalesce(nullif(array_to_string(catalogue.words_of(folded), ''), ''), folded);

-- A short word, and it again without each one of its letters: two words that are one edit apart (a letter
-- more, less, another, or two neighbours swapped) have one of these in common. Trigrams see no likeness
-- between `jwas` and `jaws`; longer words they tell well enough.
create function catalogue.shortened(word text) returns text[]
    language sql immutable strict parallel safe
    return case when length(word) between 3 and 8 then
        (select array_agg(distinct left(word, n - 1) || substr(word, n + 1)) || word
         from generate_series(1, length(word)) as n)
    else array[word] end;

-- How well known a work is, in four degrees of TMDB's popularity (most have less than 2, a few over 50).
create function catalogue.fame(popularity double precision) returns smallint
    language sql immutable strict parallel safe
    return case when popularity >= 50 then 3 when popularity >= 10 then 2 when popularity >= 2 then 1 else 0 end;

create table catalogue.works (
    id text collate "C" primary key check (id ~ '^[A-Za-z0-9._:-]{1,128}$' and id not in ('.', '..')),
    kind text not null check (kind in ('film', 'series', 'episode', 'game', 'book', 'play')),
    title text not null,
    folded_title text collate "C" not null generated always as (catalogue.folded(title)) stored,
    total_length_seconds double precision check (total_length_seconds > 0),
    year integer,
    genres text[] not null default '{}',
    attributes jsonb not null default '{}',
    original_title text,
    alternative_titles text[] not null default '{}',
    poster_url text,
    overview text,
    popularity double precision not null default 0,
    tmdb_id integer unique,  -- its index serves the meeting of what TMDB tells with what is here
    source text not null default 'local' check (source in ('local', 'tmdb', 'stub')),
    created_by uuid references accounts.users (id) on delete set null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
-- Serves the list of titles, newest first.
create index works_newest on catalogue.works (created_at desc, id desc);
-- Serves works_titled and the matching of films by title and year, which compare whole titles.
create index works_folded_title on catalogue.works (folded_title);
-- Serves the setting of created_by to null when an account goes.
create index works_created_by on catalogue.works (created_by);
-- Serves filters by attribute and by genre, in the shape `attributes @> {"genres": ["Drama"]}`; named as existing
-- tools know it.
create index idx_media_items_attributes_gin on catalogue.works using gin (attributes jsonb_path_ops);
-- Serves existing tools, which look for `attributes->'genres'` as a whole; cut, since an index takes no more.
create index idx_media_items_genre_btree on catalogue.works (left(attributes ->> 'genres', 200))
    where attributes ? 'genres';

-- Every name of every work, folded: its title, its original title and its alternative ones. This is what is
-- searched, so popularity and kind stand here, too. Kept by the triggers below.
create table catalogue.names (
    work_id text collate "C" not null references catalogue.works (id) on delete cascade,
    name text collate "C" not null,
    squeezed text collate "C" not null,
    words tsvector not null,
    kind text collate "C" not null,
    popularity double precision not null,
    fame smallint not null generated always as (catalogue.fame(popularity)) stored,
    primary key (work_id, name)
);
-- Serves search by the whole name and by its beginning, the best known first: `the` begins a hundred thousand.
create index names_beginning on catalogue.names (kind, fame, squeezed);
-- Serves search by words, once those that resemble the asked ones are known.
create index names_words on catalogue.names using gin (words);
-- Serves the look for a work that a new one may double (similarity of 0.8), and ILIKE as the last resort.
create index names_likeness on catalogue.names using gin (name public.gin_trgm_ops);

-- Every word of every name, once. Fuzzy search looks for likeness here, since a million titles have a hundred
-- thousand words: the trigrams of a million titles take 20 to 140 ms to look through, those of their words 1.
-- A word whose last work has gone stays, and finds nothing.
create table catalogue.words (
    word text collate "C" primary key
);
-- Serves the look for words like an asked one.
create index words_likeness on catalogue.words using gin (word public.gin_trgm_ops);
-- Serves the look for short words one edit away.
create index words_shortened on catalogue.words using gin (catalogue.shortened(word));

-- Keep names and words as the works are. Words are entered in their order, so that two who enter works at once
-- wait for each other at most, and never in a circle.
create function catalogue.keep_names() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        delete from catalogue.names n
        using before join entered using (id)
        where n.work_id = before.id
          and (before.title, before.original_title, before.alternative_titles, before.kind, before.popularity)
              is distinct from
              (entered.title, entered.original_title, entered.alternative_titles, entered.kind, entered.popularity);
    end if;
    with named as (
        insert into catalogue.names (work_id, name, squeezed, words, kind, popularity)
        select e.id, name, catalogue.squeezed(name), array_to_tsvector(catalogue.words_of(name)), e.kind,
               e.popularity
        from entered e
        cross join lateral (
            select distinct catalogue.folded(title) as name
            from unnest(e.alternative_titles || e.title || coalesce(e.original_title, e.title)) as title
        ) as names
        where not exists (select from catalogue.names n where n.work_id = e.id)
        returning words
    )
    insert into catalogue.words (word)
    select distinct said.word from named, unnest(tsvector_to_array(words)) as said(word)
    where not exists (select from catalogue.words w where w.word = said.word)
    order by said.word
    on conflict do nothing;
    return null;
end
$$;
create trigger keep_names_of_new after insert on catalogue.works
    referencing new table as entered
    for each statement execute function catalogue.keep_names();
create trigger keep_names_of_changed after update on catalogue.works
    referencing old table as before new table as entered
    for each statement execute function catalogue.keep_names();

-- Names of a kind that equal a title, but for spaces and signs, or resemble it by 0.8 or more.
create function catalogue.names_like(title text, kind_ text)
returns table (work_id text, likeness double precision)
language sql stable parallel safe
set pg_trgm.similarity_threshold = 0.8
-- The index is always right here: how many names are alike the planner can only guess, and guesses high.
set enable_seqscan = off
begin atomic
    select n.work_id, 1 from catalogue.names n, generate_series(0, 3) as of_fame(fame)
    where n.kind = kind_ and n.fame = of_fame.fame
      and n.squeezed = catalogue.squeezed(catalogue.folded(title))
    union all
    select n.work_id, public.similarity(n.name, catalogue.folded(title)) from catalogue.names n
    where n.name operator(public.%) catalogue.folded(title) and n.kind = kind_
      -- So few letters resemble nothing else that much, and stand in half of all names.
      and length(catalogue.folded(title)) > 4;
end;

-- What TMDB has told of films: when (null where only a list somebody imported names the film's id, so that the
-- rest is hearsay), whether all of it or only what a search shows, when it is to be asked again at the latest,
-- and since when it knows the film no more.
create table catalogue.tmdb_films (
    work_id text collate "C" primary key references catalogue.works (id) on delete cascade,
    is_complete boolean not null,
    refreshed_at timestamptz,
    due_at timestamptz not null,
    gone_at timestamptz
);
-- Serves the refreshing of what nobody looks at: the oldest first.
create index tmdb_films_due on catalogue.tmdb_films (due_at);

-- What TMDB answered to searches, under the normalised query: for a day nobody asks again, also where there was
-- nothing. Older answers serve while TMDB is away.
create table catalogue.tmdb_answers (
    query text collate "C" primary key,
    work_ids text[] not null,
    asked_at timestamptz not null
);
-- Serves the removal of answers older than a month.
create index tmdb_answers_asked_at on catalogue.tmdb_answers (asked_at);

-- One row, shared by all nodes: how often in a row TMDB has failed, and until when nobody asks it.
create table catalogue.tmdb_breaker (
    only_row boolean primary key default true check (only_row),
    failures integer not null default 0,
    rests_until timestamptz
);
insert into catalogue.tmdb_breaker default values;

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

-- How fresh TMDB's part of a film is.
create view catalogue.media_freshness as
    select work_id, is_complete, refreshed_at, gone_at from catalogue.tmdb_films;
