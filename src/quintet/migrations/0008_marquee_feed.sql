-- Marquee's feed and leaderboard: what people did, and counters of what they rank, kept by triggers on the
-- rankings, so that whoever writes those, one or thousands in a statement, leaves everything exact.

-- What somebody did, for those who follow them. It lives as long as the ranking it is about, and shows that
-- ranking's present title and note: what was taken back is nowhere told any more.
create table marquee.activities (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    kind text not null check (kind in ('ranked', 'moved', 'noted')),
    ranking_id uuid not null references marquee.user_rankings (id) on delete cascade,
    tier text collate "C" not null references marquee.tier_bands (tier),
    from_tier text collate "C" references marquee.tier_bands (tier),
    count integer not null default 1,
    at timestamptz not null,
    check ((kind = 'moved') = (from_tier is not null))
);
-- Serves a feed's first look: the newest that anybody did.
create index activities_newest on marquee.activities (at desc, id desc) include (user_id);
-- Serves a feed's second look: the newest that each of the followed did; and the cascade from accounts.
create index activities_own on marquee.activities (user_id, at desc, id desc);
-- Serves the folding of moves of one ranking, and the cascade from the rankings.
create index activities_ranking on marquee.activities (ranking_id, kind, at desc);
-- Serves the one telling of a ranking's note, which moves up when the note changes and goes when it is emptied.
create unique index activities_note on marquee.activities (ranking_id) where kind = 'noted';

-- The constants of the Bayesian mean: every title is seen as if m more people had given it C.
create table marquee.prior (
    only_row boolean primary key default true check (only_row),
    m double precision not null check (m > 0),
    c double precision not null
);
insert into marquee.prior (m, c) values (10, 6.5);

-- What the mean is made of, in one row: the constants, and the middle of each tier's band.
create view marquee.weights as
    select m, c,
           (select (lo + hi) / 2 from marquee.tier_bands where tier = 'S') as of_s,
           (select (lo + hi) / 2 from marquee.tier_bands where tier = 'A') as of_a,
           (select (lo + hi) / 2 from marquee.tier_bands where tier = 'B') as of_b,
           (select (lo + hi) / 2 from marquee.tier_bands where tier = 'C') as of_c,
           (select (lo + hi) / 2 from marquee.tier_bands where tier = 'D') as of_d
    from marquee.prior;

-- (m·C + Σs) / (m + n), where each ranking says the middle of its tier's band. Whoever changes `marquee.prior` or
-- the bands runs `select marquee.recount_rankings()` after it.
create function marquee.bayesian_mean(
    w marquee.weights, s integer, a integer, b integer, c integer, d integer
) returns double precision language sql immutable
    return (w.m * w.c + s * w.of_s + a * w.of_a + b * w.of_b + c * w.of_c + d * w.of_d)
           / (w.m + s + a + b + c + d);

-- How many people ranked a title in each tier; private accounts are not counted.
create table marquee.media_counts (
    media_id text collate "C" primary key references catalogue.works (id) on delete cascade,
    s integer not null,
    a integer not null,
    b integer not null,
    c integer not null,
    d integer not null,
    rankings integer not null generated always as (s + a + b + c + d) stored,
    score double precision not null
);
-- Serves the leaderboard: best mean first, then most rankings, then by id.
create index media_counts_board on marquee.media_counts ((-score), (-rankings), media_id) where rankings > 0;

create function marquee.score_media() returns trigger language plpgsql as $$
begin
    select marquee.bayesian_mean(w, new.s, new.a, new.b, new.c, new.d) into new.score from marquee.weights w;
    return new;
end
$$;
create trigger score_media before insert or update on marquee.media_counts
    for each row execute function marquee.score_media();

-- The same by the UTC day on which the ranking was first made; days nobody asks for any more are removed.
create table marquee.media_days (
    day date not null,
    media_id text collate "C" not null references catalogue.works (id) on delete cascade,
    s integer not null,
    a integer not null,
    b integer not null,
    c integer not null,
    d integer not null,
    primary key (day, media_id)  -- its index serves the leaderboard of the last days
);
-- Serves the cascade from the catalogue.
create index media_days_media on marquee.media_days (media_id);

-- How many titles somebody ranked, and whether their rankings count for everybody. Its row is locked by every
-- change of somebody's rankings and by a change of their privacy, so one always sees what the other did.
-- No reference to accounts: when an account goes, its rankings may go after what refers to it, and are then still
-- to be counted out of the right counters.
create table marquee.rankers (
    user_id uuid primary key,
    titles integer not null default 0,
    is_private boolean not null default false
) with (fillfactor = 80);
-- Serves the leaderboard of people: most titles first, then by id.
create index rankers_board on marquee.rankers ((-titles), user_id) where titles > 0;

-- The same by the UTC day.
create table marquee.ranker_days (
    day date not null,
    user_id uuid not null,
    titles integer not null,
    primary key (day, user_id)  -- its index serves the leaderboard of people of the last days
);

insert into marquee.rankers (user_id, is_private) select user_id, true from social.privacy where is_private;

-- A ranking that came (n = 1) or went (n = -1); a move to another tier is both.
create type marquee.ranking_change as (user_id uuid, media_id text, tier text, day date, n integer);

-- Count changes into what everybody sees. Rows are taken in the order of their keys, so that two who count
-- never wait for each other in a circle.
create function marquee.count_for_everybody(changes_ marquee.ranking_change[]) returns void
    language plpgsql as $$  -- which keeps its plans, as SQL does not
