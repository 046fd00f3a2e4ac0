"""Joining a room: what was missed, then what happens now, with nothing between left out.

Invariant: between the last missed event that is sent and the moment the member hears the room, nothing is
awaited.
"""

from typing import TYPE_CHECKING, Final

from quintet.kernel.actor import Actor
from quintet.kernel.live.messages import EpochRequired, Id, Subscription, told
from quintet.kernel.live.reviewing import review
from quintet.kernel.live.room import Chunk, Room
from quintet.kernel.refusals import Conflict, Forbidden, NotFound, Refusal

if TYPE_CHECKING:
    from quintet.kernel.live.connection import Connection

MOST_ROOMS: Final = 100
MOST_NAME: Final = 200  # characters


class TooManyRooms(Conflict):
    """One connection hears at most 100 rooms; open another, or leave one."""


async def join(connection: "Connection", actor: Actor, asked: Subscription, id_: Id) -> None:
    """Let the connection hear the room, behind `since` where it names one; raises what reading it would."""
    hub, presence = connection.hub, connection.kernel.presence
    reviews = hub.reviews
    name = await _name_to_join(connection, actor, asked)
    async with hub.holding(name) as room:
        await connection.learn_hidden(room)
        await presence.listed(room)
        if room.voice is not None:
            room.voice.begins(connection, room, asked)
        is_continued = await _catch_up(connection, room, asked)
        if connection.closed:
            return
        listed = presence.listed_now(room)  # who came or went during a long replay is in it
        if not is_continued:
            connection.lose_place(room)
        hub.enter(room, connection)
        connection.rooms[asked.room] = room
        presence.joined(connection, room.name)
        connection.say(
            told(
                "subscribed",
                id=id_,
                room=asked.room,
                epoch=room.epoch,
                seq=room.delivered,
                presence=listed.people(but=connection.hidden_in(room)),
                presence_total=listed.total,
            )
        )
        if room.voice is not None:
            connection.wire.send(room.voice.joined(connection, room))
    if hub.reviews != reviews:  # the right that was looked at above may have ended before we were in
        await review(connection.kernel, name, actor.id)


async def _name_to_join(connection: "Connection", actor: Actor, asked: Subscription) -> str:
    """What the log calls the room; raises what is wrong with the asking, and ends what may be no more."""
    if (asked.since is None) != (asked.epoch is None):
        raise EpochRequired
    if asked.room not in connection.rooms and len(connection.rooms) > MOST_ROOMS:  # one's own is not counted
        raise TooManyRooms
    if len(asked.room) > MOST_NAME:
        raise NotFound
    try:
        return await connection.hub.name_to_join(actor, asked.room)
    except (Forbidden, NotFound) as refusal:
        if (room := connection.rooms.get(asked.room)) is not None:
            connection.put_out(room, refusal)
        raise


async def _catch_up(connection: "Connection", room: Room, asked: Subscription) -> bool:
    """Send the events after `since`; False where the connection has missed some for good."""
    if asked.since is None:
        return True
    connection.hub.leave(room, connection)  # who is inside has seen a gap: it hears what it missed first
    times_shed = connection.times_shed
    try:
        is_continued = await _tell_missed(connection, room, asked)
    except Refusal as refusal:
        connection.put_out(room, refusal)  # a member that hears nothing would be a silent gap
        raise
    return is_continued and connection.times_shed == times_shed


async def _tell_missed(connection: "Connection", room: Room, asked: Subscription) -> bool:
    """Send the events after `since`; False where the log does not tell them any more."""
    hub = connection.hub
    hub.figures.replays += 1
    if asked.epoch != room.epoch:
        return False
    since = asked.since or 0
    while (missed := await hub.missed(room, since)) != []:
        if missed is None or connection.closed:
            return False
        connection.hear(room, Chunk(list(missed)))
        since = missed[-1].event.seq
        if since < room.delivered:  # a long way to go: at the peer's pace
            await connection.wire.drained()
    return True


async def join_unasked(connection: "Connection", actor: Actor, name: str) -> Room:
    """Let the connection hear a room from now on that it did not subscribe to; raises what that would."""
    if (heard := connection.rooms.get(name)) is not None:
        return heard
    hub, presence = connection.hub, connection.kernel.presence
    reviews = hub.reviews
    if len(connection.rooms) > MOST_ROOMS:
        raise TooManyRooms
    await hub.name_to_join(actor, name)
    async with hub.holding(name) as room:
        if connection.closed:
            return room
        connection.rooms[name] = room
        presence.joined(connection, name)
        if connection.overheard.pop(name, None) is None:
            hub.enter(room, connection)
            if room.voice is not None:
                room.voice.begins(connection, room, None)
    if hub.reviews != reviews:
        await review(connection.kernel, name, actor.id)
    return room
