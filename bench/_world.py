"""What the benches measure on: people who are signed in, titles, and marks with their curves.

Invariant: curves are computed from the marks by the statement that defines a voice, so what is read is right.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from bench._server import Server

from quintet.apps.wigg.rules import GRIDS, LEVELS, MILLION, USUAL_SEGMENTS, boundaries
from quintet.kernel.clock import SystemClock
from quintet.kernel.tokens import SigningKey, Tokens

MARKS_EACH = 5
_SHUFFLE = random.Random(20)
# Ids end in twelve decimal digits, so that pgbench can draw one: its variables are numbers.
FIRST_PERSON = 100_000_000_001
_PERSON, _SESSION = "00000000-0000-7000-8000-{}", "00000000-0000-7000-9000-{}"


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a session."""

    id: UUID
    token: str


def people(server: Server, count: int) -> list[Person]:
    """Accounts with sessions, and access tokens by the server's own key.

    Signing up over HTTP would spend a quarter of a second each on hashing a password.
    """
    accounts(server.dsn, count)
    with psycopg.connect(server.dsn) as connection:
        keys = connection.execute(
            "select kid, private_key, public_key, true from kernel.signing_keys"
        ).fetchall()
    tokens = Tokens(server.issuer, [SigningKey(*key) for key in keys], SystemClock())
    return [
        Person(id_, tokens.issue(id_, session, "user")) for id_, session in zip(*_ids(count), strict=True)
    ]


def accounts(dsn: str, count: int) -> None:
    """The rows that signing up leaves, but for passwords."""
    ids, sessions = _ids(count)
    names = [f"bench-{id_.hex[-12:]}" for id_ in ids]
    run(
        dsn,
        """
        insert into accounts.users (id, username, username_skeleton, display_name)
        select id, name, name, name from unnest(%s::uuid[], %s::text[]) as u(id, name)
        on conflict do nothing
        """,
        (ids, names),
    )
    run(
        dsn,
        """
        insert into accounts.sessions (id, user_id, user_agent, expires_at)
        select id, user_id, 'bench', now() + interval '30 days'
        from unnest(%s::uuid[], %s::uuid[]) as s(id, user_id)
        on conflict do nothing
        """,
        (sessions, ids),
    )


def _ids(count: int) -> tuple[list[UUID], list[UUID]]:
    numbers = range(FIRST_PERSON, FIRST_PERSON + count)
    return [UUID(_PERSON.format(n)) for n in numbers], [UUID(_SESSION.format(n)) for n in numbers]


def titles(dsn: str, ids: Sequence[str]) -> None:
    """Films with these ids."""
    run(
        dsn,
        """
        insert into catalogue.works (id, kind, title, total_length_seconds, year, genres, created_at,
                                     updated_at)
        select id, 'film', 'Film ' || id, 7200, 1995, '{crime}', now(), now() from unnest(%s::text[]) as w(id)
        """,
        list(ids),
    )


def marks(dsn: str, ids: Sequence[str], persons: Sequence[Person], each: int = MARKS_EACH) -> None:
    """`each` marks of every person on every title, spread over its length, with their curves."""
    run(
        dsn,
        """
        insert into wigg.wiggs (id, title_id, user_id, position, rating, action_id, marked_at, created_at,
                                updated_at)
        select gen_random_uuid(), title_id, user_id,
               ((n + random()) * (100000000 / %(each)s))::integer, floor(random() * 4), gen_random_uuid(),
               now(), now(), now()
        from unnest(%(titles)s::text[]) as t(title_id), unnest(%(people)s::uuid[]) as u(user_id),
             generate_series(0, %(each)s - 1) as n
        """,
        {"each": each, "titles": list(ids), "people": [person.id for person in persons]},
    )
    curves(dsn, ids)


def curves(dsn: str, ids: Sequence[str]) -> None:
    """Draw the titles' curves from all voices, on the four grids kept ready, and have them read warm."""
    starts = [list(boundaries(segments)[:-1]) for segments in GRIDS]
    parts = " union all ".join(
        f"select {place} as grid, v.* from wigg.voices_of(w.id, %s::integer[]) v"
        for place in range(len(GRIDS))
    )
    grids = ", ".join(f"({place}, {segments})" for place, segments in enumerate(GRIDS))
    run(
        dsn,
        f"""
        insert into wigg.curves (title_id, version, wiggs_count, users_count, sums, voices, levels)
        select w.id, 1, (select count(*) from wigg.wiggs m where m.title_id = w.id),
               (select count(distinct user_id) from wigg.wiggs m where m.title_id = w.id),
               sums, voices, levels
        from unnest(%s::text[]) as w(id)
        cross join lateral (
            with cells as (
                select grid, segment
                from (values {grids}) g(grid, segments), generate_series(0, segments - 1) as segment
            ),
            said as materialized ({parts}),
            summed as (
                select grid, segment, sum(voice)::bigint as total, count(*)::integer as people
                from said group by grid, segment
            ),
            shared as (
                select segment * {LEVELS} + level as cell, sum(weight)::bigint as weight
                from said cross join lateral (
                    values (voice / {MILLION}, {MILLION} - voice %% {MILLION}),
                           (voice / {MILLION} + 1, voice %% {MILLION})
                ) as l(level, weight)
                where grid = {GRIDS.index(USUAL_SEGMENTS)} and weight > 0 group by 1
            )
            select (select array_agg(coalesce(total, 0) order by grid, segment)
                    from cells left join summed using (grid, segment)) as sums,
                   (select array_agg(coalesce(people, 0) order by grid, segment)
                    from cells left join summed using (grid, segment)) as voices,
                   (select array_agg(coalesce(weight, 0) order by cell)
                    from generate_series(0, {USUAL_SEGMENTS * LEVELS - 1}) as cell
                    left join shared using (cell)) as levels
        ) drawn
        """,
        (list(ids), *starts),
    )


def settle(server: Server, ids: Sequence[str]) -> None:
    """Have every time to good computed, and the tables as a running server has them: vacuumed, analyzed."""
    run(
        server.dsn,
        "insert into wigg.t2g_due select id, now() from unnest(%s::text[]) as t(id) on conflict do nothing",
        list(ids),
    )
    until = time.monotonic() + 60
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        while connection.execute("select true from wigg.t2g_due limit 1").fetchone():
            assert time.monotonic() < until, "the times to good were not computed within a minute"
            time.sleep(0.1)
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def run(dsn: str, statement: str, values: Any) -> None:
    """One statement; a list is its only value."""
    with psycopg.connect(dsn) as connection:
        connection.execute(statement, (values,) if isinstance(values, list) else values)


def shuffled(items: Sequence[bytes]) -> list[bytes]:
    """The items in an order that is the same in every run."""
    return _SHUFFLE.sample(items, len(items))
