"""The verbs of channels: open, change, hand over, delete; join, leave, add, remove.

Invariant: each is idempotent and told in the channel's room; locks are taken in the order person, channel, so
that nobody waits in a circle and no bound is passed.
"""

from uuid import UUID

from msgspec import UNSET

from quintet.apps.sidechain.channels import access, documents, queries, rules
from quintet.apps.sidechain.channels.model import (
    MOST_CHANNELS,
    MOST_MEMBERS,
    Channel,
    ChannelChange,
    ChannelChanged,
    ChannelDeleted,
    ChannelFull,
    ChannelId,
    Member,
    MemberJoined,
    MemberLeft,
    MemberNotFound,
    NewChannel,
    OwnerStays,
    Standing,
    TooManyChannels,
    channel_room,
)
from quintet.apps.sidechain.telling import tell_of
from quintet.domains.accounts import Account, accounts_of
from quintet.domains.notifications import notify, withdraw_object
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import user_room


async def open_channel(tx: Tx, actor: Actor, new: NewChannel) -> Channel:
    """Open a channel, with oneself as its owner and its documents empty; raises TooManyChannels."""
    name = rules.name_of(new.name)
    await queries.lock_person(tx, actor.id)
    await _check_may_be_in_another(tx, actor.id)
    channel_id = ChannelId(new_id())
    await queries.add_channel(tx, channel_id, actor.id, name, is_private=new.private)
    await documents.create_documents(tx, channel_id)
    own = (await accounts_of(tx, [actor.id]))[0]
    _tell_joined(tx, channel_id, Member(own, "owner", tx.now), 1)
    return Channel(channel_id, name, new.private, own, 1, "owner", tx.now, tx.now)


async def change_channel(tx: Tx, actor: Actor, channel_id: UUID, change: ChannelChange) -> Channel:
    """Rename one's channel, close or open it, hand it over; what changes nothing is not told."""
    name = UNSET if change.name is UNSET else rules.name_of(change.name)
    channel, standing = await access.channel_to_own(tx, actor, channel_id, wholly=True)
    name = standing.name if name is UNSET else name
    is_private = standing.is_private if change.private is UNSET else change.private
    owner_id = standing.owner_id if change.owner_id is UNSET else UserId(change.owner_id)
    if (name, is_private, owner_id) == (standing.name, standing.is_private, standing.owner_id):
        return channel
    owner = await _owner_from_now(tx, actor, standing, owner_id)
    await queries.write_channel(tx, standing.id, name, owner.id, is_private=is_private)
    if is_private != standing.is_private:
        await queries.open_posts(tx, standing.id, is_open=not is_private)
    tx.emit(
        channel_room(standing.id),
        ChannelChanged(channel_id=standing.id, name=name, private=is_private, owner=owner, updated_at=tx.now),
    )
    if is_private and not standing.is_private:
        _review_all(tx, standing.id)
    return await access.channel_to_see(tx, actor, channel_id)


async def _owner_from_now(tx: Tx, actor: Actor, standing: Standing, owner_id: UserId) -> Account:
    """Who owns the channel from now on: somebody in it whom the caller sees; raises MemberNotFound."""
    member = await queries.member(tx, actor.id, standing.id, owner_id)
    if member is None:
        raise MemberNotFound
    return member.user


async def delete_channel(tx: Tx, actor: Actor, channel_id: UUID) -> None:
    """End one's channel: at once there is nothing of it to be seen; its posts are cleared away behind it."""
    _, standing = await access.channel_to_own(tx, actor, channel_id, wholly=True)
    await _end_channel(tx, standing.id)


async def _end_channel(tx: Tx, channel_id: ChannelId) -> None:
    await documents.delete_documents(tx, channel_id)
    await withdraw_object(tx, channel_id)
    await queries.remove_members(tx, channel_id)
    tx.emit(channel_room(channel_id), ChannelDeleted(channel_id=channel_id))
    _review_all(tx, channel_id)


