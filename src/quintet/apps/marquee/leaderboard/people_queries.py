"""The statements behind the leaderboard of people: most titles first, then by id.

Invariant: nobody is on it whom the viewer (None: a stranger) may not see.
"""

from quintet.apps.marquee.leaderboard.model import Behind, Days, Place, Wanted
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


async def busiest(
    tx: Tx, viewer_id: UserId | None, _wanted: Wanted, _days: Days, behind: Behind, most: int
) -> list[Place]:
    """By all the titles they ranked."""
    _, titles, user_id = behind
    return await tx.all(
        _place,
        """
        select k.titles, p.id, p.username, p.display_name
        from marquee.rankers k join accounts.people p on p.id = k.user_id
        where k.titles > 0
          and (-k.titles, k.user_id) > (-coalesce($1::integer, 2147483647),
                                        coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'))
          and social.can_see($3, k.user_id)
        order by -k.titles, k.user_id
        limit $4
        """,
        titles,
        user_id,
        viewer_id,
        most,
    )


async def busiest_of_days(
    tx: Tx, viewer_id: UserId | None, _wanted: Wanted, days: Days, behind: Behind, most: int
) -> list[Place]:
    """By the titles they first ranked on certain days."""
    _, titles, user_id = behind
    return await tx.all(
        _place,
        """
        with counted as (
            select user_id, sum(titles)::integer as titles
            from marquee.ranker_days where day between $5 and $6
            group by user_id having sum(titles) > 0
        )
        select k.titles, p.id, p.username, p.display_name
        from counted k join accounts.people p on p.id = k.user_id
        where (-k.titles, k.user_id) > (-coalesce($1::integer, 2147483647),
                                        coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'))
          and social.can_see($3, k.user_id)
        order by -k.titles, k.user_id
        limit $4
        """,
        titles,
        user_id,
        viewer_id,
        most,
        days.first,
        days.last,
    )


async def busiest_with_some_titles(
    tx: Tx, viewer_id: UserId | None, wanted: Wanted, days: Days, behind: Behind, most: int
) -> list[Place]:
    """By titles of one type or genre: no counter tells them, so the rankings themselves are counted."""
    _, titles, user_id = behind
    return await tx.all(
        _place,
        """
        with counted as (
            select r.user_id, count(*)::integer as titles
            from marquee.user_rankings r join catalogue.media m on m.id = r.media_id
            where ($5::text is null or m.media_type = $5)
              and ($6::text is null or marquee.has_genre(m, $6))
              and ($7::date is null or (r.created_at at time zone 'UTC')::date between $7 and $8)
            group by r.user_id
        )
        select k.titles, p.id, p.username, p.display_name
        from counted k join accounts.people p on p.id = k.user_id
        where (-k.titles, k.user_id) > (-coalesce($1::integer, 2147483647),
                                        coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'))
          and social.can_see($3, k.user_id)
        order by -k.titles, k.user_id
        limit $4
        """,
        titles,
        user_id,
        viewer_id,
        most,
        wanted.media_type,
        wanted.genre,
        days.first,
        days.last,
    )


async def busiest_of_followed(
    tx: Tx, viewer_id: UserId, wanted: Wanted, days: Days, behind: Behind, most: int
) -> list[Place]:
    """Those whom the viewer follows, private accounts included, by the titles they ranked."""
    _, titles, user_id = behind
    return await tx.all(
        _place,
        """
        with counted as (
            select r.user_id, count(*)::integer as titles
            from social.following f
            join marquee.user_rankings r on r.user_id = f.followee_id
            join catalogue.media m on m.id = r.media_id
            where f.follower_id = $3
              and ($5::text is null or m.media_type = $5)
              and ($6::text is null or marquee.has_genre(m, $6))
              and ($7::date is null or (r.created_at at time zone 'UTC')::date between $7 and $8)
            group by r.user_id
        )
        select k.titles, p.id, p.username, p.display_name
        from counted k join accounts.people p on p.id = k.user_id
        where (-k.titles, k.user_id) > (-coalesce($1::integer, 2147483647),
                                        coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'))
        order by -k.titles, k.user_id
        limit $4
        """,
        titles,
        user_id,
        viewer_id,
        most,
        wanted.media_type,
        wanted.genre,
        days.first,
        days.last,
    )


def _place(titles: int, user_id: UserId, username: str, display_name: str) -> Place:
    return Place(titles, titles, user=Account(user_id, username, display_name))
