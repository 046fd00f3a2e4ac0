"""The statements behind the leaderboard of titles: best mean first, then most rankings, then by id.

Invariant: each is one keyset page, in the order of the index `media_counts_board`.
"""

from quintet.apps.marquee.leaderboard.model import Behind, Days, Place, Prior, Wanted
from quintet.apps.marquee.media.model import Media
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


async def prior(tx: Tx) -> Prior:
    """The constants of the Bayesian mean."""
    return await tx.one(Prior, "select m, c from marquee.prior")


async def best_media(tx: Tx, wanted: Wanted, _days: Days, behind: Behind, most: int) -> list[Place]:
    """Of all time, by everybody whose account is public."""
    return await tx.all(
        _place,
        """
        select k.score, k.rankings, m.*
        from marquee.media_counts k join catalogue.media m on m.id = k.media_id
        where k.rankings > 0
          and (-k.score, -k.rankings, k.media_id) > (-coalesce($1::double precision, 'infinity'),
                                                     -coalesce($2::integer, 0), coalesce($3::text, ''))
          and ($4::text is null or m.media_type = $4)
          and ($5::text is null or marquee.has_genre(m, $5))
        order by -k.score, -k.rankings, k.media_id
        limit $6
        """,
        *behind,
        wanted.media_type,
        wanted.genre,
        most,
    )


async def best_media_of_days(tx: Tx, wanted: Wanted, days: Days, behind: Behind, most: int) -> list[Place]:
    """Of the rankings first made on certain days, by everybody whose account is public."""
    return await tx.all(
        _place,
        """
        with counted as (
            select media_id, sum(s)::integer as s, sum(a)::integer as a, sum(b)::integer as b,
                   sum(c)::integer as c, sum(d)::integer as d
            from marquee.media_days where day between $7 and $8
            group by media_id
        ), scored as (
            select k.media_id, k.s + k.a + k.b + k.c + k.d as rankings,
                   marquee.bayesian_mean(w, k.s, k.a, k.b, k.c, k.d) as score
            from counted k, marquee.weights w where k.s + k.a + k.b + k.c + k.d > 0
        )
        select k.score, k.rankings, m.*
        from scored k join catalogue.media m on m.id = k.media_id
        where (-k.score, -k.rankings, k.media_id) > (-coalesce($1::double precision, 'infinity'),
                                                     -coalesce($2::integer, 0), coalesce($3::text, ''))
          and ($4::text is null or m.media_type = $4)
          and ($5::text is null or marquee.has_genre(m, $5))
        order by -k.score, -k.rankings, k.media_id
        limit $6
        """,
        *behind,
        wanted.media_type,
        wanted.genre,
        most,
        days.first,
        days.last,
    )


async def best_media_of_followed(
    tx: Tx, viewer_id: UserId, wanted: Wanted, days: Days, behind: Behind, most: int
) -> list[Place]:
    """By those whom the viewer follows, private accounts included; of certain days or of all time."""
    return await tx.all(
        _place,
        """
        with counted as (
            select r.media_id,
                   (count(*) filter (where r.tier = 'S'))::integer as s,
                   (count(*) filter (where r.tier = 'A'))::integer as a,
                   (count(*) filter (where r.tier = 'B'))::integer as b,
                   (count(*) filter (where r.tier = 'C'))::integer as c,
                   (count(*) filter (where r.tier = 'D'))::integer as d
            from social.following f join marquee.user_rankings r on r.user_id = f.followee_id
            where f.follower_id = $9
              and ($7::date is null or (r.created_at at time zone 'UTC')::date between $7 and $8)
            group by r.media_id
        ), scored as (
            select k.media_id, k.s + k.a + k.b + k.c + k.d as rankings,
                   marquee.bayesian_mean(w, k.s, k.a, k.b, k.c, k.d) as score
            from counted k, marquee.weights w
        )
        select k.score, k.rankings, m.*
        from scored k join catalogue.media m on m.id = k.media_id
        where (-k.score, -k.rankings, k.media_id) > (-coalesce($1::double precision, 'infinity'),
                                                     -coalesce($2::integer, 0), coalesce($3::text, ''))
          and ($4::text is null or m.media_type = $4)
          and ($5::text is null or marquee.has_genre(m, $5))
        order by -k.score, -k.rankings, k.media_id
        limit $6
        """,
        *behind,
        wanted.media_type,
        wanted.genre,
        most,
        days.first,
        days.last,
        viewer_id,
    )


def _place(score: float, count: int, *media: object) -> Place:
    return Place(score, count, media=Media(*media))  # pyright: ignore[reportArgumentType]
