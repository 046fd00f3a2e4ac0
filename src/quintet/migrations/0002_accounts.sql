-- Accounts: people, how they prove who they are, and the sessions they are signed in by.
-- All times here are told by the database's clock, since nodes' clocks differ.

create schema accounts;

create table accounts.users (
    id uuid primary key,
    username text not null,
    -- Equal for names that differ by case or look alike. Its index serves the look-up by username and the
    -- search for free ones.
    username_skeleton text collate "C" not null unique,
    display_name text not null,
    email text,
    -- Its index serves the look-up by e-mail. Both are null for people of an outside issuer that vouches
    -- for no address.
    email_folded text collate "C" unique,
    email_verified_at timestamptz,
    role text not null default 'user' check (role in ('user', 'moderator', 'admin')),
    created_at timestamptz not null default now(),
    check ((email is null) = (email_folded is null))
);

-- What other domains and apps may know of people.
create view accounts.people as select id, username, display_name, created_at from accounts.users;

create table accounts.passwords (
    user_id uuid primary key references accounts.users on delete cascade,
    hash text not null,
    changed_at timestamptz not null default now()
);

-- Who an outside issuer says somebody is.
create table accounts.identities (
    id uuid primary key,
    user_id uuid not null references accounts.users on delete cascade,
    issuer text collate "C" not null,
    subject text collate "C" not null,
    created_at timestamptz not null default now(),
    -- Serves the look-up of the bearer of an outside token.
    unique (issuer, subject)
);

-- A session is one sign-in and all the tokens that came of it. Its row goes when `expires_at` has passed:
-- by then no token of it can be good any more, so nothing is forgotten that must still be refused.
create table accounts.sessions (
    id uuid primary key,
    user_id uuid not null references accounts.users on delete cascade,
    user_agent text not null,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    identity_id uuid references accounts.identities on delete cascade,
    external_id text collate "C",
    check ((identity_id is null) = (external_id is null))
);
-- Serves the list of one's sessions and the ending of all others.
create index sessions_user_id_id on accounts.sessions (user_id, id);
-- Serves the look-up of an outside issuer's session.
create unique index sessions_identity_id_external_id on accounts.sessions (identity_id, external_id)
    where identity_id is not null;
-- Serves the removal of sessions that have run out.
create index sessions_expires_at on accounts.sessions (expires_at);

-- Refresh tokens by their SHA-256. A spent one stays until it expires, so that using it again is noticed.
create table accounts.refresh_tokens (
    hash bytea primary key,
    session_id uuid not null references accounts.sessions on delete cascade,
    expires_at timestamptz not null,
    spent_at timestamptz
);
-- Serves the removal of a session together with its tokens.
create index refresh_tokens_session_id on accounts.refresh_tokens (session_id);
-- Serves the removal of expired tokens.
create index refresh_tokens_expires_at on accounts.refresh_tokens (expires_at);

-- Where somebody has signed in from, as a keyed hash: the addresses themselves are nowhere.
create table accounts.trusted_addresses (
    user_id uuid not null references accounts.users on delete cascade,
    address_mac bytea not null,
    seen_at timestamptz not null default now(),
    primary key (user_id, address_mac)
);
-- Serves the removal of addresses not seen for 30 days.
create index trusted_addresses_seen_at on accounts.trusted_addresses (seen_at);
