"""The statements about one channel and one member.

Invariant: whoever changes members or the owner has locked the channel's row; the count of members follows by
a trigger.
"""

from uuid import UUID

from quintet.apps.sidechain.channels.model import Channel, ChannelId, Member, Role, Standing
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def channel(tx: Tx, viewer_id: UUID, channel_id: UUID) -> Channel | None:
    """The channel, if the viewer sees it."""
    return await tx.maybe(
        shown,
        """
        select id, name, is_private, members, created_at, updated_at,
               owner_id, owner_username, owner_display_name, is_owner, is_member
        from sidechain.channels_seen_by($1)
        where id = $2
        """,
        viewer_id,
        channel_id,
    )


async def is_member(tx: Tx, user_id: UUID, channel_id: UUID) -> bool:
    """Whether somebody is in the channel."""
    return await tx.value(
        "select exists (select from sidechain.members where channel_id = $2 and user_id = $1)",
        user_id,
        channel_id,
    )


async def lock_person(tx: Tx, user_id: UUID) -> None:
    """Until the transaction ends, nobody else changes in how many channels somebody is.

    Taken before a channel's row.
    """
    await tx.send("select pg_advisory_xact_lock(hashtextextended($1, 21))", str(user_id))


async def lock_channel(tx: Tx, channel_id: UUID) -> Standing | None:
    """The channel's row; nobody else changes its members until the transaction ends."""
    return await tx.maybe(
        Standing,
        """
        select id, name, is_private, owner_id, members from sidechain.channels
        where id = $1 and members > 0
        for no key update
        """,
        channel_id,
    )


async def lock_channel_wholly(tx: Tx, channel_id: UUID) -> Standing | None:
    """The same, and nobody posts in it, either: a new post takes over whether the channel is private."""
    return await tx.maybe(
        Standing,
        """
        select id, name, is_private, owner_id, members from sidechain.channels
        where id = $1 and members > 0
        for update
        """,
        channel_id,
    )


async def channels_of(tx: Tx, user_id: UUID) -> int:
    """In how many channels somebody is."""
    return await tx.value("select count(*) from sidechain.members where user_id = $1", user_id)


async def add_channel(
    tx: Tx, channel_id: ChannelId, owner_id: UserId, name: str, *, is_private: bool
) -> None:
    """Write a channel with its owner in it."""
    await tx.send(
        """
        insert into sidechain.channels (id, name, is_private, owner_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        """,
        channel_id,
        name,
        is_private,
        owner_id,
        tx.now,
    )
    await add_member(tx, channel_id, owner_id)


async def add_member(tx: Tx, channel_id: ChannelId, user_id: UUID) -> None:
    """Write that somebody is in a channel, who was not."""
    await tx.send(
        "insert into sidechain.members (channel_id, user_id, since) values ($1, $2, $3)",
        channel_id,
        user_id,
        tx.now,
    )


async def remove_member(tx: Tx, channel_id: ChannelId, user_id: UUID) -> bool:
    """Write that somebody is in a channel no more; whether they were."""
    gone = await tx.run(
        "delete from sidechain.members where channel_id = $1 and user_id = $2", channel_id, user_id
    )
    return gone == 1


async def remove_members(tx: Tx, channel_id: ChannelId) -> None:
    """Remove everybody from a channel, which is its end."""
    await tx.send("delete from sidechain.members where channel_id = $1", channel_id)


async def write_channel(
    tx: Tx, channel_id: ChannelId, name: str, owner_id: UUID, *, is_private: bool
) -> None:
    """Write how a channel is from now on."""
    await tx.send(
        """
        update sidechain.channels set name = $2, is_private = $3, owner_id = $4, updated_at = $5
        where id = $1
        """,
        channel_id,
        name,
        is_private,
        owner_id,
        tx.now,
    )


async def open_posts(tx: Tx, channel_id: ChannelId, *, is_open: bool) -> None:
    """Have a channel's posts follow whether it is public."""
    await tx.send(
        "update sidechain.posts set is_open = $2 where channel_id = $1 and is_open <> $2",
        channel_id,
        is_open,
    )


async def member(tx: Tx, viewer_id: UUID, channel_id: UUID, user_id: UUID) -> Member | None:
    """Somebody who is in a channel, unless a block stands between them and the viewer."""
    return await tx.maybe(
        member_shown,
        """
        select p.id, p.username, p.display_name, c.owner_id = p.id, m.since
        from sidechain.members m
        join sidechain.channels c on c.id = m.channel_id
        join accounts.people p on p.id = m.user_id
        where m.channel_id = $2 and m.user_id = $3 and not exists (
            select from social.blocks_between b where b.user_id = m.user_id and b.other_id = $1
        )
        """,
        viewer_id,
        channel_id,
        user_id,
    )


def member_shown(user_id: UserId, username: str, display_name: str, is_owner: bool, since: Instant) -> Member:
    """A member from the columns."""
    return Member(Account(user_id, username, display_name), "owner" if is_owner else "member", since)


def shown(
    id_: ChannelId,
    name: str,
    is_private: bool,
    members: int,
    created_at: Instant,
    updated_at: Instant,
    owner_id: UserId | None,
    owner_username: str,
    owner_display_name: str,
    is_owner: bool,
    is_member: bool,
) -> Channel:
    """A channel from the columns of `sidechain.channels_seen_by`."""
    owner = None if owner_id is None else Account(owner_id, owner_username, owner_display_name)
    role: Role | None = "owner" if is_owner else "member" if is_member else None
    return Channel(id_, name, is_private, owner, members, role, created_at, updated_at)
