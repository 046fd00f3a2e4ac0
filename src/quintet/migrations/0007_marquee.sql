-- Marquee: films and plays, ranked. One list per person and tier; its order and its scores are made here and
-- nowhere else: in `insert_ranking_between` and `rebalance_tier_positions`.

create schema marquee;

-- The tiers, best first, and the scores that belong to each: from `lo` up to but without `hi`.
create table marquee.tier_bands (
    tier text collate "C" primary key,
    place smallint not null unique,
    lo double precision not null,
    hi double precision not null check (hi > lo)
);
insert into marquee.tier_bands (tier, place, lo, hi)
values ('S', 1, 9, 10), ('A', 2, 8, 9), ('B', 3, 7, 8), ('C', 4, 6, 7), ('D', 5, 0, 6);

-- The row every change of somebody's tier locks first, and how many titles are in it.
create table marquee.tiers (
    user_id uuid not null references accounts.users (id) on delete cascade,
    tier text collate "C" not null references marquee.tier_bands (tier),
    titles integer not null default 0 check (titles >= 0),
    primary key (user_id, tier)
) with (fillfactor = 70);  -- updated by every insertion: leave space for HOT updates

create table marquee.user_rankings (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    media_id text collate "C" not null references catalogue.works (id),
    tier text collate "C" not null references marquee.tier_bands (tier),
    position_key text collate "C" not null,  -- a fractional index: the order within the tier
    score double precision not null,         -- never rounded; falls strictly with the rank
    note text check (length(note) <= 5000),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- Its index serves the question whether somebody has ranked a title.
    unique (user_id, media_id),
    -- Its index serves the lists in their order, the counting of ranks and the search for neighbours.
    -- Deferrable, so that a rebalance may give a key away that another row lays down in the same statement.
    constraint idx_user_rankings_user_tier_rank
        unique (user_id, tier, position_key) deferrable initially immediate
);

-- Whether a title is of a genre, in whatever case it is written; among its genres or its attributes'.
create function marquee.has_genre(media_ catalogue.media, genre_ text) returns boolean language sql immutable
    return lower(genre_) in (
        select lower(genre) from unnest(media_.genres) as genre
        union all
        select lower(genre) from jsonb_array_elements_text(
            case jsonb_typeof(media_.attributes -> 'genres') when 'array' then media_.attributes -> 'genres'
                 else '[]' end
        ) as genre
    );

-- Fractional indexing: keys that sort by their bytes, with room between any two. The classic base-62 scheme
-- of rocicorp/fractional-indexing, release 3.2.0, with its defaults; errors are 22023 with its words.
-- A key is an integer (its head tells how many digits follow: a has one, b two … and, below them, Z one, Y two
-- …) and a fraction without a zero at its end. Digits are 0-9A-Za-z, so byte order is digit order.

-- The digit of a value 0..61, and the value of a digit.
create function marquee.digit_of(value integer) returns text
    language sql immutable strict parallel safe
    return substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', value + 1, 1);

create function marquee.digit_value(digit text) returns integer
    language sql immutable strict parallel safe
    return case when digit <= '9' collate "C" then ascii(digit) - 48
                when digit <= 'Z' collate "C" then ascii(digit) - 55
                else ascii(digit) - 61 end;

