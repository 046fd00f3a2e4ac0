"""The statements that list channels and members.

Invariant: nothing is listed that the viewer could not read by its id.
"""

from uuid import UUID

from quintet.apps.sidechain.channels.model import Channel, Member
from quintet.apps.sidechain.channels.queries import member_shown, shown
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

Behind = tuple[str, UUID] | tuple[None, None]


async def own_channels(
    tx: Tx, viewer_id: UserId, part: str | None, behind: UUID | None, most: int
) -> list[Channel]:
    """The channels somebody is in, newest first; with a part of their names, folded and escaped."""
    return await tx.all(
        shown,
        """
        select c.id, c.name, c.is_private, c.members, c.created_at, c.updated_at,
               c.owner_id, c.owner_username, c.owner_display_name, c.is_owner, c.is_member
        from sidechain.members m
        cross join lateral (select * from sidechain.channels_seen_by($1) s where s.id = m.channel_id) c
        where m.user_id = $1 and ($2::text is null or lower(c.name) like $2)
          and m.channel_id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by m.channel_id desc
        limit $4
        """,
        viewer_id,
        part,
        behind,
        most,
    )


async def channels(
    tx: Tx, viewer_id: UserId, part: str | None, behind: UUID | None, most: int
) -> list[Channel]:
    """The channels somebody sees, newest first; with a part of their names, folded and escaped."""
    return await tx.all(
        shown,
        """
        with page as (
            (
                select c.id from sidechain.channels c
                where not c.is_private and c.members > 0 and ($2::text is null or lower(c.name) like $2)
                  and c.id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                  and not exists (
                      select from social.blocks_between b where b.user_id = c.owner_id and b.other_id = $1
                  )
                order by c.id desc
                limit $4
            )
            union
            (
                select c.id from sidechain.members m join sidechain.channels c on c.id = m.channel_id
                where m.user_id = $1 and ($2::text is null or lower(c.name) like $2)
                  and m.channel_id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                order by m.channel_id desc
                limit $4
            )
        )
        select id, name, is_private, members, created_at, updated_at,
               owner_id, owner_username, owner_display_name, is_owner, is_member
        from sidechain.channels_seen_by($1)
        where id in (select id from page)
        order by id desc
        limit $4
        """,
        viewer_id,
        part,
        behind,
        most,
    )


async def members(tx: Tx, viewer_id: UserId, channel_id: UUID, behind: Behind, most: int) -> list[Member]:
    """Who is in a channel, newest first, without those behind a block."""
    return await tx.all(
        member_shown,
        """
        select p.id, p.username, p.display_name, c.owner_id = p.id, m.since
        from sidechain.members m
        join sidechain.channels c on c.id = m.channel_id
        join accounts.people p on p.id = m.user_id
        where m.channel_id = $2
          and (m.since, m.user_id) < (coalesce($3::timestamptz, 'infinity'),
                                      coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
          and not exists (
              select from social.blocks_between b where b.user_id = m.user_id and b.other_id = $1
          )
        order by m.since desc, m.user_id desc
        limit $5
        """,
        viewer_id,
        channel_id,
        *behind,
        most,
    )
