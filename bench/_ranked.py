"""What Marquee's benches measure on: lists of rankings, what was done, and who follows whom.

Invariant: rankings are written in bulk, past the actions, so what triggers keep (the leaderboard) is right;
the deeds of the feed are written beside them, one for each ranking.
"""

from collections.abc import Sequence

import psycopg
from bench._server import Server
from bench._world import Person, run


def rankings(server: Server, persons: Sequence[Person], titles: Sequence[str], each: int, days: int) -> None:
    """`each` titles for every person, in tiers by turns, done at some moment of the last `days` days."""
    run(
        server.dsn,
        """
        with made as (
            select gen_random_uuid() as id, user_id, n,
                   (%(titles)s::text[])[1 + (row * 7 + n * 13) %% %(count)s] as media_id,
                   now() - random() * make_interval(days => %(days)s) as at
            from unnest(%(people)s::uuid[]) with ordinality as u(user_id, row),
                 generate_series(0, %(each)s - 1) as n
        ), ranked as (
            insert into marquee.user_rankings (id, user_id, media_id, tier, position_key, score, created_at,
                                               updated_at)
            select id, user_id, media_id, (array['S', 'A', 'B', 'C', 'D'])[1 + n %% 5],
                   'a' || chr(97 + n), (array[9.5, 8.5, 7.5, 6.5, 3])[1 + n %% 5], at, at
            from made
            returning id, user_id, tier, created_at
        )
        insert into marquee.activities (id, user_id, kind, ranking_id, tier, at)
        select gen_random_uuid(), user_id, 'ranked', id, tier, created_at from ranked
        """,
        {
            "people": [one.id for one in persons],
            "titles": list(titles),
            "count": len(titles),
            "each": each,
            "days": days,
        },
    )


def follow(server: Server, follower: Person, others: Sequence[Person]) -> None:
    """Let one follow the others."""
    run(
        server.dsn,
        """
        insert into social.profiles (user_id) select unnest(%(all)s::uuid[]) on conflict do nothing
        """,
        {"all": [follower.id, *(one.id for one in others)]},
    )
    run(
        server.dsn,
        """
        insert into social.follows (follower_id, followee_id, since)
        select %(follower)s, unnest(%(others)s::uuid[]), now()
        """,
        {"follower": follower.id, "others": [one.id for one in others]},
    )


def settle(server: Server) -> None:
    """Leave the tables as a running server has them: vacuumed and analyzed."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
