"""The statements that clear away ended channels."""

from uuid import UUID

from quintet.apps.sidechain.channels.model import ChannelId
from quintet.kernel.database import Tx


async def lock_ended_channel(tx: Tx) -> ChannelId | None:
    """A channel without members that no other node is clearing away."""
    return await tx.value(
        "select id from sidechain.channels where members = 0 order by id limit 1 for update skip locked"
    )


async def remove_posts(tx: Tx, channel_id: ChannelId, most: int) -> list[UUID]:
    """Remove that many of a channel's posts; which there were."""
    return await tx.all(
        lambda post_id: post_id,
        """
        delete from sidechain.posts where id in (
            select id from sidechain.posts where channel_id = $1 order by id desc limit $2
        )
        returning id
        """,
        channel_id,
        most,
    )


async def remove_channel(tx: Tx, channel_id: ChannelId) -> None:
    """Remove a channel's row."""
    await tx.send("delete from sidechain.channels where id = $1", channel_id)
