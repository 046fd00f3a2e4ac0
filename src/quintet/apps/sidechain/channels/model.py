"""The words of channels: what one is, what is told of it, and what can be refused.

Invariant: what a channel's room tells is enough to keep a channel and its list of members as they are.
"""

from typing import Annotated, ClassVar, Final, Literal, NewType
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound

ChannelId = NewType("ChannelId", UUID)
Role = Literal["owner", "member"]
# A plugin hears the documents of all its user's channels; a feed looks into each of them.
MOST_CHANNELS: Final = 500
MOST_MEMBERS: Final = 1_000
MOST_NAME: Final = 100  # characters

Name = Annotated[str, Meta(max_length=1_000)]  # for decoding only; what a good name is, rules.py says


def channel_room(channel_id: UUID) -> str:
    """The room in which a channel's changes and posts are told."""
    return f"channel:{channel_id}"


class Channel(msgspec.Struct, frozen=True):
    """A channel as somebody sees it; without an owner where a block stands between the two."""

    id: ChannelId
    name: str
    private: bool
    owner: Account | None
    members: int
    role: Role | None
    created_at: Instant
    updated_at: Instant


class Member(msgspec.Struct, frozen=True):
    """Somebody in a channel."""

    user: Account
    role: Role
    since: Instant


class NewChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A channel to be opened."""

    name: Name
    private: bool = False


class ChannelChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of a channel; `owner_id` hands it over to a member."""

    server_owned: ClassVar[frozenset[str]] = frozenset(
        {"id", "owner", "members", "role", "created_at", "updated_at"}
    )

    name: Name | UnsetType = UNSET
    private: bool | UnsetType = UNSET
    owner_id: UUID | UnsetType = UNSET


class Standing(msgspec.Struct, frozen=True):
    """A channel's row, locked."""

    id: ChannelId
    name: str
    is_private: bool
    owner_id: UserId
    members: int


class ChannelNotFound(NotFound):
    """There is no such channel."""

    code = "not_found"


class MemberNotFound(NotFound):
    """There is no such person in this channel."""

    code = "not_found"


class PersonNotFound(NotFound):
    """There is no such person."""

    code = "not_found"


class ChannelFull(Conflict):
    """A channel has at most 1,000 members."""


class TooManyChannels(Conflict):
    """Somebody is in at most 500 channels: one is to be left first."""


class OwnerStays(Conflict):
    """Its owner cannot leave a channel that others are in: hand it over, or delete it."""


class ChannelChanged(Event, frozen=True):
    """Told in the channel's room: how it is from now on."""

    channel_id: ChannelId
    name: str
    private: bool
    owner: Account
    updated_at: Instant


class ChannelDeleted(Event, frozen=True):
    """Told in the channel's room, as the last thing."""

    channel_id: ChannelId


class MemberJoined(Event, frozen=True):
    """Told in the channel's room, and to the one who joined or was added."""

    channel_id: ChannelId
    user: Account
    role: Role
    since: Instant
    members: int


class MemberLeft(Event, frozen=True):
    """Told in the channel's room, and to the one who left or was removed."""

    channel_id: ChannelId
    user_id: UserId
    members: int
