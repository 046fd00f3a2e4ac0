"""Sidechain's edge: channels and their members."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.apps.sidechain.channels import access, actions, list_queries
from quintet.apps.sidechain.channels.model import (
    Channel,
    ChannelChange,
    ChannelFull,
    ChannelNotFound,
    Member,
    MemberNotFound,
    NewChannel,
    OwnerStays,
    PersonNotFound,
    TooManyChannels,
    channel_room,
)
from quintet.apps.sidechain.channels.rules import pattern_of
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, delete, get, patch, post, put
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.refusals import Forbidden

TAG = "Sidechain"
CHANNEL = "/api/v1/channels/{channel_id:uuid}"
MEMBER = f"{CHANNEL}/members/{{user_id:uuid}}"
_JOINING = (ChannelNotFound, ChannelFull, TooManyChannels)
_OWNING = (ChannelNotFound, Forbidden)
_SOMEBODY = "01890000-0000-7000-8000-000000000000"

Part = Annotated[str | None, QueryParameter(max_length=100, description="A part of the name.")]


@post("/api/v1/channels", access=Access.SIGNED_IN, tag=TAG, refusals=(TooManyChannels,),
      example={"name": "Late night mixes", "private": True}, summary="Open a channel")  # fmt: skip
async def open_channel(request: Call, data: JSONBody[NewChannel]) -> Answer[Channel]:
    """Open a channel and own it; its documents `description` and `notes` begin empty."""

    async def act(tx: Tx) -> Answer[Channel]:
        channel = await actions.open_channel(tx, request.actor, data)
        return Answer(channel, location=f"/api/v1/channels/{channel.id}")

    return await request.write(act)


@get("/api/v1/channels", access=Access.SIGNED_IN, tag=TAG, summary="One's own channels and public ones")
async def read_channels(
    request: Call,
    member: FromQuery[Literal["me"] | None] = None,
    q: Part = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Answer[Page[Channel]]:
    """Answer channels, newest first: `member=me` only those one is in, `q` those with that in their name."""
    read = request.read_cursor(cursor, member, q)
    behind = None if read is None else UUID(read[0])
    listed = list_queries.channels if member is None else list_queries.own_channels
    async with request.kernel.database.statement() as tx:
        rows = await listed(tx, request.actor.id, pattern_of(q), behind, limit + 1)
    page, place = cut(rows, limit, lambda row: [str(row.id)])
    return Answer(Page(page, request.next_cursor(place, member, q)))


@get(CHANNEL, access=Access.SIGNED_IN, tag=TAG, refusals=(ChannelNotFound,), summary="A channel")
async def read_channel(request: Call, channel_id: FromPath[UUID]) -> Answer[Channel]:
    """Answer the channel, and one's role in it."""
    async with request.read() as tx:
        channel = await access.channel_to_see(tx, request.actor, channel_id)
        seq = await room_seq(tx, channel_room(channel_id))
    return Answer(channel, headers={"Room-Seq": request.room_seq(seq)})


@patch(CHANNEL, access=Access.SIGNED_IN, tag=TAG, refusals=(*_OWNING, MemberNotFound),
       example={"name": "Early morning mixes"}, summary="Change one's channel, or hand it over")  # fmt: skip
async def change_channel(
    request: Call, channel_id: FromPath[UUID], data: JSONBody[ChannelChange]
) -> Answer[Channel]:
    """Rename the channel, make it private or public, or make the member `owner_id` its owner."""

    async def act(tx: Tx) -> Answer[Channel]:
        return Answer(await actions.change_channel(tx, request.actor, channel_id, data))

    return await request.write(act)


@delete(CHANNEL, access=Access.SIGNED_IN, tag=TAG, refusals=_OWNING, summary="Delete one's channel")
async def delete_channel(request: Call, channel_id: FromPath[UUID]) -> Answer[None]:
    """Delete the channel, its posts, and its documents with their history."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.delete_channel(tx, request.actor, channel_id))

    return await request.write(act)


@post(f"{CHANNEL}/join", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=_JOINING,
      summary="Join a public channel")  # fmt: skip
async def join_channel(request: Call, channel_id: FromPath[UUID]) -> Answer[Channel]:
    """Join; again is the same."""

    async def act(tx: Tx) -> Answer[Channel]:
        return Answer(await actions.join_channel(tx, request.actor, channel_id))

    return await request.write(act)


@post(f"{CHANNEL}/leave", access=Access.SIGNED_IN, tag=TAG, status=204,
      refusals=(ChannelNotFound, OwnerStays), summary="Leave a channel")  # fmt: skip
async def leave_channel(request: Call, channel_id: FromPath[UUID]) -> Answer[None]:
    """Leave; again is the same. With its last member, its owner, a channel ends."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.leave_channel(tx, request.actor, channel_id))

    return await request.write(act)


@get(f"{CHANNEL}/members", access=Access.SIGNED_IN, tag=TAG, refusals=(ChannelNotFound,),
     summary="Who is in a channel, newest first")  # fmt: skip
async def read_members(
    request: Call, channel_id: FromPath[UUID], limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Member]]:
    """Answer the members, without whom a block hides."""
    read = request.read_cursor(cursor)
    behind = (None, None) if read is None else (read[0], UUID(read[1]))
    async with request.read() as tx:
        await access.channel_to_see(tx, request.actor, channel_id)
        rows = await list_queries.members(tx, request.actor.id, channel_id, behind, limit + 1)
        seq = await room_seq(tx, channel_room(channel_id))
    page, place = cut(rows, limit, lambda row: [row.since.isoformat(), str(row.user.id)])
    return Answer(Page(page, request.next_cursor(place)), headers={"Room-Seq": request.room_seq(seq)})


@put(MEMBER, access=Access.SIGNED_IN, tag=TAG, refusals=(*_JOINING, Forbidden, PersonNotFound),
     summary="Add somebody to one's channel")  # fmt: skip
async def add_member(request: Call, channel_id: FromPath[UUID], user_id: FromPath[UUID]) -> Answer[Member]:
    """Add a member; again is the same. Adding oneself is joining."""

    async def act(tx: Tx) -> Answer[Member]:
        return Answer(await actions.add_member(tx, request.actor, channel_id, user_id))

    return await request.write(act)


@delete(MEMBER, access=Access.SIGNED_IN, tag=TAG, refusals=(*_OWNING, OwnerStays),
        summary="Remove somebody from one's channel")  # fmt: skip
async def remove_member(request: Call, channel_id: FromPath[UUID], user_id: FromPath[UUID]) -> Answer[None]:
    """Remove a member; again is the same. Removing oneself is leaving."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.remove_member(tx, request.actor, channel_id, user_id))

    return await request.write(act)


CHANNEL_ROUTES: tuple[HTTPRouteHandler, ...] = (
    open_channel, read_channels, read_channel, change_channel, delete_channel,
    join_channel, leave_channel, read_members, add_member, remove_member,
)  # fmt: skip
