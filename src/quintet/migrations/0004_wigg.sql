-- WIGG: marks of when a title gets good, the curves drawn from them, and the time to good.

create schema wigg;

-- Positions are integers: millionths of a percent of the title's length.
create table wigg.wiggs (
    id uuid primary key,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    position integer not null check (position between 0 and 100000000),
    rating smallint check (rating between 0 and 3),
    note text check (length(note) <= 2000),
    session_id uuid,
    action_id uuid not null,            -- the action that wrote this row last: undo asks for it
    marked_at timestamptz not null,     -- when its author last marked it, by the author's clock where given
    client_created_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
-- Serves one's own marks of a title, and the cascade from accounts.
create index wiggs_own on wigg.wiggs (user_id, title_id);
-- Serves the computation of a curve on a grid that is not kept ready, and rebuild.
create index wiggs_title on wigg.wiggs (title_id) include (user_id, position, rating);

-- A painting is a step function: pieces that do not overlap, scores in millionths.
create table wigg.paintings (
    user_id uuid not null references accounts.users (id) on delete cascade,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    starts integer not null check (starts >= 0),
    ends integer not null check (ends > starts and ends <= 100000000),
    score integer not null check (score between 0 and 4000000),
    version bigint not null,            -- the title's, after the write that changed this piece last
    painted_at timestamptz not null,
    session_id uuid,
    action_id uuid not null,            -- the action that painted it: undo asks for it
    primary key (user_id, title_id, starts)
);
-- Serves the computation of a curve on a grid that is not kept ready, and rebuild.
create index paintings_title on wigg.paintings (title_id);

-- The curve of a title on the four grids kept ready (12, 20, 30 and 40 segments, one after the other: 102
-- cells), as integer sums of voices (millionths) and counts of voices; and, for the time to good, how the
-- voices of the 20 segments spread over the levels 0..4 (100 cells, millionths).
create table wigg.curves (
    title_id text collate "C" primary key references catalogue.works (id) on delete cascade,
    version bigint not null,
    wiggs_count bigint not null,
    users_count bigint not null,
    sums bigint[] not null,
    voices integer[] not null,
    levels bigint[] not null
) with (fillfactor = 40);  -- rows of 2 KiB, updated by every mark: leave space for HOT updates
-- Arrays stay in the row: compressing or moving them out at each update would cost more than it saves.
alter table wigg.curves alter sums set storage plain, alter voices set storage plain,
    alter levels set storage plain;

-- Titles whose time to good is to be computed anew, written with every change: nothing is forgotten in a crash.
create table wigg.t2g_due (
    title_id text collate "C" primary key references catalogue.works (id) on delete cascade,
    due_at timestamptz not null
);
-- Serves the search for what is due.
create index t2g_due_at on wigg.t2g_due (due_at);

-- The time to good as last computed from a title's own curve.
create table wigg.t2g (
    title_id text collate "C" primary key references catalogue.works (id) on delete cascade,
    estimate_pct double precision,
    steady_from_pct double precision,
    confidence text not null,
    sample_size bigint not null,
    segment_sample_size bigint not null,
    interval_start_pct double precision,
    interval_end_pct double precision,
    revision bigint not null,
    updated_at timestamptz not null
);
-- Serves the fallback: estimates of titles that a community spoke of.
create index t2g_community on wigg.t2g (title_id) include (estimate_pct)
    where sample_size >= 3 and estimate_pct is not null;

create table wigg.t2g_history (
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    revision bigint not null,
    estimate_pct double precision,
    confidence text not null,
    sample_size bigint not null,
    basis text not null,
    at timestamptz not null,
    primary key (title_id, revision)
);

-- What a client's own id (for marks placed offline) has become; kept even after the mark is deleted.
create table wigg.optimistic_ids (
    user_id uuid not null references accounts.users (id) on delete cascade,
    optimistic_id uuid not null,
    title_id text collate "C" not null,
    fingerprint bytea not null,
    action_id uuid not null,
    answer jsonb not null,
    created_at timestamptz not null,
    primary key (user_id, optimistic_id)
);

-- Who did what, with the states before and after. Only a hash of the undo token is kept. Undoing and redoing
-- are rows, too: `subject_id` is what they are about, `targets` are all the actions they took back or brought
-- back, and their token is a redo token or an undo token.
create table wigg.edit_actions (
    id uuid primary key,
    number bigint generated always as identity,  -- the order in which a user's actions on a title happened
    user_id uuid not null references accounts.users (id) on delete cascade,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    session_id uuid,
    batch_id uuid,
    direction text not null default 'do' check (direction in ('do', 'undo', 'redo')),
    action_type text not null,
    subject_id uuid,
    targets uuid[],
    before jsonb not null,
    after jsonb not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    spent_at timestamptz,               -- when its token was used
    undone_at timestamptz               -- since when it is undone; null again after a redo
);
-- Serves a user's newest actions on a title, and the cascade from accounts.
create index edit_actions_own on wigg.edit_actions (user_id, title_id, number desc);
-- Serves the actions of an edit session, newest first.
create index edit_actions_session on wigg.edit_actions (session_id, number desc) where session_id is not null;
-- Serves the undoing of a batch: the placings it is made of.
create index edit_actions_batch on wigg.edit_actions (batch_id) where batch_id is not null;
-- Serves undoing by an action's id: its newest redo.
create index edit_actions_redone on wigg.edit_actions (subject_id, number desc) where direction = 'redo';

-- Which action removed a mark that is gone: the identity of its absence, so that an undo sees whether the
-- last removal is still the one it takes back. A mark that never was, or whose placing was undone, has no row.
create table wigg.removed_wiggs (
    wigg_id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    action_id uuid not null
);
-- Serves the cascade from accounts.
create index removed_wiggs_own on wigg.removed_wiggs (user_id);

-- A stay in Edit Graph Mode. It ends by its author, when it has run out, or when it is full.
create table wigg.edit_sessions (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    idle interval not null,             -- how long it lasts without a write or a heartbeat
    started_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    actions_count integer not null default 0
) with (fillfactor = 80);  -- every write in a session updates its row: leave space for HOT updates
-- Serves the search for sessions that have run out, and a user's open ones. The time they run out is not in
-- it: every write would have to move it.
create index edit_sessions_open on wigg.edit_sessions (user_id) where ended_at is null;
-- Serves the cascade from accounts.
create index edit_sessions_own on wigg.edit_sessions (user_id);
-- Serves the removal of sessions that ended long ago.
create index edit_sessions_ended on wigg.edit_sessions (ended_at) where ended_at is not null;

create table wigg.milestones (
    id uuid primary key,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    position integer not null check (position between 0 and 100000000),
    label text not null check (length(label) between 1 and 120),
    folded_label text not null generated always as (catalogue.folded(label)) stored,
    icon text not null,
    source text not null check (source in ('community', 'scraped', 'official')),
    verified_by uuid references accounts.users (id) on delete set null,
    verified_at timestamptz,
    created_by uuid references accounts.users (id) on delete set null,
    created_at timestamptz not null
);
-- Serves a title's milestones in their order.
create index milestones_title on wigg.milestones (title_id, position);
-- Serves the setting of created_by to null when an account goes.
create index milestones_created_by on wigg.milestones (created_by);
-- Serves the setting of verified_by to null when an account goes.
create index milestones_verified_by on wigg.milestones (verified_by);

-- Add to a title's curve. Cells are numbered from 1; the row is locked from here to the commit, so callers
-- come here last. The time to good is then due within a second. Answers the title's new version.
create function wigg.add_to_curve(
    title_id_ text, wiggs_ integer, users_ integer,
    cells integer[], sums_ bigint[], voices_ integer[], level_cells integer[], levels_ bigint[]
) returns bigint language plpgsql as $$
declare
    curve wigg.curves;
begin
    select * into curve from wigg.curves where title_id = title_id_ for update;
    if not found then
        perform wigg.empty_curve(title_id_);
        select * into curve from wigg.curves where title_id = title_id_ for update;
    end if;
    for i in 1 .. cardinality(cells) loop
        curve.sums[cells[i]] := curve.sums[cells[i]] + sums_[i];
        curve.voices[cells[i]] := curve.voices[cells[i]] + voices_[i];
    end loop;
    for i in 1 .. cardinality(level_cells) loop
        curve.levels[level_cells[i]] := curve.levels[level_cells[i]] + levels_[i];
    end loop;
    update wigg.curves
    set version = curve.version + 1, wiggs_count = curve.wiggs_count + wiggs_,
        users_count = curve.users_count + users_, sums = curve.sums, voices = curve.voices,
        levels = curve.levels
    where title_id = title_id_;
    insert into wigg.t2g_due (title_id, due_at) values (title_id_, clock_timestamp() + interval '1 second')
    on conflict do nothing;
    return curve.version + 1;
end
$$;

-- Every voice of a title on the grid whose segments start at `starts_` (the last ends at 100 %).
-- A voice is the length-weighted mean of what its user painted in the segment, else the mean of the user's
-- marks in it: an integer of millionths, half up. A mark counts 2, or 0, 2, 3, 4 by its rating.
create function wigg.voices_of(title_id_ text, starts_ integer[])
returns table (segment integer, user_id uuid, voice bigint) language sql stable as $$
    with grid as (
        select (place - 1)::integer as segment, starts,
               coalesce(lead(starts) over (order by place), 100000000) as ends
        from unnest(starts_) with ordinality as g(starts, place)
    ), painted as (
        select grid.segment, p.user_id,
               div(2 * sum(p.score::bigint * share.length) + sum(share.length), 2 * sum(share.length)) as voice
        from wigg.paintings p
        join grid on p.starts < grid.ends and p.ends > grid.starts
        cross join lateral (
            select (least(p.ends, grid.ends) - greatest(p.starts, grid.starts))::bigint as length
        ) share
        where p.title_id = title_id_
        group by grid.segment, p.user_id
    ), marked as (
        select width_bucket(w.position, starts_) - 1 as segment, w.user_id,
               (2 * 1000000 * sum((array[0, 2, 3, 4])[coalesce(w.rating, 1) + 1]) + count(*))
               / (2 * count(*)) as voice
        from wigg.wiggs w
        where w.title_id = title_id_
        group by 1, 2
    )
    select segment, user_id, voice::bigint from painted
    union all
    select m.segment, m.user_id, m.voice from marked m
    where not exists (
        select from painted p where p.segment = m.segment and p.user_id = m.user_id
    )
$$;

-- A title's curve computed anew from every voice, in the form `wigg.curves` keeps it: what `rebuild` compares with.
create function wigg.curve_anew(
    title_id_ text, out wiggs_count bigint, out users_count bigint,
    out sums bigint[], out voices integer[], out levels bigint[]
) language sql stable as $$
    with grid as (
        select n, array(
            select ((2 * k * 100000000::bigint + n) / (2 * n))::integer
            from generate_series(0, n - 1) as k order by k
        ) as starts
        from unnest(array[12, 20, 30, 40]) as n
    ), spoken as (
        select grid.n, v.segment, v.voice
        from grid cross join lateral wigg.voices_of(title_id_, grid.starts) v
    ), cell as (
        select grid.n, k, coalesce(sum(s.voice), 0)::bigint as total, count(s.voice)::integer as people
        from grid
        cross join lateral generate_series(0, grid.n - 1) as k
        left join spoken s on s.n = grid.n and s.segment = k
        group by grid.n, k
    ), level as (
        -- A voice between two levels is shared linearly.
        select k, l, coalesce(sum(greatest(0, 1000000 - abs(s.voice - l * 1000000))), 0)::bigint as weight
        from generate_series(0, 19) as k
        cross join generate_series(0, 4) as l
        left join spoken s on s.n = 20 and s.segment = k
        group by k, l
    )
    select (select count(*) from wigg.wiggs where title_id = title_id_),
           (select count(*) from (
               select user_id from wigg.wiggs where title_id = title_id_
               union select user_id from wigg.paintings where title_id = title_id_
           ) speaker),
           (select array_agg(total order by n, k) from cell),
           (select array_agg(people order by n, k) from cell),
           (select array_agg(weight order by k, l) from level)
$$;

-- All that a user says of a title, in the order along it; no row where there is no title.
create function wigg.own(user_id_ uuid, title_id_ text)
returns table (title_id text, wiggs jsonb, painting jsonb) language sql stable as $$
    select t.id,
           (select coalesce(jsonb_agg(mark order by mark.position, mark.created_at, mark.id), '[]')
            from wigg.wiggs mark where mark.user_id = user_id_ and mark.title_id = title_id_),
           (select coalesce(jsonb_agg(piece order by piece.starts), '[]')
            from wigg.paintings piece where piece.user_id = user_id_ and piece.title_id = title_id_)
    from catalogue.titles t where t.id = title_id_
$$;

-- The same, for one transaction at a time: the lock is taken first, and what is read then is what was committed
-- before it. An advisory lock: it costs no write, and a clash of hashes only makes somebody wait.
create function wigg.own_locked(user_id_ uuid, title_id_ text)
returns table (title_id text, wiggs jsonb, painting jsonb) language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('wigg ' || user_id_ || ' ' || title_id_, 0));
    return query select * from wigg.own(user_id_, title_id_);
