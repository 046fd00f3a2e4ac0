-- Documents: text that several people write at the same time; the log of its operations is its truth.

create schema documents;

-- The epoch that clients are shown: another one after a restore from backup, and for a document made anew.
create function documents.shown_epoch(server_epoch text, epoch uuid) returns text
language sql immutable as $$ select md5(server_epoch || epoch::text) $$;

-- Whoever writes holds the row's lock until the commit, so the order of revs is the order of commits.
create table documents.documents (
    id text collate "C" primary key,
    kind text collate "C" not null,
    object_id text collate "C" not null,
    epoch uuid not null default gen_random_uuid(),
    rev bigint not null default 0,
    content text not null default '',
    server_timestamp bigint not null default 0,  -- of the newest operation, milliseconds
    floor_rev bigint not null default 0,  -- operations up to this one are collected, and the text then is kept
    floor_timestamp bigint not null default 0,
    oldest_timestamp bigint,  -- of the operation above the floor
    created_at timestamptz not null,
    updated_at timestamptz not null
) with (fillfactor = 70);  -- rows are updated all the time: leave space for HOT updates
-- Serves what is asked of all documents of one object: their making and their end.
create index documents_object on documents.documents (kind, object_id);
-- Serves the collection of old history.
create index documents_oldest on documents.documents (oldest_timestamp) where oldest_timestamp is not null;

-- No foreign key to documents: each row would be checked for what the lock of its document's row assures.
create table documents.operations (
    document_id text collate "C" not null,
    rev bigint not null,
    op_id uuid not null,
    user_id uuid not null,
    client_id json,  -- a number or a text, as the client calls itself
    op json not null,  -- [5, "abc", -3]: keep five code points, insert, delete three
    op16 json,  -- the same in UTF-16 units, where that differs
    removed text not null,  -- what it deleted, so that it can be undone, and shown, without the text before it
    client_timestamp double precision,
    server_timestamp bigint not null,
    session text,
    session_seq bigint,
    undoes bigint,  -- the rev that this one took back
    undone_by bigint,  -- the rev that took this one back
    primary key (document_id, rev)
);
-- Serves undo, which names an operation.
create unique index operations_op_id on documents.operations (op_id);

-- The newest answer of each session, so that a retry hears it again. Sessions of an epoch that is over count
-- no more.
create table documents.sessions (
    document_id text collate "C" not null,
    user_id uuid not null,
    session text collate "C" not null,
    epoch text not null,
    seq bigint not null,
    fingerprint text not null,
    ack json not null,
    updated_at timestamptz not null,
    primary key (document_id, user_id, session)
) with (fillfactor = 70);
-- Serves the removal of sessions that are over; a summarising index, which does not slow their updates.
create index sessions_updated_at on documents.sessions using brin (updated_at);

-- The text as it was, now and then: what the past is built from, and the floor under collected history.
create table documents.snapshots (
    document_id text collate "C" not null,
    rev bigint not null,
    content text not null,
    primary key (document_id, rev)
);

-- Operations as code reads them: arrays, in the order of revs.
create function documents.operations_between(id_ text, after_ bigint, upto_ bigint) returns text
language sql stable as $$
    select coalesce(json_agg(json_build_array(
        o.rev, o.op_id, o.user_id, o.client_id, o.op, o.op16, o.removed, o.client_timestamp, o.server_timestamp,
        o.session, o.session_seq, o.undoes
    ) order by o.rev), '[]')::text
    from documents.operations o
    where o.document_id = id_ and o.rev > after_ and o.rev <= upto_
$$;

-- Lock a document and read what its writer does not know: the operations since `known_rev` or, where that is
-- far back or of another epoch, the text. One function, since each of its statements sees what was committed
-- before the lock was had, and all of them cost one journey.
create function documents.open_to_write(
    in id_ text, in server_epoch text, in known_epoch text, in known_rev bigint,
    in users_ uuid[], in sessions_ text[],
    out epoch text, out rev bigint, out server_timestamp bigint, out floor_rev bigint, out content text,
    out changes text, out acks text
) language plpgsql as $$
begin
    select documents.shown_epoch(server_epoch, d.epoch), d.rev, d.server_timestamp, d.floor_rev
    into epoch, rev, server_timestamp, floor_rev
    from documents.documents d where d.id = id_ for no key update;
    if not found then
        return;
    end if;
    if epoch is distinct from known_epoch or rev - known_rev not between 0 and 500 then
        select d.content into content from documents.documents d where d.id = id_;
    elsif rev > known_rev then
        changes := documents.operations_between(id_, known_rev, rev);
    end if;
    if cardinality(users_) > 0 then
        select json_agg(json_build_array(s.user_id, s.session, s.seq, s.fingerprint, s.ack))::text into acks
        from unnest(users_, sessions_) as asked(user_id, session)
        join documents.sessions s using (user_id, session)
        where s.document_id = id_ and s.epoch = open_to_write.epoch;
    end if;
end
$$;

-- The last rev whose operation is not newer than the time given: revs and times rise together and without a
-- hole, so halving finds it in the primary key.
create function documents.rev_at(id_ text, low_ bigint, high_ bigint, timestamp_ bigint) returns bigint
language plpgsql stable as $$
declare
    low bigint := low_;  -- not newer
    high bigint := high_ + 1;  -- newer, or none
    middle bigint;
begin
    while high - low > 1 loop
        middle := (low + high) / 2;
        if (select o.server_timestamp > timestamp_ from documents.operations o
            where o.document_id = id_ and o.rev = middle) then
            high := middle;
        else
            low := middle;
        end if;
    end loop;
    return low;
end
$$;
