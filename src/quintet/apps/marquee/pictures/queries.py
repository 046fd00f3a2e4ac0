"""Statements of shared pictures."""

from uuid import UUID

from quintet.apps.marquee.pictures.model import (
    MOST_TITLES,
    BestTitle,
    PictureId,
    PictureRow,
    SharedList,
)
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def picture_of(tx: Tx, user_id: UserId) -> PictureRow | None:
    """Somebody's picture, where they share one."""
    return await tx.maybe(
        PictureRow, "select id, created_at from marquee.pictures where user_id = $1", user_id
    )


async def add_picture(tx: Tx, user_id: UserId, picture_id: PictureId, now: Instant) -> bool:
    """Give somebody's list an address; False where it has one already."""
    return bool(
        await tx.run(
            """
            insert into marquee.pictures (user_id, id, created_at) values ($1, $2, $3)
            on conflict (user_id) do nothing
            """,
            user_id,
            picture_id,
            now,
        )
    )


async def remove_picture(tx: Tx, user_id: UserId) -> PictureId | None:
    """Take the address back; which it was."""
    return await tx.value("delete from marquee.pictures where user_id = $1 returning id", user_id)


async def owner_of(tx: Tx, picture_id: str) -> UserId | None:
    """Whose picture it is."""
    found: UUID | None = await tx.value("select user_id from marquee.pictures where id = $1", picture_id)
    return None if found is None else UserId(found)


async def shared_list(tx: Tx, picture_id: str) -> SharedList | None:
    """Whose list the picture shows, and how far its owner's room is."""
    return await tx.maybe(
        SharedList,
        """
        select coalesce(nullif(p.display_name, ''), p.username),
               coalesce((select seq from kernel.room_seqs where room = 'user:' || s.user_id), 0)
        from marquee.pictures s
        join accounts.people p on p.id = s.user_id
        where s.id = $1
        """,
        picture_id,
    )


async def best_titles(tx: Tx, user_id: UserId) -> list[BestTitle]:
    """The best of each tier, S first, with how many it holds; as cheap for a long list as for a short one.

    An empty tier is a row without a title.
    """
    return await tx.all(
        BestTitle,
        """
        select t.tier, coalesce(held.titles, 0), m.title, m.year, best.updated_at
        from marquee.tier_bands t
        left join marquee.tiers held on held.user_id = $1 and held.tier = t.tier
        left join lateral (
            select media_id, position_key, updated_at from marquee.user_rankings
            where user_id = $1 and tier = t.tier
            order by position_key
            limit $2
        ) best on true
        left join catalogue.media m on m.id = best.media_id
        order by t.place, best.position_key
        """,
        user_id,
        MOST_TITLES,
    )
