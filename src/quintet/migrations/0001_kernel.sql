-- The kernel's own tables: secrets, keys, limits, idempotency, and the log of every room.

create extension if not exists pg_trgm;
create extension if not exists unaccent;

-- The schema itself is made by the runner, which keeps its own record in it.

-- Keys made at first start, shared by all nodes: cursors, idempotency, undo tokens, addresses.
create table kernel.secrets (
    name text primary key,
    value bytea not null,
    created_at timestamptz not null default now()
);

-- Ed25519 keys that sign access tokens. The newest one that is active signs; all listed ones verify.
create table kernel.signing_keys (
    kid text primary key,
    private_key bytea not null,
    public_key bytea not null,
    created_at timestamptz not null default now(),
    active_from timestamptz not null,
    retired_at timestamptz
);

-- One row: the epoch of all room numbering. Restoring a backup changes it, so that clients which saw
-- numbers the backup does not know are told to read anew.
create table kernel.epoch (
    only_row boolean primary key default true check (only_row),
    epoch uuid not null default gen_random_uuid()
);
insert into kernel.epoch default values;

create table kernel.rooms (
    room text collate "C" primary key,
    seq bigint not null
) with (fillfactor = 70);  -- room rows are updated all the time: leave space for HOT updates

create table kernel.room_events (
    room text collate "C" not null,
    seq bigint not null,
    at timestamptz not null,
    body json not null,
    author_id uuid,  -- whose request it was, and what that called itself: told to the author alone
    cause text,
    primary key (room, seq)
);
-- Serves the collection of old events.
create index room_events_at on kernel.room_events using brin (at);

-- Answers kept for 24 hours, sealed under a key only the caller's Idempotency-Key yields.
create table kernel.idempotency_keys (
    id bytea primary key,
    fingerprint bytea not null,
    sealed bytea not null,
    created_at timestamptz not null
);
-- Serves the removal of keys older than a day.
create index idempotency_keys_created_at on kernel.idempotency_keys (created_at);

-- Keep the answer to a request under its key. An expired answer gives way; a living one means that another
-- node won a race, and the transaction is to be run anew (then it finds the other's answer).
create function kernel.keep_answer(
    id_ bytea, fingerprint_ bytea, sealed_ bytea, now_ timestamptz, expired_before timestamptz
) returns void language plpgsql as $$
begin
    insert into kernel.idempotency_keys as kept (id, fingerprint, sealed, created_at)
    values (id_, fingerprint_, sealed_, now_)
    on conflict (id) do update
    set fingerprint = excluded.fingerprint, sealed = excluded.sealed, created_at = excluded.created_at
    where kept.created_at <= expired_before;
    if not found then
        raise serialization_failure using message = 'this idempotency key was committed meanwhile';
    end if;
end
$$;

-- Unlogged: losing the limits in a crash costs nobody anything, writing them to the WAL would.
create unlogged table kernel.rate_limits (
    policy text collate "C" not null,
    key text collate "C" not null,
    granted integer not null,
    arrives_at double precision not null,
    primary key (policy, key)
) with (fillfactor = 70);

-- GCRA, the generic cell rate algorithm (ITU-T I.371): a row keeps the theoretical arrival time of the
-- next cell. `wanted` cells are asked for, `returned` unused ones given back first. Answers how many are
-- granted (0..wanted) and how many seconds' worth of the burst is in use afterwards. One statement, so
-- that any number of nodes share one limit; the database's clock is the only one.
create function kernel.take_allowance(
    in policy_ text, in key_ text, in wanted integer, in returned integer,
    in interval_ double precision, in burst integer,
    out granted integer, out used_seconds double precision
) language plpgsql as $$
declare
    present constant double precision := extract(epoch from clock_timestamp());
begin
    insert into kernel.rate_limits as r (policy, key, granted, arrives_at)
    values (policy_, key_, least(wanted, burst), present + least(wanted, burst) * interval_)
    on conflict (policy, key) do update set
        granted = greatest(0, least(wanted, floor(
            burst - (greatest(r.arrives_at - returned * interval_, present) - present) / interval_ + 1e-6
        )::integer)),
        arrives_at = greatest(r.arrives_at - returned * interval_, present) + interval_ * greatest(0, least(wanted, floor(
            burst - (greatest(r.arrives_at - returned * interval_, present) - present) / interval_ + 1e-6
        )::integer))
    returning r.granted, greatest(r.arrives_at - present, 0) into granted, used_seconds;
end
$$;

-- The processes that serve, each as long as it keeps saying so; and who is connected to them. All of it is
-- learnt anew from the living within seconds, so none of it need survive a crash of the database.
create unlogged table kernel.nodes (
    id uuid primary key,
    seen_at timestamptz not null,
    figures jsonb not null default '{}'
);

-- One row for a user in a room on a node; the room '' stands for being connected at all.
create unlogged table kernel.presence (
    room text collate "C" not null,
    user_id uuid not null,
    node_id uuid not null references kernel.nodes (id) on delete cascade,
    status text not null,
    mode text,
    connections integer not null,
    since timestamptz not null,
    primary key (room, user_id, node_id)
);
-- Serves the removal of a node that has gone.
create index presence_node on kernel.presence (node_id);

-- What opens a socket or a stream once, in the place of a token. Only a hash is kept. One used on a stream
-- stays good for that path.
create table kernel.tickets (
    hash bytea primary key,
    session_id uuid not null,
    token_expires_at timestamptz not null,
    created_at timestamptz not null,
    used_for text
);
-- Serves the removal of old ones.
create index tickets_created_at on kernel.tickets (created_at);

-- What floors above may read of people: who is connected, on living nodes, and whether in the studio.
create view kernel.people_online as
    select p.user_id, case when bool_or(p.status = 'in_studio') then 'in_studio' else 'online' end as status
    from kernel.presence p
    join kernel.nodes n on n.id = p.node_id
    where p.room = '' and n.seen_at > clock_timestamp() - interval '10 seconds'
    group by p.user_id;

-- What floors above may read of rooms, in the snapshot of their own reads.
create view kernel.room_seqs as select room, seq from kernel.rooms;
