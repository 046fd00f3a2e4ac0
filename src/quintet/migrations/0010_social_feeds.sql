-- What somebody did, on its way into the live `feed` of those who follow them.

-- Who has ever listened to their feed. For others nothing is written: a follower who has no such room misses
-- nothing in it. They stay for ever, since whoever comes back after a year must be told of the gap.
create table social.feed_listeners (
    user_id uuid primary key references accounts.users (id) on delete cascade,
    since timestamptz not null
);

-- Written in the transaction of the deed, passed on after it and removed: so a deed waits for nobody's followers,
-- and a server that is killed leaves nothing untold.
create table social.tellings (
    id bigint generated always as identity primary key,
    author_id uuid not null references accounts.users (id) on delete cascade,
    body json not null,
    told_up_to uuid,  -- the last follower who has it, where there are too many for one transaction
    at timestamptz not null
);
-- Serves the cascade from accounts.
create index tellings_author on social.tellings (author_id);

-- How people's followers were last told that they are; who is not here is offline. Learnt anew after a crash.
create unlogged table social.statuses_told (
    user_id uuid primary key,
    status text not null
);
