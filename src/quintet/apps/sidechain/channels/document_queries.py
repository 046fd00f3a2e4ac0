"""The statements that say who reads and writes a channel's documents."""

from collections.abc import Collection
from uuid import UUID

from quintet.apps.sidechain.channels.model import ChannelId
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx, array


async def who_see(tx: Tx, channel_id: ChannelId, user_ids: Collection[UUID]) -> set[UUID]:
    """Which of these users see the channel."""
    found = await tx.all(
        lambda user_id: user_id,
        """
        select asked.id from unnest($1::uuid[]) as asked(id)
        where sidechain.can_see_channel(asked.id, $2)
        """,
        array(user_ids),
        channel_id,
    )
    return set(found)


async def who_are_in(tx: Tx, channel_id: ChannelId, user_ids: Collection[UUID]) -> set[UUID]:
    """Which of these users are in the channel."""
    found = await tx.all(
        lambda user_id: user_id,
        "select user_id from sidechain.members where channel_id = $2 and user_id = any($1::uuid[])",
        array(user_ids),
        channel_id,
    )
    return set(found)


async def channels_of(tx: Tx, user_id: UserId) -> list[str]:
    """The channels somebody is in, the one joined last first."""
    return await tx.all(
        str,
        "select channel_id from sidechain.members where user_id = $1 order by since desc, channel_id",
        user_id,
    )