begin
    insert into marquee.media_counts as kept (media_id, s, a, b, c, d, score)
    select media_id,
           coalesce(sum(n) filter (where tier = 'S'), 0), coalesce(sum(n) filter (where tier = 'A'), 0),
           coalesce(sum(n) filter (where tier = 'B'), 0), coalesce(sum(n) filter (where tier = 'C'), 0),
           coalesce(sum(n) filter (where tier = 'D'), 0), 0
    from unnest(changes_)
    group by media_id
    order by media_id
    on conflict (media_id) do update
    set s = kept.s + excluded.s, a = kept.a + excluded.a, b = kept.b + excluded.b, c = kept.c + excluded.c,
        d = kept.d + excluded.d;

    insert into marquee.media_days as kept (day, media_id, s, a, b, c, d)
    select day, media_id,
           coalesce(sum(n) filter (where tier = 'S'), 0), coalesce(sum(n) filter (where tier = 'A'), 0),
           coalesce(sum(n) filter (where tier = 'B'), 0), coalesce(sum(n) filter (where tier = 'C'), 0),
           coalesce(sum(n) filter (where tier = 'D'), 0)
    from unnest(changes_)
    group by day, media_id
    order by day, media_id
    on conflict (day, media_id) do update
    set s = kept.s + excluded.s, a = kept.a + excluded.a, b = kept.b + excluded.b, c = kept.c + excluded.c,
        d = kept.d + excluded.d;
end
$$;

-- Count changes: for each person, and for everybody where the person is not private.
create function marquee.count_rankings(changes_ marquee.ranking_change[]) returns void language plpgsql as $$
begin
    -- Also where nothing comes or goes in sum: this locks the rows, and what is read of them below stays so.
    insert into marquee.rankers as kept (user_id, titles)
    select user_id, sum(n) from unnest(changes_) group by user_id order by user_id
    on conflict (user_id) do update set titles = kept.titles + excluded.titles;

    insert into marquee.ranker_days as kept (day, user_id, titles)
    select day, user_id, sum(n) from unnest(changes_) group by day, user_id having sum(n) <> 0
    order by day, user_id
    on conflict (day, user_id) do update set titles = kept.titles + excluded.titles;

    perform marquee.count_for_everybody(array(
        select (change.*)::marquee.ranking_change
        from unnest(changes_) change join marquee.rankers r on r.user_id = change.user_id and not r.is_private
    ));
end
$$;

create function marquee.count_inserted() returns trigger language plpgsql as $$
begin
    perform marquee.count_rankings(array(
        select (user_id, media_id, tier, (created_at at time zone 'UTC')::date, 1)::marquee.ranking_change
        from changed
    ));
    return null;
end
$$;
create function marquee.count_deleted() returns trigger language plpgsql as $$
begin
    perform marquee.count_rankings(array(
        select (user_id, media_id, tier, (created_at at time zone 'UTC')::date, -1)::marquee.ranking_change
        from changed
    ));
    return null;
end
$$;
create function marquee.count_changed() returns trigger language plpgsql as $$
begin
    perform marquee.count_rankings(array[
        (old.user_id, old.media_id, old.tier, (old.created_at at time zone 'UTC')::date, -1),
        (new.user_id, new.media_id, new.tier, (new.created_at at time zone 'UTC')::date, 1)
    ]::marquee.ranking_change[]);
    return null;
end
$$;

create trigger count_inserted after insert on marquee.user_rankings
    referencing new table as changed for each statement execute function marquee.count_inserted();
create trigger count_deleted after delete on marquee.user_rankings
    referencing old table as changed for each statement execute function marquee.count_deleted();
-- By the row, so that moves inside a tier and rebalances, which change nothing here, cost nothing.
create trigger count_changed after update on marquee.user_rankings for each row
    when ((old.user_id, old.media_id, old.tier, old.created_at)
          is distinct from (new.user_id, new.media_id, new.tier, new.created_at))
    execute function marquee.count_changed();

-- Somebody's account became private, or stopped being so: take their rankings out of what everybody sees, or
-- put them in. Waits for writes of theirs that are under way; those that begin later wait for this.
create function marquee.set_private(user_ uuid, private_ boolean) returns void language plpgsql as $$
declare
    was_private boolean;
begin
    insert into marquee.rankers (user_id) values (user_) on conflict do nothing;
    select is_private into was_private from marquee.rankers where user_id = user_ for no key update;
    if was_private = private_ then
        return;
    end if;
    update marquee.rankers set is_private = private_ where user_id = user_;
    perform marquee.count_for_everybody(array(
        select (user_id, media_id, tier, (created_at at time zone 'UTC')::date,
                case when private_ then -1 else 1 end)::marquee.ranking_change
        from marquee.user_rankings where user_id = user_
    ));
end
$$;

-- All counters anew from the rankings: after the constants changed, or to mend what somebody bent by hand.
-- Writes of rankings and changes of privacy wait meanwhile.
create function marquee.recount_rankings() returns void language plpgsql as $$
begin
    lock table marquee.user_rankings, marquee.rankers in share row exclusive mode;
    delete from marquee.media_counts;
    delete from marquee.media_days;
    delete from marquee.ranker_days;
    update marquee.rankers set titles = 0, is_private = false;
    insert into marquee.rankers (user_id, is_private) select user_id, true from social.privacy where is_private
    on conflict (user_id) do update set is_private = true;
    perform marquee.count_rankings(array(
        select (user_id, media_id, tier, (created_at at time zone 'UTC')::date, 1)::marquee.ranking_change
        from marquee.user_rankings
    ));
end
$$;