end
$$;

-- The same, with those of the named edit sessions that are this user's and of this title, locked, too: no
-- sweeper ends one while it is written in.
create function wigg.own_in_sessions(user_id_ uuid, title_id_ text, session_ids uuid[])
returns table (title_id text, wiggs jsonb, painting jsonb, sessions jsonb) language plpgsql as $$
declare
    found_sessions jsonb;
begin
    perform pg_advisory_xact_lock(hashtextextended('wigg ' || user_id_ || ' ' || title_id_, 0));
    select coalesce(jsonb_agg(session), '[]') into found_sessions
    from (
        select s.* from wigg.edit_sessions s
        where s.id = any(session_ids) and s.user_id = user_id_ and s.title_id = title_id_
        order by s.id
        for no key update
    ) session;
    return query select own.*, found_sessions from wigg.own(user_id_, title_id_) own;
end
$$;

-- A title with its time to good as last computed, and what it takes to tell it.
create view wigg.titles_told as
    select t.id, t.kind, t.genres, t.total_length_seconds,
           own.estimate_pct, own.steady_from_pct, coalesce(own.confidence, 'low') as confidence,
           coalesce(own.sample_size, 0) as sample_size,
           coalesce(own.segment_sample_size, 0) as segment_sample_size,
           own.interval_start_pct, own.interval_end_pct,
           coalesce(own.revision, 0) as revision, coalesce(own.updated_at, t.created_at) as updated_at,
           coalesce(c.wiggs_count, 0) as wiggs_count, coalesce(c.users_count, 0) as users_count,
           coalesce(r.seq, 0) as room_seq, coalesce(e.seq, 0) as estimates_seq
    from catalogue.titles t
    left join wigg.t2g own on own.title_id = t.id
    left join wigg.curves c on c.title_id = t.id
    left join kernel.room_seqs r on r.room = 'title:' || t.id
    left join kernel.room_seqs e on e.room = 'wigg-estimates';

-- A title nobody has spoken of yet has an empty curve.
create function wigg.empty_curve(title_id_ text) returns void language sql as $$
    insert into wigg.curves
    values (title_id_, 0, 0, 0, array_fill(0, array[102]), array_fill(0, array[102]), array_fill(0, array[100]))
    on conflict do nothing
$$;
