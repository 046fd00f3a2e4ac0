"""The statements that read somebody's list."""

from collections.abc import Collection
from uuid import UUID

from quintet.apps.marquee.rankings.filters import Filters
from quintet.apps.marquee.rankings.model import Ranking, Tier
from quintet.apps.marquee.rankings.queries import shown
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx, array
from quintet.kernel.json import encode


async def rankings_of(
    tx: Tx, user_id: UUID, filters: Filters, limit: int, offset: int
) -> tuple[list[Ranking], int]:
    """A part of somebody's list, and how many there are in all; ranks are those of the whole tier."""
    rows = await tx.all(
        lambda total, *columns: (shown(*columns), total),
        """
        with ranked as (
            select r.*, b.place,
                   row_number() over (partition by r.user_id, r.tier order by r.position_key) as rank
            from marquee.user_rankings r join marquee.tier_bands b using (tier)
            where r.user_id = $1 and ($2::text is null or r.tier = $2)
        ), page as (
            select ranked.*, count(*) over () as total from ranked
            where ($3::text is null and $4::text is null and $5::jsonb = '[]') or exists (
                select from catalogue.media m
                where m.id = ranked.media_id and ($3 is null or m.media_type = $3)
                  and ($4 is null or marquee.has_genre(m, $4))
                  and not exists (
                      select from jsonb_array_elements($5) as wanted(objects)
                      where not exists (
                          select from jsonb_array_elements(objects) as object where m.attributes @> object
                      )
                  )
            )
            order by place, rank
            limit $6 offset $7
        )
        select page.total, page.id, page.tier, page.rank, page.position_key, page.score, page.note,
               page.created_at, page.updated_at, m.*
        from page join catalogue.media m on m.id = page.media_id
        order by page.place, page.rank
        """,
        user_id,
        filters.tier,
        filters.media_type,
        filters.genre,
        encode(filters.attributes).decode(),
        limit,
        offset,
    )
    if not rows and offset:  # behind the end there is no row to tell the total
        return [], (await rankings_of(tx, user_id, filters, 1, 0))[1]
    return [ranking for ranking, _ in rows], rows[0][1] if rows else 0


async def rankings_behind(
    tx: Tx, user_id: UserId, tier: Tier, key: str, rank: int, most: int
) -> list[Ranking]:
    """The next of somebody's tier behind a key, whose rank that was; the first behind the empty key."""
    return await tx.all(
        shown,
        """
        select r.id, r.tier, ($4 + row_number() over (order by r.position_key))::integer, r.position_key,
               r.score, r.note, r.created_at, r.updated_at, m.*
        from marquee.user_rankings r join catalogue.media m on m.id = r.media_id
        where r.user_id = $1 and r.tier = $2 and r.position_key > $3
        order by r.position_key
        limit $5
        """,
        user_id,
        tier,
        key,
        rank,
        most,
    )


async def positions_in_tier(
    tx: Tx, user_id: UserId, tier: Tier, media_id: WorkId, asked: Collection[UUID]
) -> tuple[int, dict[UUID, int]] | None:
    """How many titles are in somebody's tier besides this one, and where those asked for stand.

    Positions count from 0, the best. None where there is no such film or play.
    """
    return await tx.maybe(
        lambda titles, places: (titles, {UUID(id_): place for id_, place in places.items()}),
        """
        with others as (
            select id, row_number() over (order by position_key) - 1 as place
            from marquee.user_rankings where user_id = $1 and tier = $2 and media_id <> $3
        )
        select (select count(*) from others),
               (select coalesce(json_object_agg(id, place), '{}') from others where id = any($4::uuid[]))
        from catalogue.media where id = $3
        """,
        user_id,
        tier,
        media_id,
        array(asked),
    )


async def ranking_at(tx: Tx, user_id: UserId, tier: Tier, media_id: WorkId, rank: int) -> Ranking | None:
    """What has that rank in somebody's tier when this title is not counted; None beyond the end."""
    return await tx.maybe(
        shown,
        """
        select p.id, p.tier, p.rank, p.position_key, p.score, p.note, p.created_at, p.updated_at, (p.media).*
        from (
            select marquee.ranking_at($1, $2, $4, (
                select id from marquee.user_rankings where user_id = $1 and media_id = $3
            )) as id
        ) found, marquee.placed_ranking(found.id) p
        where found.id is not null
        """,
        user_id,
        tier,
        media_id,
        rank,
    )