-- The integer part of a key; raises for what is no key.
create function marquee.integer_part(key text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    head constant text collate "C" := left(key, 1);
    digits integer;
begin
    if head between 'a' and 'z' then
        digits := ascii(head) - 96;
    elsif head between 'A' and 'Z' then
        digits := 91 - ascii(head);
    else
        raise invalid_parameter_value using message = 'invalid order key head: ' || head;
    end if;
    -- Not the smallest integer itself, since nothing could come before it; no zero at the end of a fraction.
    if length(key) <= digits or key ~ '[^0-9A-Za-z]' or key = 'A' || repeat('0', 26)
        or (length(key) > digits + 1 and right(key, 1) = '0')
    then
        raise invalid_parameter_value using message = 'invalid order key: ' || key;
    end if;
    return left(key, digits + 1);
end
$$;

-- The next integer; null after the largest.
create function marquee.integer_after(whole text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    head constant text collate "C" := left(whole, 1);
    digits constant text := substr(whole, 2);
    kept constant text := rtrim(digits, 'z');
    zeros constant text := repeat('0', length(digits) - length(kept));
begin
    if kept <> '' then
        return head || left(kept, -1) || marquee.digit_of(marquee.digit_value(right(kept, 1)) + 1) || zeros;
    end if;
    return case when head = 'z' then null
                when head = 'Z' then 'a0'
                when head < 'Z' then chr(ascii(head) + 1) || left(zeros, -1)
                else chr(ascii(head) + 1) || zeros || '0' end;
end
$$;

-- The integer before; null before the smallest.
create function marquee.integer_before(whole text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    head constant text collate "C" := left(whole, 1);
    digits constant text := substr(whole, 2);
    kept constant text := rtrim(digits, '0');
    nines constant text := repeat('z', length(digits) - length(kept));
begin
    if kept <> '' then
        return head || left(kept, -1) || marquee.digit_of(marquee.digit_value(right(kept, 1)) - 1) || nines;
    end if;
    return case when head = 'A' then null
                when head = 'a' then 'Zz'
                when head > 'a' then chr(ascii(head) - 1) || left(nines, -1)
                else chr(ascii(head) - 1) || nines || 'z' end;
end
$$;

-- A short fraction between two: `low` may be empty, `high` null is one, the end.
create function marquee.fraction_between(low text, high text) returns text
    language plpgsql immutable parallel safe as $$
declare
    found text := '';
    same integer;
    low_digit integer;
    high_digit integer;
begin
    loop
        if high is not null then
            same := 0;
            while substr(high, same + 1, 1) = coalesce(nullif(substr(low, same + 1, 1), ''), '0') loop
                same := same + 1;
            end loop;
            found := found || left(high, same);
            low := substr(low, same + 1);
            high := substr(high, same + 1);
        end if;
        low_digit := case when low = '' then 0 else marquee.digit_value(left(low, 1)) end;
        high_digit := case when high is null then 62 else marquee.digit_value(left(high, 1)) end;
        if high_digit - low_digit > 1 then
            return found || marquee.digit_of((low_digit + high_digit + 1) / 2);
        elsif length(high) > 1 then
            return found || left(high, 1);
        end if;
        -- Neighbouring digits: take the lower one and go on behind it, with nothing above.
        found := found || marquee.digit_of(low_digit);
        low := substr(low, 2);
        high := null;
    end loop;
end
$$;

-- A key between two; null `a` is the beginning, null `b` the end. Raises where a >= b, and for what is no key.
create function marquee.key_between(a text, b text) returns text
    language plpgsql immutable parallel safe as $$
declare
    whole_a constant text collate "C" := marquee.integer_part(a);
    whole_b constant text collate "C" := marquee.integer_part(b);
    after_a text;
begin
    if a collate "C" >= b collate "C" then
        raise invalid_parameter_value using message = a || ' >= ' || b;
    elsif a is null and b is null then
        return 'a0';
    elsif a is null then
        if whole_b = 'A' || repeat('0', 26) then
            return whole_b || marquee.fraction_between('', substr(b, length(whole_b) + 1));
        end if;
        return case when whole_b < b then whole_b else marquee.integer_before(whole_b) end;
    elsif whole_a = whole_b then
        return whole_a || marquee.fraction_between(
            substr(a, length(whole_a) + 1), substr(b, length(whole_b) + 1)
        );
    end if;
    after_a := marquee.integer_after(whole_a);
    if after_a collate "C" < b or (b is null and after_a is not null) then
        return after_a;
    end if;
    return whole_a || marquee.fraction_between(substr(a, length(whole_a) + 1), null);
end
$$;

-- n keys between two, in their order: counted up from `a` or down from `b`, or else by halving.
create function marquee.keys_between(a text, b text, n integer) returns text[]
    language plpgsql immutable parallel safe as $$
declare
    keys text[] := '{}';
    middle text;
begin
    if n < 0 then
        raise invalid_parameter_value using message = 'a count of keys is not negative';
    elsif n = 0 then
        return keys;
    elsif a is null or b is null then
        middle := marquee.key_between(a, b);
        for number in 1..n loop
            keys := keys || middle;
            exit when number = n;
            middle := case when b is null then marquee.key_between(middle, null)
                           else marquee.key_between(null, middle) end;
        end loop;
        if b is not null then
            select array_agg(key order by number desc) into keys
            from unnest(keys) with ordinality as counted(key, number);
        end if;
        return keys;
    end if;
    middle := marquee.key_between(a, b);
    return marquee.keys_between(a, middle, n / 2) || middle || marquee.keys_between(middle, b, n - n / 2 - 1);
end
$$;

-- Lock somebody's tiers, best tier first, so that two moves that cross cannot wait for each other.
create function marquee.lock_tiers(user_ uuid, tiers_ text[]) returns void language plpgsql as $$
declare
    locked integer;
begin
    perform from marquee.tiers t join marquee.tier_bands b using (tier)
    where t.user_id = user_ and t.tier = any (tiers_)
    order by b.place
    for update of t;
    get diagnostics locked = row_count;
    if locked < (select count(*) from marquee.tier_bands where tier = any (tiers_)) then
        insert into marquee.tiers (user_id, tier)
        select user_, tier from marquee.tier_bands where tier = any (tiers_) order by place
        on conflict do nothing;
        perform marquee.lock_tiers(user_, tiers_);
    end if;
end
$$;

-- Fresh keys and even scores for a tier, in the order it has; how many titles that were. Nothing else of them
-- changes, `updated_at` included.
create function marquee.rebalance_tier_positions(user_ uuid, tier_ text) returns integer
    language plpgsql as $$
declare
    titles_ integer;
begin
    perform marquee.lock_tiers(user_, array[tier_]);
    select titles into titles_ from marquee.tiers where user_id = user_ and tier = tier_;
    update marquee.user_rankings r
    set position_key = fresh.key,
        score = band.hi - (band.hi - band.lo) * (fresh.rank - 0.5::double precision) / titles_
    from (
        select id, row_number() over (order by position_key) as rank from marquee.user_rankings
        where user_id = user_ and tier = tier_
    ) present
    join unnest(marquee.keys_between(null, null, titles_)) with ordinality as fresh(key, rank) using (rank),
        marquee.tier_bands band
    where r.id = present.id and band.tier = tier_;
    return titles_;
end
$$;

-- The score of the last title in a tier; null where it is empty.
create function marquee.last_score(user_ uuid, tier_ text) returns double precision language sql stable
    return (
        select score from marquee.user_rankings where user_id = user_ and tier = tier_
        order by position_key desc limit 1
    );

-- Hold off whoever else would insert, move or remove this one ranking, until the transaction ends: so its
-- tier can be learnt before the tiers are locked. Always taken before them.
create function marquee.hold_ranking(user_ uuid, media_ text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended('marquee ranking ' || user_ || ' ' || media_, 0));
$$;

-- Put a title into a tier between two others: directly below `prev_`, else directly above `next_`, else at
-- the end. With both, `next_` must stand below `prev_`; what has come between them meanwhile stays below.
-- A title that is ranked already is moved and keeps id, note and created_at.
--
-- Outcomes: inserted, moved, unchanged (it stands there already), neighbour_gone (a neighbour is not in the
-- tier), wrong_neighbour (`next_` stands above `prev_`), tier_full. `rebalanced` is the number of titles in
-- the tier where that was needed.
create function marquee.insert_ranking_between(
    in user_ uuid, in media_ text, in tier_ text, in prev_ uuid, in next_ uuid,
    in new_id uuid default gen_random_uuid(), in note_ text default null, in now_ timestamptz default now(),
    out outcome text, out ranking_id uuid, out from_tier text, out rebalanced integer
) language plpgsql as $$
declare
    most_titles constant integer := 10000;
    least_gap constant double precision := 1e-9;
    longest_key constant integer := 48;
    band marquee.tier_bands;
    own marquee.user_rankings;
    own_key text collate "C";  -- where the title is in this tier already: it is nobody's neighbour
    named_above text collate "C";
    named_below text collate "C";
    above text collate "C";  -- the keys between which it comes to stand; null at the ends
    below text collate "C";
    neighbour record;
    high double precision;
    low double precision;
    key text;
    score_ double precision;
begin
    perform marquee.hold_ranking(user_, media_);
    select * into own from marquee.user_rankings r where r.user_id = user_ and r.media_id = media_;
    perform marquee.lock_tiers(user_, array[tier_, own.tier]);
    ranking_id := own.id;
    from_tier := own.tier;

    select position_key into named_above from marquee.user_rankings r
    where r.id = prev_ and r.user_id = user_ and r.tier = tier_;
    select position_key into named_below from marquee.user_rankings r
    where r.id = next_ and r.user_id = user_ and r.tier = tier_;
    if (prev_ is not null and named_above is null) or (next_ is not null and named_below is null) then
        outcome := 'neighbour_gone';
        return;
    elsif named_above >= named_below then
        outcome := 'wrong_neighbour';
        return;
    elsif own.id in (prev_, next_) then
        outcome := 'unchanged';
        return;
    end if;

    own_key := case when own.tier = tier_ then own.position_key end;
    if named_above is not null then
        above := named_above;
        select min(position_key) into below from marquee.user_rankings r
        where r.user_id = user_ and r.tier = tier_ and position_key > above
          and position_key is distinct from own_key;
    else
        below := named_below;
        select max(position_key) into above from marquee.user_rankings r
        where r.user_id = user_ and r.tier = tier_
          and position_key < coalesce(below, '~')  -- which comes after every key
          and position_key is distinct from own_key;
    end if;
    if own_key is not null and coalesce(above < own_key, true) and coalesce(own_key < below, true) then
        outcome := 'unchanged';
        return;
    elsif own.tier is distinct from tier_ then
        perform from marquee.tiers t where t.user_id = user_ and t.tier = tier_ and t.titles >= most_titles;
        if found then
            outcome := 'tier_full';
            return;
        end if;
    end if;

    select * into strict band from marquee.tier_bands b where b.tier = tier_;
    high := band.hi;
    low := band.lo;
    for neighbour in
        select position_key, score from marquee.user_rankings r
        where r.user_id = user_ and r.tier = tier_ and position_key in (above, below)
        order by position_key
        for update
    loop
        if neighbour.position_key = above then
            high := neighbour.score;
        else
            low := neighbour.score;
        end if;
    end loop;
    key := marquee.key_between(above, below);
    score_ := (high + low) / 2;

    if own.id is null then
        insert into marquee.user_rankings (id, user_id, media_id, tier, position_key, score, note, created_at,
                                           updated_at)
        values (new_id, user_, media_, tier_, key, score_, note_, now_, now_);
        ranking_id := new_id;
        outcome := 'inserted';
    else
        update marquee.user_rankings r
        set tier = tier_, position_key = key, score = score_, updated_at = now_
        where r.id = own.id;
        outcome := 'moved';
    end if;
    if own.tier is distinct from tier_ then
        update marquee.tiers t set titles = titles + case when t.tier = tier_ then 1 else -1 end
        where t.user_id = user_ and t.tier in (tier_, own.tier);
    end if;
    if least(high - score_, score_ - low) < least_gap or length(key) > longest_key then
        rebalanced := marquee.rebalance_tier_positions(user_, tier_);
    end if;
end
$$;

-- A ranking with its title, as its owner sees it, and what stands directly above and below it.
create function marquee.placed_ranking(
    in ranking_ uuid,
    out id uuid, out tier text, out rank integer, out position_key text, out score double precision,
    out note text, out created_at timestamptz, out updated_at timestamptz, out above_id uuid,
    out below_id uuid, out media catalogue.media
) language plpgsql strict as $$  -- volatile, so that it sees what the statement it stands in has changed
declare
    own marquee.user_rankings;
begin
    select * into strict own from marquee.user_rankings r where r.id = ranking_;
    id := own.id;
    tier := own.tier;
    position_key := own.position_key;
    score := own.score;
    note := own.note;
    created_at := own.created_at;
    updated_at := own.updated_at;
    -- Counted from the nearer end, as far as the score tells which that is.
    if own.score >= (select (lo + hi) / 2 from marquee.tier_bands b where b.tier = own.tier) then
        select count(*) into rank from marquee.user_rankings r
        where r.user_id = own.user_id and r.tier = own.tier and r.position_key <= own.position_key;
    else
        select t.titles - (
            select count(*) from marquee.user_rankings r
            where r.user_id = own.user_id and r.tier = own.tier and r.position_key > own.position_key
        ) into rank
        from marquee.tiers t where t.user_id = own.user_id and t.tier = own.tier;
    end if;
    select r.id into above_id from marquee.user_rankings r
    where r.user_id = own.user_id and r.tier = own.tier and r.position_key < own.position_key
    order by r.position_key desc limit 1;
    select r.id into below_id from marquee.user_rankings r
    where r.user_id = own.user_id and r.tier = own.tier and r.position_key > own.position_key
    order by r.position_key limit 1;
    select * into media from catalogue.media m where m.id = own.media_id;
end
$$;

-- What has a rank in a tier without counting `own_`; null beyond the end. Searched for from the nearer end.
create function marquee.ranking_at(user_ uuid, tier_ text, rank_ integer, own_ uuid) returns uuid
    language plpgsql stable as $$
declare
    own_key text collate "C";
    others integer;
    key text collate "C";
begin
    select position_key into own_key from marquee.user_rankings r where r.id = own_ and r.tier = tier_;
    select titles - (own_key is not null)::integer into others from marquee.tiers t
    where t.user_id = user_ and t.tier = tier_;
    if rank_ <= others / 2 then
        select position_key into key from marquee.user_rankings r
        where r.user_id = user_ and r.tier = tier_ and position_key is distinct from own_key
        order by position_key offset rank_ - 1 limit 1;
    elsif rank_ <= others then
        select position_key into key from marquee.user_rankings r
        where r.user_id = user_ and r.tier = tier_ and position_key is distinct from own_key
        order by position_key desc offset others - rank_ limit 1;
    end if;
    return (
        select id from marquee.user_rankings r
        where r.user_id = user_ and r.tier = tier_ and r.position_key = key
    );
end
$$;

-- What a caller asks for: a new ranking of `media_` (`ranking_` is null), or a move of `ranking_`, in the tier
-- it is in where `tier_` is null. The place is directly below `after_`, directly above `before_`, at `rank_`
-- (1 is the best, beyond the end means the end), or the end.
--
-- Outcomes: those of `insert_ranking_between` and, before anything is locked, media_not_found,
-- ranking_not_found, neighbour_not_found, wrong_neighbour (it is in another tier), already_ranked.
create function marquee.place_ranking(
    in user_ uuid, in media_ text, in ranking_ uuid, in tier_ text, in after_ uuid, in before_ uuid,
    in rank_ integer, in new_id uuid, in note_ text, in now_ timestamptz,
    out outcome text, out ranking_id uuid, out from_tier text, out rebalanced integer
) language plpgsql as $$
declare
    named uuid;
    tier_of_named text collate "C";
    own marquee.user_rankings;
begin
    if ranking_ is not null then
        select media_id into media_ from marquee.user_rankings r where r.id = ranking_ and r.user_id = user_;
    elsif not exists (select from catalogue.media m where m.id = media_) then
        outcome := 'media_not_found';
        return;
    end if;
    perform marquee.hold_ranking(user_, media_);
    select * into own from marquee.user_rankings r where r.user_id = user_ and r.media_id = media_;
    if ranking_ is null and own.id is not null then
        outcome := 'already_ranked';
        ranking_id := own.id;
        return;
    elsif ranking_ is distinct from own.id then
        outcome := 'ranking_not_found';
        return;
    end if;
    tier_ := coalesce(tier_, own.tier);

    foreach named in array array_remove(array[after_, before_], null) loop
        select tier into tier_of_named from marquee.user_rankings r where r.id = named and r.user_id = user_;
        if tier_of_named is distinct from tier_ then
            outcome := case when tier_of_named is null then 'neighbour_not_found' else 'wrong_neighbour' end;
            return;
        end if;
    end loop;

    if rank_ is not null then
        perform marquee.lock_tiers(user_, array[tier_, own.tier]);
        before_ := marquee.ranking_at(user_, tier_, rank_, own.id);
    end if;
    select * into outcome, ranking_id, from_tier, rebalanced
    from marquee.insert_ranking_between(user_, media_, tier_, after_, before_, new_id, note_, now_);
end
$$;

-- Remove somebody's ranking; what it was, or no row.
create function marquee.remove_ranking(user_ uuid, ranking_ uuid) returns setof marquee.user_rankings
    language plpgsql as $$
declare
    gone marquee.user_rankings;
begin
    select * into gone from marquee.user_rankings r where r.id = ranking_ and r.user_id = user_;
    perform marquee.hold_ranking(user_, gone.media_id);
    select * into gone from marquee.user_rankings r where r.id = ranking_ and r.user_id = user_;
    if found then
        perform marquee.lock_tiers(user_, array[gone.tier]);
        delete from marquee.user_rankings r where r.id = ranking_ returning * into gone;
        update marquee.tiers t set titles = titles - 1 where t.user_id = user_ and t.tier = gone.tier;
        return next gone;
    end if;
end
$$;

-- Put titles at the ends of tiers, in the order given: so an import writes a part of its list. `to_come_` says
-- of each how many more of its tier the import still brings, so that the scores leave room for them.
-- Outcomes by place (from 1): inserted, already_ranked, tier_full.
create function marquee.append_rankings(
    user_ uuid, media_ text[], tiers_ text[], ids_ uuid[], notes_ text[], to_come_ integer[], now_ timestamptz
) returns table (place bigint, outcome text) language plpgsql as $$
declare
    most_titles constant integer := 10000;
    least_gap constant double precision := 1e-9;
    crowded text;
begin
    perform marquee.hold_ranking(user_, held.media_id)
    from (select distinct m.id as media_id from unnest(media_) as m(id) order by media_id) held;
    perform marquee.lock_tiers(user_, tiers_);

    for crowded in
        select b.tier from (
            select a.tier, max(a.to_come) + 1 as room
            from unnest(media_, tiers_, to_come_) as a(media_id, tier, to_come)
            where not exists (
                select from marquee.user_rankings r where r.user_id = user_ and r.media_id = a.media_id
            )
            group by a.tier
        ) wanted
        join marquee.tier_bands b using (tier)
        where (marquee.last_score(user_, b.tier) - b.lo) / (wanted.room + 1) < least_gap
    loop
        perform marquee.rebalance_tier_positions(user_, crowded);
    end loop;

    return query
    with asked as materialized (
        select a.*, row_number() over (partition by a.media_id order by a.place) > 1 or exists (
            select from marquee.user_rankings r where r.user_id = user_ and r.media_id = a.media_id
        ) as is_ranked
        from unnest(media_, tiers_, ids_, notes_, to_come_)
            with ordinality as a(media_id, tier, id, note, to_come, place)
    ), fresh as (
        select a.*, row_number() over of_tier as nth, first_value(a.to_come) over of_tier + 1 as room
        from asked a where not a.is_ranked
        window of_tier as (partition by a.tier order by a.place)
    ), ending as (
        select t.tier, t.titles, b.lo, coalesce(marquee.last_score(user_, t.tier), b.hi) as high, (
            select max(r.position_key) from marquee.user_rankings r
            where r.user_id = user_ and r.tier = t.tier
        ) as last_key
        from marquee.tiers t join marquee.tier_bands b using (tier)
        where t.user_id = user_ and t.tier = any (tiers_)
    ), keyed as (
        select e.tier, k.key, k.nth
        from ending e, unnest(marquee.keys_between(
            e.last_key, null, (select count(*) from fresh f where f.tier = e.tier)::integer
        )) with ordinality as k(key, nth)
    ), written as (
        insert into marquee.user_rankings (id, user_id, media_id, tier, position_key, score, note, created_at,
                                           updated_at)
        select f.id, user_, f.media_id, f.tier, k.key, e.high - (e.high - e.lo) * f.nth / (f.room + 1), f.note,
               now_, now_
        from fresh f join ending e using (tier) join keyed k using (tier, nth)
        where e.titles + f.nth <= most_titles
        returning id, tier
    ), counted as (
        update marquee.tiers t set titles = t.titles + new.titles
        from (select w.tier, count(*) as titles from written w group by w.tier) new
        where t.user_id = user_ and t.tier = new.tier
    )
    select a.place, case when a.is_ranked then 'already_ranked' when w.id is null then 'tier_full'
                         else 'inserted' end
    from asked a left join written w using (id)
    order by a.place;
end
$$;

-- A list that somebody has sent in; it is worked off a part at a time, and its rows go as it ends.
create table marquee.imports (
    id uuid primary key,
    user_id uuid not null references accounts.users (id) on delete cascade,
    kind text not null check (kind in ('letterboxd_ratings', 'letterboxd_diary', 'marquee')),
    total integer not null,
    done integer not null,       -- = matched + created + skipped
    matched integer not null default 0,  -- ranked, with titles that were in the catalogue
    created integer not null default 0,  -- ranked, with titles that were entered for it
    skips jsonb not null,        -- the first of them: line and reason
    skipped integer not null,
    tiers text[] not null default '{}',  -- in which something was ranked
    failures integer not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null,  -- when a part of it was worked off last
    ended_at timestamptz,
    error text
);
-- Serves the rule that everybody has one import at a time.
create unique index imports_open on marquee.imports (user_id) where ended_at is null;
-- Serves the search for the import that has waited longest.
create index imports_waiting on marquee.imports (updated_at) where ended_at is null;
-- Serves the removal of old ones.
create index imports_ended on marquee.imports (ended_at) where ended_at is not null;

-- What is still to be ranked of an import, in the order in which it is.
create table marquee.import_rows (
    import_id uuid not null references marquee.imports (id) on delete cascade,
    place integer not null,
    line integer not null,
    tier text collate "C" not null,
    to_come integer not null,  -- how many more of its tier come after it
    work jsonb not null,
    note text,
    primary key (import_id, place)
);
