-- Live capture: where somebody is in a title right now, the players that tell it, and messages to their browsers.

-- A position is never ticked: it follows from the anchor, the speed and the length (`wigg.capture_position`).
-- Every milestone up to the anchor has been told where it was passed.
create table wigg.captures (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    title_id text collate "C" not null references catalogue.works (id) on delete cascade,
    mode text not null check (mode in ('manual', 'timed', 'player')),
    speed double precision not null check (speed > 0 and speed <= 16),
    length_seconds double precision check (length_seconds > 0),
    anchor_position integer not null check (anchor_position between 0 and 100000000),
    anchor_at timestamptz not null,
    paused_at timestamptz,
    started_at timestamptz not null,
    updated_at timestamptz not null,
    stopped_at timestamptz,
    wakes_at timestamptz                -- when it passes the next milestone that it has not told of
) with (fillfactor = 70);
-- Serves the start: one active capture per user and title, however many ask at once.
create unique index captures_active on wigg.captures (user_id, title_id) where stopped_at is null;
-- Serves the list of one's captures, active ones first.
create index captures_own on wigg.captures (user_id, (stopped_at is null) desc, started_at desc, id desc);
-- Serves the search for captures that are to wake up.
create index captures_wakes_at on wigg.captures (wakes_at) where wakes_at is not null;
-- Serves planning anew when a title's milestones or its length change, and the cascade from titles.
create index captures_title on wigg.captures (title_id);

-- Which milestones a capture has told of: each once, however often they are passed.
create table wigg.reached_milestones (
    capture_id uuid not null references wigg.captures (id) on delete cascade,
    milestone_id uuid not null references wigg.milestones (id) on delete cascade,
    reached_at timestamptz not null,
    primary key (capture_id, milestone_id)
);
-- Serves the cascade from milestones.
create index reached_milestones_milestone on wigg.reached_milestones (milestone_id);

-- Where a mark without a position was set, by the client's own id for it: the same request again marks there.
create table wigg.capture_marks (
    user_id uuid not null references accounts.users (id) on delete cascade,
    optimistic_id uuid not null,
    position integer not null,
    primary key (user_id, optimistic_id)
);

-- The position of a capture at a moment; the twin of `capture/rules.py`'s `position_at`, for many rows at once.
create function wigg.capture_position(capture wigg.captures, at_ timestamptz) returns integer
    language sql stable as $$
    select case
        when capture.mode = 'manual' or capture.paused_at is not null or capture.stopped_at is not null
             or capture.length_seconds is null then capture.anchor_position
        else least(100000000, capture.anchor_position + floor(0.5 + least(100000000, 100000000
            * capture.speed * greatest(0, extract(epoch from at_ - capture.anchor_at)::double precision)
            / capture.length_seconds)))::integer
    end
$$;

-- Somebody's player (or several behind one secret). Only a hash of the secret is kept.
create table wigg.players (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    -- Its index serves the look-up at every webhook.
    secret_hash bytea not null unique,
    created_at timestamptz not null
);
-- Serves the list of one's players.
create index players_own on wigg.players (user_id, created_at desc, id desc);

-- Media that players spoke of and the catalogue did not know: they wait without a title, and remember the one
-- they were bound to.
create table wigg.player_media (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    media_key bytea not null,
    player text not null,
    kind text,
    title text not null,
    series text,
    season integer,
    episode integer,
    year integer,
    duration_seconds double precision,
    last_event text not null,           -- and where that was: binding it to a title takes up from there
    position integer,
    seen_at timestamptz not null,
    title_id text collate "C" references catalogue.works (id) on delete cascade,
    -- Its index serves the look-up of what a player speaks of.
    unique (user_id, media_key)
);
-- Serves the list of what waits, newest first, and the removal of the oldest.
create index player_media_own on wigg.player_media (user_id, (title_id is null), seen_at desc, id desc);
-- Serves the cascade from titles.
create index player_media_title on wigg.player_media (title_id);

-- Browsers that want messages (RFC 8030); the keys encrypt for that browser alone (RFC 8291).
create table wigg.push_subscriptions (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    -- Its index serves the look-up when a browser subscribes again.
    endpoint text collate "C" not null unique,
    p256dh bytea not null,
    auth bytea not null,
    created_at timestamptz not null
);
-- Serves the sending to all browsers of a user.
create index push_subscriptions_own on wigg.push_subscriptions (user_id, created_at);

-- Messages on their way: written with the event they tell of, deleted when the push service has them.
create table wigg.pushes (
    id uuid primary key,
    subscription_id uuid not null references wigg.push_subscriptions (id) on delete cascade,
    message text not null,
    attempts integer not null default 0,
    due_at timestamptz not null,
    expires_at timestamptz not null
);
-- Serves the search for what is due.
create index pushes_due_at on wigg.pushes (due_at);
-- Serves the bound of messages per browser, and the cascade from subscriptions.
create index pushes_subscription on wigg.pushes (subscription_id);
