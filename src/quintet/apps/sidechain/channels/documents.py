"""A channel's collaborative documents, `channel:{id}:description` and `channel:{id}:notes`.

Invariant: they are there exactly as long as the channel is.
"""

from typing import Final

from quintet.apps.sidechain.channels.model import ChannelId
from quintet.kernel.database import Tx

FIELDS: Final = ("description", "notes")


async def create_documents(tx: Tx, channel_id: ChannelId) -> None:
    """Let both begin, empty."""
    _ = tx, channel_id


async def delete_documents(tx: Tx, channel_id: ChannelId) -> None:
    """Remove both, with their history."""
    _ = tx, channel_id


def rooms(channel_id: ChannelId) -> list[str]:
    """The rooms in which their operations are told."""
    return [f"document:channel:{channel_id}:{field}" for field in FIELDS]
