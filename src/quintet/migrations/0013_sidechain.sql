-- Sidechain: channels with members, posts, and what people do with them.

create schema sidechain;

-- A channel without members does not exist for anybody: deleting one removes its members, and its posts, which may
-- be many, are cleared away behind it. Whoever changes members or the owner locks the channel's row first.
create table sidechain.channels (
    id uuid primary key,
    name text not null,
    is_private boolean not null,
    owner_id uuid references accounts.users (id) on delete set null,
    members integer not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null
) with (fillfactor = 80);  -- the count of members changes often
-- Serves the list of public channels, newest first.
create index channels_public on sidechain.channels (id desc) where not is_private and members > 0;
-- Serves the search for a part of a name.
create index channels_name on sidechain.channels using gin (lower(name) gin_trgm_ops);
-- Serves the clearing away of channels that have ended.
create index channels_ended on sidechain.channels (id) where members = 0;
-- Serves the cascade from accounts, and the look for channels whose owner blocked somebody.
create index channels_owner on sidechain.channels (owner_id);

create table sidechain.members (
    channel_id uuid not null references sidechain.channels (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    since timestamptz not null,
    primary key (channel_id, user_id)
);
-- Serves the list of a channel's members, newest first.
create index members_newest on sidechain.members (channel_id, since desc, user_id desc);
-- Serves the list of one's channels, newest first, their count, the feed, and the cascade from accounts.
create index members_own on sidechain.members (user_id, channel_id desc);

-- Counts members, exact after every statement. When an account goes that owned a channel, whoever has been in it
-- longest owns it.
create function sidechain.count_members() returns trigger language plpgsql as $$
begin
    -- In the order of ids, so that two statements never wait for each other in a circle.
    perform from sidechain.channels where id in (select channel_id from changed) order by id for no key update;
    update sidechain.channels c
    set members = c.members + counted.n * case tg_op when 'INSERT' then 1 else -1 end,
        owner_id = case
            when tg_op = 'INSERT'
                 or exists (select from sidechain.members m where m.channel_id = c.id and m.user_id = c.owner_id)
            then c.owner_id
            else (
                select m.user_id from sidechain.members m
                where m.channel_id = c.id order by m.since, m.user_id limit 1
            )
        end
    from (select channel_id, count(*)::integer as n from changed group by channel_id) counted
    where c.id = counted.channel_id;
    return null;
end
$$;
create trigger count_new_members after insert on sidechain.members
    referencing new table as changed for each statement execute function sidechain.count_members();
create trigger count_gone_members after delete on sidechain.members
    referencing old table as changed for each statement execute function sidechain.count_members();

-- The channels somebody sees: their own, and public ones, but not of whom a block stands between. An owner behind
-- a block is not shown even to a member.
create function sidechain.channels_seen_by(viewer_id uuid) returns table (
    id uuid, name text, is_private boolean, members integer, created_at timestamptz, updated_at timestamptz,
    owner_id uuid, owner_username text, owner_display_name text, is_owner boolean, is_member boolean
) language sql stable as $$
    select c.id, c.name, c.is_private, c.members, c.created_at, c.updated_at,
           o.id, o.username, o.display_name, c.owner_id = viewer_id, m.user_id is not null
    from sidechain.channels c
    left join sidechain.members m on m.channel_id = c.id and m.user_id = viewer_id
    left join accounts.people o on o.id = c.owner_id and not exists (
        select from social.blocks_between b where b.user_id = c.owner_id and b.other_id = viewer_id
    )
    where c.members > 0 and (m.user_id is not null or (not c.is_private and o.id is not null))
$$;

create function sidechain.can_see_channel(viewer_id uuid, channel_ uuid) returns boolean language sql stable
    return exists (select from sidechain.channels_seen_by(viewer_id) c where c.id = channel_);

-- `is_open`: outside channels, or in a public one; follows the channel's own word.
create table sidechain.posts (
    id uuid primary key,  -- of version 7, so that posts are in the order of their ids
    user_id uuid not null references accounts.users (id) on delete cascade,
    channel_id uuid references sidechain.channels (id) on delete cascade,
    is_open boolean not null,
    audio_id uuid,  -- refers to sidechain.audio, which comes with the next migration
    text text,
    bpm double precision,
    key text,
    tags text[] not null default '{}',
    created_at timestamptz not null,
    check (text is not null or audio_id is not null)
);
-- Serves somebody's posts, newest first, and the cascade from accounts.
create index posts_own on sidechain.posts (user_id, id desc);
-- Serves a feed's second look: the newest that each of the followed posted.
create index posts_open on sidechain.posts (user_id, id desc) where is_open;
-- Serves a channel's posts, newest first, the feed's look into one's channels, and the clearing away.
create index posts_channel on sidechain.posts (channel_id, id desc) where channel_id is not null;
-- Serves the reference from audio.
create index posts_audio on sidechain.posts (audio_id) where audio_id is not null;

-- What is counted of a post, beside it: its row changes with every like, the post's own never.
create table sidechain.post_counts (
    post_id uuid primary key references sidechain.posts (id) on delete cascade,
    likes integer not null default 0,
    comments integer not null default 0,
    reactions integer not null default 0,
    plays bigint not null default 0
) with (fillfactor = 70);

create table sidechain.likes (
    post_id uuid not null references sidechain.posts (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    at timestamptz not null,
    primary key (post_id, user_id)
);
-- Serves the cascade from accounts.
create index likes_user on sidechain.likes (user_id);

create table sidechain.reactions (
    post_id uuid not null references sidechain.posts (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    emoji text collate "C" not null,
    at timestamptz not null,
    primary key (post_id, user_id, emoji)
);
-- Serves the cascade from accounts.
create index reactions_user on sidechain.reactions (user_id);

-- How many gave a post which emoji.
create table sidechain.reaction_counts (
    post_id uuid not null references sidechain.posts (id) on delete cascade,
    emoji text collate "C" not null,
    count integer not null,
    primary key (post_id, emoji)
) with (fillfactor = 80);

create table sidechain.comments (
    id uuid primary key,
    post_id uuid not null references sidechain.posts (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    text text not null,
    created_at timestamptz not null
);
-- Serves a post's comments, newest first, and the cascade from posts.
create index comments_post on sidechain.comments (post_id, id desc);
-- Serves the cascade from accounts.
create index comments_user on sidechain.comments (user_id);

-- Who played a post, and when it was last counted.
create table sidechain.plays (
    post_id uuid not null references sidechain.posts (id) on delete cascade,
    user_id uuid not null references accounts.users (id) on delete cascade,
    counted_at timestamptz not null,
    primary key (post_id, user_id)
);
-- Serves the cascade from accounts.
create index plays_user on sidechain.plays (user_id);

-- Counts likes, reactions and comments, exact after every statement, also when an account goes with all that hangs
-- on it. Rows are taken in the order of ids, and `post_counts` before `reaction_counts`, so that nobody waits in a
-- circle.
create function sidechain.count_deeds() returns trigger language plpgsql as $$
declare
    sign integer := case tg_op when 'INSERT' then 1 else -1 end;
begin
    perform from sidechain.post_counts where post_id in (select post_id from changed)
    order by post_id for no key update;
    update sidechain.post_counts k
    set likes = k.likes + case tg_table_name when 'likes' then sign * counted.n else 0 end,
        reactions = k.reactions + case tg_table_name when 'reactions' then sign * counted.n else 0 end,
        comments = k.comments + case tg_table_name when 'comments' then sign * counted.n else 0 end
    from (select post_id, count(*)::integer as n from changed group by post_id) counted
    where k.post_id = counted.post_id;
    return null;
end
$$;
create function sidechain.count_emoji() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into sidechain.reaction_counts as k (post_id, emoji, count)
        select post_id, emoji, count(*) from changed group by post_id, emoji order by post_id, emoji
        on conflict (post_id, emoji) do update set count = k.count + excluded.count;
    else
        update sidechain.reaction_counts k set count = k.count - counted.n
        from (select post_id, emoji, count(*)::integer as n from changed group by post_id, emoji) counted
        where k.post_id = counted.post_id and k.emoji = counted.emoji;
        delete from sidechain.reaction_counts k using changed
        where k.post_id = changed.post_id and k.emoji = changed.emoji and k.count = 0;
    end if;
    return null;
end
$$;
create trigger count_new_likes after insert on sidechain.likes
    referencing new table as changed for each statement execute function sidechain.count_deeds();
create trigger count_gone_likes after delete on sidechain.likes
    referencing old table as changed for each statement execute function sidechain.count_deeds();
create trigger count_new_comments after insert on sidechain.comments
    referencing new table as changed for each statement execute function sidechain.count_deeds();
create trigger count_gone_comments after delete on sidechain.comments
    referencing old table as changed for each statement execute function sidechain.count_deeds();
-- Triggers fire in the order of their names: the lock on `post_counts` comes before the emoji.
create trigger count_new_reactions after insert on sidechain.reactions
    referencing new table as changed for each statement execute function sidechain.count_deeds();
create trigger count_gone_reactions after delete on sidechain.reactions
    referencing old table as changed for each statement execute function sidechain.count_deeds();
create trigger count_new_reactions_emoji after insert on sidechain.reactions
    referencing new table as changed for each statement execute function sidechain.count_emoji();
create trigger count_gone_reactions_emoji after delete on sidechain.reactions
    referencing old table as changed for each statement execute function sidechain.count_emoji();

-- Whether somebody sees a post: in a channel who sees the channel, outside who sees the author; never across a
-- block.
create function sidechain.can_see_post(viewer_id uuid, author_id uuid, channel_ uuid) returns boolean
    language sql stable
    return case
        when channel_ is null then social.can_see(viewer_id, author_id)
        else sidechain.can_see_channel(viewer_id, channel_) and not exists (
            select from social.blocks_between b where b.user_id = author_id and b.other_id = viewer_id
        )
    end;
