"""From a caller's ids to channels: missing and hidden channels look alike.

Invariant: whoever may read a channel over HTTP may join its room, and nobody else.
"""

from typing import Final
from uuid import UUID

from quintet.apps.sidechain.channels import queries
from quintet.apps.sidechain.channels.model import Channel, ChannelNotFound, PersonNotFound, Standing
from quintet.domains.accounts import Account, accounts_of
from quintet.domains.social import can_see
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx
from quintet.kernel.live.hub import RoomKind
from quintet.kernel.refusals import Forbidden


async def channel_to_see(tx: Tx, actor: Actor, channel_id: UUID) -> Channel:
    """A channel of one's own, or a public one of somebody without a block; raises ChannelNotFound."""
    channel = await queries.channel(tx, actor.id, channel_id)
    if channel is None:
        raise ChannelNotFound
    return channel


async def channel_to_join(tx: Tx, actor: Actor, channel_id: UUID) -> tuple[Channel, Standing]:
    """The same, its row locked; raises ChannelNotFound."""
    standing = await queries.lock_channel(tx, channel_id)
    if standing is None:
        raise ChannelNotFound
    return await channel_to_see(tx, actor, channel_id), standing


async def channel_to_own(
    tx: Tx, actor: Actor, channel_id: UUID, *, wholly: bool = False
) -> tuple[Channel, Standing]:
    """One's own channel, its row locked, wholly so that nobody posts; raises ChannelNotFound or Forbidden."""
    lock = queries.lock_channel_wholly if wholly else queries.lock_channel
    standing = await lock(tx, channel_id)
    if standing is None:
        raise ChannelNotFound
    channel = await channel_to_see(tx, actor, channel_id)
    if standing.owner_id != actor.id:
        raise Forbidden("only the channel's owner may do that")
    return channel, standing


async def person_to_add(tx: Tx, actor: Actor, user_id: UUID) -> Account:
    """Somebody the caller sees: nobody is added across a block or a closed door; raises PersonNotFound."""
    if not await can_see(tx, actor.id, UserId(user_id)):
        raise PersonNotFound
    return (await accounts_of(tx, [UserId(user_id)]))[0]


async def check_may_hear(tx: Tx, actor: Actor, rest: str) -> None:
    """Raise ChannelNotFound unless the caller sees the channel whose id this is."""
    try:
        channel_id = UUID(rest)
    except ValueError as error:
        raise ChannelNotFound from error
    if str(channel_id) != rest:  # one room, one name
        raise ChannelNotFound
    await channel_to_see(tx, actor, channel_id)


CHANNEL_ROOM: Final = RoomKind(check_may_hear, hides_people=True)
