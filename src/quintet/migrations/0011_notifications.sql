-- Notifications: what somebody is told of what others did, folded, with preferences by kind.
-- Whoever writes or takes back a notification holds its recipient's mailbox shared until the commit
-- (`notifications.hold_mailbox`); "read all" and a block hold it alone. So neither overlooks a notification that is
-- just being written, and none gets past a block.

create schema notifications;

-- One kind of deed about one object, for one recipient, until it is read: then the next deed begins a new one.
create table notifications.notifications (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    kind text collate "C" not null,
    object_id text collate "C" not null,
    actor_count integer not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    read_at timestamptz
) with (fillfactor = 80);  -- what storms touch again and again: leave space for HOT updates
-- Serves the look for the notification to fold into, and the count of unread ones.
create unique index notifications_unread on notifications.notifications (user_id, kind, object_id)
    where read_at is null;
-- Serves the list, newest first, the look for the oldest ones of somebody who has too many, and the cascade from
-- accounts.
create index notifications_list on notifications.notifications (user_id, updated_at desc, id desc);
-- Serves the removal of what is about an object that has gone.
create index notifications_object on notifications.notifications (object_id);
-- Serves the removal of what is older than 90 days.
create index notifications_age on notifications.notifications (updated_at);

-- Who did it, each once; with what the text needs to know of their deed.
create table notifications.actors (
    notification_id uuid not null references notifications.notifications (id) on delete cascade,
    actor_id uuid not null references accounts.users (id) on delete cascade,
    at timestamptz not null,
    details json not null,
    primary key (notification_id, actor_id)
);
-- Serves the look for the newest few.
create index actors_newest on notifications.actors (notification_id, at desc, actor_id desc);
-- Serves the cascade from accounts.
create index actors_actor on notifications.actors (actor_id);

-- What somebody wants to be told of a kind, where it is not what everybody begins with.
create table notifications.preferences (
    user_id uuid not null references accounts.users (id) on delete cascade,
    kind text collate "C" not null,
    live boolean not null,
    push boolean not null,
    email boolean not null,
    muted boolean not null,
    primary key (user_id, kind)
);

-- What moderators tell one person, or everybody who is here then: one row, in everybody's list.
-- `at` rises strictly in the order of commits (`notifications.announce`), so "read up to" overlooks none.
create table notifications.announcements (
    id uuid primary key,
    author_id uuid references accounts.users (id) on delete set null,
    recipient_id uuid references accounts.users (id) on delete cascade,
    title text not null,
    text text not null,
    at timestamptz not null
);
-- Serves everybody's list and count, and the cascade from accounts.
create index announcements_recipient on notifications.announcements (recipient_id, at desc);
-- Serves the look for the newest, and the removal of what is older than 90 days.
create index announcements_at on notifications.announcements (at);
-- Serves the cascade from accounts.
create index announcements_author on notifications.announcements (author_id);

-- Up to where somebody has read announcements, all of them,
create table notifications.readers (
    user_id uuid primary key references accounts.users (id) on delete cascade,
    read_up_to timestamptz not null
);

-- and those beyond that were read one by one.
create table notifications.announcement_reads (
    user_id uuid not null references accounts.users (id) on delete cascade,
    announcement_id uuid not null references notifications.announcements (id) on delete cascade,
    read_at timestamptz not null,
    primary key (user_id, announcement_id)
);
-- Serves the cascade from announcements.
create index announcement_reads_announcement on notifications.announcement_reads (announcement_id);

-- What stands in somebody's list; asked by `user_id`.
create view notifications.listed as
    select user_id, id, kind, object_id, actor_count, created_at, updated_at, read_at, null::json as announced
    from notifications.notifications
    union all
    select p.id, a.id, 'announcement', '', 0, a.at, a.at,
           coalesce(r.read_at, case when a.at <= s.read_up_to then s.read_up_to end),
           json_build_object('title', a.title, 'text', a.text)
    from accounts.people p
    join notifications.announcements a
        on a.recipient_id = p.id or (a.recipient_id is null and a.at >= p.created_at)
    left join notifications.readers s on s.user_id = p.id
    left join notifications.announcement_reads r on r.user_id = p.id and r.announcement_id = a.id;

-- The newest three actors of a notification, newest first, each with what their deed's text needs.
create function notifications.newest_actors(the_id uuid) returns json language sql stable
    return (
        select coalesce(json_agg(json_build_object(
            'id', p.id, 'username', p.username, 'display_name', p.display_name, 'details', a.details
        ) order by a.at desc, a.actor_id desc), '[]')
        from (
            select actor_id, at, details from notifications.actors
            where notification_id = the_id
            order by at desc, actor_id desc
            limit 3
        ) a join accounts.people p on p.id = a.actor_id
    );