async def join_channel(tx: Tx, actor: Actor, channel_id: UUID) -> Channel:
    """Join a public channel; again is the same. Raises ChannelFull or TooManyChannels."""
    await queries.lock_person(tx, actor.id)
    channel, standing = await access.channel_to_join(tx, actor, channel_id)
    if channel.role is not None:
        return channel
    own = (await accounts_of(tx, [actor.id]))[0]
    await _let_in(tx, standing, own)
    return await access.channel_to_see(tx, actor, channel_id)


async def add_member(tx: Tx, actor: Actor, channel_id: UUID, user_id: UUID) -> Member:
    """Add somebody to one's channel, or oneself to a public one; again is the same.

    Raises PersonNotFound where the two cannot see each other, ChannelFull or TooManyChannels.
    """
    if user_id == actor.id:
        await join_channel(tx, actor, channel_id)
    else:
        await queries.lock_person(tx, user_id)
        _, standing = await access.channel_to_own(tx, actor, channel_id)
        person = await access.person_to_add(tx, actor, user_id)
        if not await queries.is_member(tx, person.id, standing.id):
            await _let_in(tx, standing, person)
            await notify(
                tx,
                kind="channel_added",
                user_id=person.id,
                actor_id=actor.id,
                object_id=standing.id,
                channel_name=standing.name,
            )
    member = await queries.member(tx, actor.id, channel_id, user_id)
    if member is None:
        raise LookupError("who was let in is not there")
    return member


async def _let_in(tx: Tx, standing: Standing, person: Account) -> None:
    if standing.members >= MOST_MEMBERS:
        raise ChannelFull
    await _check_may_be_in_another(tx, person.id)
    await queries.add_member(tx, standing.id, person.id)
    _tell_joined(tx, standing.id, Member(person, "member", tx.now), standing.members + 1)


async def _check_may_be_in_another(tx: Tx, user_id: UserId) -> None:
    if await queries.channels_of(tx, user_id) >= MOST_CHANNELS:
        raise TooManyChannels


async def leave_channel(tx: Tx, actor: Actor, channel_id: UUID) -> None:
    """Leave a channel; the last one to leave ends it. Raises OwnerStays while an owner is not alone."""
    channel, standing = await access.channel_to_join(tx, actor, channel_id)
    if standing.owner_id == actor.id:
        if standing.members > 1:
            raise OwnerStays
        await _end_channel(tx, standing.id)
    elif channel.role is not None:
        await _put_out(tx, standing, actor.id)


async def remove_member(tx: Tx, actor: Actor, channel_id: UUID, user_id: UUID) -> None:
    """Remove somebody from one's channel, or oneself from anybody's; again is the same."""
    if user_id == actor.id:
        await leave_channel(tx, actor, channel_id)
        return
    _, standing = await access.channel_to_own(tx, actor, channel_id)
    await _put_out(tx, standing, UserId(user_id))


async def _put_out(tx: Tx, standing: Standing, user_id: UserId) -> None:
    if not await queries.remove_member(tx, standing.id, user_id):
        return
    left = MemberLeft(channel_id=standing.id, user_id=user_id, members=standing.members - 1)
    for room in (channel_room(standing.id), user_room(user_id)):
        tell_of(tx, room, user_id, left)
    for room in (channel_room(standing.id), *documents.rooms(standing.id)):
        tx.review(room, user_id)
    tx.review(user_room(user_id))  # whose tabs may overhear the documents


def _tell_joined(tx: Tx, channel_id: ChannelId, member: Member, members: int) -> None:
    joined = MemberJoined(
        channel_id=channel_id, user=member.user, role=member.role, since=member.since, members=members
    )
    for room in (channel_room(channel_id), user_room(member.user.id)):
        tell_of(tx, room, member.user.id, joined)
    tx.review(user_room(member.user.id))  # whose tabs may overhear the documents from now on


def _review_all(tx: Tx, channel_id: ChannelId) -> None:
    """Put out of the channel's rooms whoever may not hear them any more."""
    for room in (channel_room(channel_id), *documents.rooms(channel_id)):
        tx.review(room)
