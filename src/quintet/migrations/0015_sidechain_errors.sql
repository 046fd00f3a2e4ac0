-- Error tracking: what plugins report, folded by user and fingerprint into rows, and rows into groups of everybody's.
-- Whoever records reports first locks the reporter's row in `sidechain.error_reporters`: so the rows of one user are
-- written by one batch at a time, on any node. Groups, which all share, are locked in the order of their ids.

-- Who reports, and how many rows their reports have opened on that day (UTC).
create table sidechain.error_reporters (
    user_id uuid primary key references accounts.users (id) on delete cascade,
    day date not null,
    opened integer not null default 0
) with (fillfactor = 50);  -- written with every batch: leave space for HOT updates

-- One problem, whoever has it. The id is a digest of source, severity and folded message, so that it is known
-- before it is looked up, and is the same on every node.
create table sidechain.error_groups (
    id uuid primary key,
    fingerprint uuid not null,  -- digest of the folded message alone
    source text not null check (source in ('Network', 'Audio', 'UI')),
    severity text not null check (severity in ('Info', 'Warning', 'Error', 'Critical')),
    message text not null,  -- as it was first reported
    pattern text not null,  -- folded
    users bigint not null,
    occurrences bigint not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    first_release text,
    resolved_at timestamptz,
    resolved_by uuid references accounts.users (id) on delete set null,
    reopened_at timestamptz
) with (fillfactor = 70);
-- Serves the list of groups, latest first, and the removal of old ones.
create index error_groups_latest on sidechain.error_groups (last_seen desc, id desc);
-- Serves the count of what is new since a release.
create index error_groups_new on sidechain.error_groups (first_seen);
-- Serves the end of an account.
create index error_groups_resolved_by on sidechain.error_groups (resolved_by) where resolved_by is not null;

-- Who ever reported it; kept as long as the group, so that its `users` counts nobody twice.
create table sidechain.error_group_users (
    group_id uuid references sidechain.error_groups (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    primary key (group_id, user_id)
);
-- Serves the cascade from accounts.
create index error_group_users_user on sidechain.error_group_users (user_id);

-- One user's reports of one group with less than an hour between any two that follow each other.
create table sidechain.errors (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    group_id uuid not null references sidechain.error_groups (id),
    source text not null,
    severity text not null,
    context json not null,  -- of the newest; json and not jsonb, which would write out 1e308
    -- The first reports. Once there are five they are written no more, which is most of what adding to a row costs.
    samples json[] not null,
    sampled smallint not null,
    occurrences bigint not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    resolved_at timestamptz,
    resolved_by uuid references accounts.users (id) on delete set null,
    reopened_at timestamptz
) with (fillfactor = 80);
-- Serves the look for the row that a report belongs to, and the look whether a group is empty.
create index errors_of_group on sidechain.errors (group_id, user_id, first_seen desc);
-- Serves one's own list, latest first, one's own statistics, and the cascade from accounts.
create index errors_own on sidechain.errors (user_id, last_seen desc, id desc);
-- Serves everybody's list, everybody's statistics, and the removal of old rows.
create index errors_latest on sidechain.errors (last_seen desc, id desc);
-- Serves the end of an account.
create index errors_resolved_by on sidechain.errors (resolved_by) where resolved_by is not null;

-- The words of a row, as first reported. Apart, because rows change with every report and this index should not.
create table sidechain.error_messages (
    error_id uuid primary key references sidechain.errors (id) on delete cascade,
    message text not null
);
-- Serves the search through messages.
create index error_messages_likeness on sidechain.error_messages using gin (message public.gin_trgm_ops);

-- How often a row's error occurred, by the hour in which it was recorded. The group is the row's own: everybody's
-- statistics add up groups, and need no row for that.
create table sidechain.error_hours (
    error_id uuid references sidechain.errors (id) on delete cascade,
    hour timestamptz not null,
    group_id uuid not null,
    occurrences bigint not null,
    primary key (error_id, hour)
) with (fillfactor = 80);
-- Serves everybody's statistics.
create index error_hours_latest on sidechain.error_hours (hour);

-- The releases that a user's reports named; `last_seen` moves once a day at most.
create table sidechain.error_releases (
    user_id uuid references accounts.users (id) on delete cascade,
    release text collate "C" not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    primary key (user_id, release)
);
-- Serves the look for the release that appeared last.
create index error_releases_appeared on sidechain.error_releases (release, first_seen);
