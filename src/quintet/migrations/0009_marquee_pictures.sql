-- A tier list as a picture, at an address that only those know who were told it.

create table marquee.pictures (
    user_id uuid primary key references accounts.users (id) on delete cascade,
    id text collate "C" not null unique,  -- random, 128 bits; its index serves the look-up by address
    created_at timestamptz not null
);
