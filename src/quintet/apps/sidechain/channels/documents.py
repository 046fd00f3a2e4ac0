"""A channel's collaborative documents, `channel:{id}:description` and `channel:{id}:notes`.

Invariant: they are there exactly as long as the channel is. Who sees the channel reads them, its members
write.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from quintet.apps.sidechain.channels import document_queries as queries
from quintet.apps.sidechain.channels.model import ChannelId
from quintet.domains import documents
from quintet.domains.documents import DocumentKind, room_of
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel

KIND: Final = "channel"
FIELDS: Final = frozenset({"description", "notes"})


async def create_documents(tx: Tx, channel_id: ChannelId) -> None:
    """Let both begin, empty."""
    await documents.create_documents(tx, KIND, str(channel_id))


async def delete_documents(tx: Tx, channel_id: ChannelId) -> None:
    """Remove both, with their history."""
    await documents.delete_documents(tx, KIND, str(channel_id))


def rooms(channel_id: ChannelId) -> list[str]:
    """The rooms in which their operations are told."""
    return [room_of(f"{KIND}:{channel_id}:{field}") for field in sorted(FIELDS)]


async def readers(tx: Tx, object_id: str, user_ids: Collection[UUID]) -> set[UUID]:
    """Which of these users see the channel."""
    channel_id = _id_of(object_id)
    return set() if channel_id is None else await queries.who_see(tx, channel_id, user_ids)


async def writers(tx: Tx, object_id: str, user_ids: Collection[UUID]) -> set[UUID]:
    """Which of these users are in the channel."""
    channel_id = _id_of(object_id)
    return set() if channel_id is None else await queries.who_are_in(tx, channel_id, user_ids)


async def heard_unasked(tx: Tx, user_id: UserId) -> list[str]:
    """The channels whose documents somebody hears without asking: their own."""
    return await queries.channels_of(tx, user_id)


def _id_of(object_id: str) -> ChannelId | None:
    """The channel's id, spelt as we spell it; None for what is none."""
    try:
        channel_id = UUID(object_id)
    except ValueError:
        return None
    return ChannelId(channel_id) if str(channel_id) == object_id else None


async def register_documents(kernel: Kernel) -> None:
    """Let channels have documents."""
    documents.register_kind(kernel, KIND, DocumentKind(FIELDS, readers, writers, heard_unasked))
