-- Files, and the audio among them.

-- What is known of a file; its bytes lie in the storage under its id.
create table kernel.files (
    id uuid primary key,
    content_type text not null,
    bytes bigint not null check (bytes >= 0),
    sha256 bytea not null,
    owner_id uuid not null,  -- somebody of accounts, a floor above: whoever refers to the file follows their going
    created_at timestamptz not null
);

-- Bytes that are to go from the storage: of files that were removed, and, due later, of those on their way in,
-- which no row of `kernel.files` names yet. A doomed one can become a file no more.
create table kernel.file_leftovers (
    file_id uuid primary key,
    due_at timestamptz not null,
    is_doomed boolean not null
);
-- Serves the sweep.
create index file_leftovers_due_at on kernel.file_leftovers (due_at);

-- Whoever removes a file's row leaves its bytes to the sweep, in the same transaction.
create function kernel.leave_bytes() returns trigger language plpgsql as $$
begin
    insert into kernel.file_leftovers (file_id, due_at, is_doomed) select id, now(), true from removed;
    return null;
end
$$;
create trigger leave_bytes after delete on kernel.files
    referencing old table as removed for each statement execute function kernel.leave_bytes();

-- For floors above, whose rows go by cascades: remove files.
create function kernel.remove_files(ids uuid[]) returns void language sql as $$
    delete from kernel.files where id = any(ids)
$$;

-- What is known of a sound; it is a file of the same id.
create table sidechain.audio (
    id uuid primary key references kernel.files (id),
    user_id uuid not null references accounts.users (id) on delete cascade,
    duration_seconds double precision not null check (duration_seconds > 0),
    sample_rate integer not null,
    channels integer not null,
    waveform bytea not null,  -- the loudest of each of 200 equal parts; 255 is full scale
    loose_since timestamptz  -- since when no post has it; null while one does
);
-- Serves the cascade from accounts.
create index audio_user_id on sidechain.audio (user_id);
-- Serves the removal of what no post took within a day.
create index audio_loose_since on sidechain.audio (loose_since) where loose_since is not null;

-- A sound's file goes with it, whatever removed it.
create function sidechain.drop_audio_files() returns trigger language plpgsql as $$
begin
    perform kernel.remove_files(array(select id from removed));
    return null;
end
$$;
create trigger drop_audio_files after delete on sidechain.audio
    referencing old table as removed for each statement execute function sidechain.drop_audio_files();

-- Deferred to the commit, since an account that goes takes posts and sounds along in no certain order.
alter table sidechain.posts
    add foreign key (audio_id) references sidechain.audio (id) deferrable initially deferred;

-- A sound is loose until a post has it, and goes with the last post that has. The sound's row is locked first, then
-- looked at anew: so of two posts that go at once the second one takes it along, and one that comes keeps it.
create function sidechain.follow_posts() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        update sidechain.audio set loose_since = null
        where id in (select audio_id from changed) and loose_since is not null;
    else
        perform from sidechain.audio where id in (select audio_id from changed) order by id for update;
        delete from sidechain.audio a
        where a.id in (select audio_id from changed)
          and not exists (select from sidechain.posts p where p.audio_id = a.id);
    end if;
    return null;
end
$$;
create trigger hold_audio after insert on sidechain.posts
    referencing new table as changed for each statement execute function sidechain.follow_posts();
create trigger let_audio_go after delete on sidechain.posts
    referencing old table as changed for each statement execute function sidechain.follow_posts();
