"""Lists to move titles in: people with a full tier each, and the moves.

Invariant: a tier is as a rebalance leaves it, and the tables are vacuumed, as autovacuum leaves them.
"""

import random
from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg
from bench._load import request
from bench._world import Person

_random = random.Random(22)
_RANKING = "00000000-0000-7000-a000-{}"


def ranking_id(number: int) -> UUID:
    """A ranking's id, which ends in twelve digits, so that pgbench can draw one."""
    return UUID(_RANKING.format(number))


def rank_titles(dsn: str, persons: Sequence[UUID], media: Sequence[str], first: int) -> None:
    """Everybody has all of `media` in tier A; ids count from `first`, person by person, best title first."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            insert into marquee.user_rankings (id, user_id, media_id, tier, position_key, score, created_at,
                                               updated_at)
            select (%(prefix)s || (%(first)s + (p.nth - 1) * %(count)s + m.nth - 1))::uuid, p.id, m.id, 'A',
                   m.key, 9 - (m.nth - 0.5) / %(count)s, now(), now()
            from unnest(%(persons)s::uuid[]) with ordinality as p(id, nth),
                 unnest(%(media)s::text[], marquee.keys_between(null, null, %(count)s))
                     with ordinality as m(id, key, nth)
            """,
            {
                "prefix": _RANKING.format(""),
                "first": first,
                "count": len(media),
                "persons": list(persons),
                "media": list(media),
            },
        )
        connection.execute(
            "insert into marquee.tiers (user_id, tier, titles)"
            " select id, 'A', %s from unnest(%s::uuid[]) as u(id)",
            (len(media), list(persons)),
        )


def settle(dsn: str) -> None:
    """Have the tables as a running server has them."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def moves(persons: Sequence[Person], titles: int, first: int, count: int) -> list[bytes]:
    """Requests that move somebody's title before another one of theirs, both drawn at random."""
    made: list[bytes] = []
    for _ in range(count):
        nth = _random.randrange(len(persons))
        moved, other = (first + nth * titles + place for place in _random.sample(range(titles), 2))
        made.append(
            request(
                "PATCH",
                f"/rankings/{ranking_id(moved)}/move",
                token=persons[nth].token,
                body=b'{"before_id":"%s"}' % str(ranking_id(other)).encode(),
                Idempotency_Key=str(uuid4()),
            )
        )
    return made
