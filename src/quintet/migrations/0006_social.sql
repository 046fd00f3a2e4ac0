-- Social: who follows whom, who asked to, who blocked whom, and whose account is private.
-- Whoever changes what stands between two people first locks the rows of both in `social.profiles`, in the order
-- of their ids (`social.lock_people`): so a follow never gets past a block or a closed door, on any node.

create schema social;

-- What this domain keeps of a person; who has no row yet is public and alone.
create table social.profiles (
    user_id uuid primary key references accounts.users (id) on delete cascade,
    is_private boolean not null default false,
    followers integer not null default 0,
    following integer not null default 0
) with (fillfactor = 80);  -- counters change often: leave space for HOT updates

create table social.follows (
    follower_id uuid not null references accounts.users (id) on delete cascade,
    followee_id uuid not null references accounts.users (id) on delete cascade,
    since timestamptz not null,
    primary key (follower_id, followee_id),
    check (follower_id <> followee_id)
);
-- Serves the list of whom one follows, newest first.
create index follows_following on social.follows (follower_id, since desc, followee_id desc);
-- Serves the list of one's followers, newest first, and the cascade from accounts.
create index follows_followers on social.follows (followee_id, since desc, follower_id desc);

-- Those who wait for a private account to let them follow it.
create table social.follow_requests (
    id uuid primary key,
    requester_id uuid not null references accounts.users (id) on delete cascade,
    owner_id uuid not null references accounts.users (id) on delete cascade,
    asked_at timestamptz not null,
    -- Serves the count of what somebody waits for, the look for a request, and the cascade from accounts.
    unique (requester_id, owner_id),
    check (requester_id <> owner_id)
);
-- Serves the list of who waits, newest first, their count, and the cascade from accounts.
create index follow_requests_waiting on social.follow_requests (owner_id, asked_at desc, id desc);

create table social.blocks (
    blocker_id uuid not null references accounts.users (id) on delete cascade,
    blocked_id uuid not null references accounts.users (id) on delete cascade,
    since timestamptz not null,
    primary key (blocker_id, blocked_id),
    check (blocker_id <> blocked_id)
);
-- Serves the list of whom one blocked, newest first.
create index blocks_own on social.blocks (blocker_id, since desc, blocked_id desc);
-- Serves the look for a block by the other one, and the cascade from accounts.
create index blocks_other on social.blocks (blocked_id, blocker_id);

-- What floors above may read: who follows whom,
create view social.following as select follower_id, followee_id, since from social.follows;

-- whether an account is private (everybody has a row here),
create view social.privacy as
    select u.id as user_id, coalesce(p.is_private, false) as is_private
    from accounts.users u left join social.profiles p on p.user_id = u.id;

-- and who must not see whom: both directions of every block.
create view social.blocks_between as
    select blocker_id as user_id, blocked_id as other_id from social.blocks
    union all
    select blocked_id, blocker_id from social.blocks;

-- Whether the viewer (null: a stranger) may see what the owner keeps: oneself always; else nobody sees across a
-- block, and of a private account only followers see anything.
create function social.can_see(viewer_id uuid, owner_id uuid) returns boolean language sql stable
    return exists (select from accounts.people where id = owner_id) and (
        coalesce(viewer_id = owner_id, false)
        or (
            not exists (select from social.blocks_between b where b.user_id = owner_id and b.other_id = viewer_id)
            and (
                not exists (select from social.profiles p where p.user_id = owner_id and p.is_private)
                or exists (
                    select from social.follows f where f.follower_id = viewer_id and f.followee_id = owner_id
                )
            )
        )
    );

-- Lock the rows of these people until the transaction ends, in the order of their ids, and answer them as they
-- are then. Those that are missing are made first, in the same order; people who do not exist are left out.
create function social.lock_people(user_ids uuid[]) returns setof social.profiles language plpgsql as $$
begin
    insert into social.profiles (user_id)
    select id from accounts.people where id = any(user_ids) order by id
    on conflict do nothing;
    return query
    select * from social.profiles where user_id = any(user_ids) order by user_id for no key update;
end
$$;

-- Keeps the counters: exact after every statement, also when an account goes with all that hangs on it.
create function social.count_follows() returns trigger language plpgsql as $$
declare
    sign integer := case tg_op when 'INSERT' then 1 else -1 end;
begin
    -- In the order of ids, so that two statements never wait for each other in a circle.
    perform from social.profiles p
    where p.user_id in (select follower_id from changed union select followee_id from changed)
    order by p.user_id for no key update;
    update social.profiles p
    set followers = p.followers + sign * counted.followers, following = p.following + sign * counted.following
    from (
        select user_id, sum(followers)::integer as followers, sum(following)::integer as following
        from (
            select followee_id as user_id, 1 as followers, 0 as following from changed
            union all
            select follower_id, 0, 1 from changed
        ) one
        group by user_id
    ) counted
    where p.user_id = counted.user_id;
    return null;
end
$$;

create trigger count_new_follows after insert on social.follows
    referencing new table as changed for each statement execute function social.count_follows();
create trigger count_ended_follows after delete on social.follows
    referencing old table as changed for each statement execute function social.count_follows();