-- Hold somebody's mailbox until the transaction ends: together with others who write into it, or alone.
-- Two people of one hash wait for each other in vain now and then, which costs a moment.
create function notifications.hold_mailbox(the_user uuid, alone boolean) returns void language plpgsql as $$
begin
    if alone then
        perform pg_advisory_xact_lock(20111, hashtext(the_user::text));
    else
        perform pg_advisory_xact_lock_shared(20111, hashtext(the_user::text));
    end if;
end
$$;

-- Write that somebody did something, into the unread notification of its kind and object, or a new one; answers
-- it, or nothing where a block or the recipient's preference is against it. A function, since each statement of
-- one sees what was committed before its locks were taken.
create function notifications.fold(
    new_id uuid, recipient uuid, the_kind text, the_object text, the_actor uuid, the_details json, now timestamptz
) returns table (
    id uuid, actor_count integer, created_at timestamptz, updated_at timestamptz, actors json, is_live boolean
) language plpgsql as $$
#variable_conflict use_column
declare
    into_id uuid;
    is_new_actor boolean;
    is_muted boolean;
    wants_live boolean;
begin
    perform notifications.hold_mailbox(recipient, false);
    select p.muted, p.live into is_muted, wants_live
    from notifications.preferences p where p.user_id = recipient and p.kind = the_kind;
    if is_muted or exists (
        select from social.blocks_between b where b.user_id = recipient and b.other_id = the_actor
    ) then
        return;
    end if;
    loop
        select n.id into into_id from notifications.notifications n
        where n.user_id = recipient and n.kind = the_kind and n.object_id = the_object and n.read_at is null
        for no key update;
        exit when found;
        -- Somebody may write it at the same time, and somebody may read or remove it before we lock it.
        insert into notifications.notifications (id, user_id, kind, object_id, created_at, updated_at)
        values (new_id, recipient, the_kind, the_object, now, now)
        on conflict (user_id, kind, object_id) where read_at is null do nothing;
        if found then
            into_id := new_id;
            -- Of the newest thousand the oldest goes.
            delete from notifications.notifications where id in (
                select n.id from notifications.notifications n
                where n.user_id = recipient and n.id <> new_id
                order by n.updated_at desc, n.id desc offset 999
            );
            exit;
        end if;
    end loop;
    insert into notifications.actors as a (notification_id, actor_id, at, details)
    values (into_id, the_actor, now, the_details)
    on conflict (notification_id, actor_id) do update set at = excluded.at, details = excluded.details
    returning xmax = 0 into is_new_actor;
    return query
    update notifications.notifications n
    set actor_count = n.actor_count + is_new_actor::integer, updated_at = greatest(n.updated_at, now)
    where n.id = into_id
    returning n.id, n.actor_count, n.created_at, n.updated_at, notifications.newest_actors(n.id),
              coalesce(wants_live, true);
end
$$;

-- Keeps the counts when actors go, one by one or with their accounts; a notification without any goes, too.
create function notifications.count_gone_actors() returns trigger language plpgsql as $$
begin
    -- In the order of ids, so that two statements never wait for each other in a circle.
    perform from notifications.notifications n
    where n.id in (select notification_id from gone)
    order by n.id for no key update;
    update notifications.notifications n
    set actor_count = n.actor_count - counted.actors
    from (select notification_id, count(*)::integer as actors from gone group by notification_id) counted
    where n.id = counted.notification_id;
    delete from notifications.notifications n
    where n.id in (select notification_id from gone) and n.actor_count = 0;
    return null;
end
$$;

create trigger count_gone_actors after delete on notifications.actors
    referencing old table as gone for each statement execute function notifications.count_gone_actors();

-- Let neither of the two be told any more of what the other did; both mailboxes are held alone until the commit.
create function notifications.part(one uuid, other uuid) returns void language plpgsql as $$
begin
    perform notifications.hold_mailbox(id, true) from (
        select id from unnest(array[one, other]) as id order by hashtext(id::text)
    ) ordered;
    delete from notifications.actors a using notifications.notifications n
    where n.id = a.notification_id
      and ((n.user_id = one and a.actor_id = other) or (n.user_id = other and a.actor_id = one));
end
$$;

-- Write an announcement; its `at` is later than that of all others that were committed. By the database's clock, as
-- the making of accounts, which decides whose list it stands in.
create function notifications.announce(
    new_id uuid, the_author uuid, recipient uuid, the_title text, the_text text
) returns timestamptz language plpgsql as $$
declare
    announced_at timestamptz;
begin
    if recipient is not null then
        perform notifications.hold_mailbox(recipient, false);
    end if;
    perform pg_advisory_xact_lock(20112, 0);
    select greatest(clock_timestamp(), max(at) + interval '1 ms') into announced_at from notifications.announcements;
    insert into notifications.announcements (id, author_id, recipient_id, title, text, at)
    values (new_id, the_author, recipient, the_title, the_text, announced_at);
    return announced_at;
end
$$;
