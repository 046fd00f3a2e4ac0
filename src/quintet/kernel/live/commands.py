"""What a client may say, and what is done about it."""

from typing import TYPE_CHECKING, Any

import msgspec

from quintet.kernel.actor import Actor
from quintet.kernel.live.joining import MOST_ROOMS, TooManyRooms, join
from quintet.kernel.live.messages import (
    Authenticating,
    InvalidMessage,
    NotSubscribed,
    Ping,
    SetPresence,
    Subscribe,
    Subscription,
    Unsubscribe,
    as_command,
    told,
)
from quintet.kernel.refusals import Forbidden, NotSignedIn, Refusal

if TYPE_CHECKING:
    from quintet.kernel.live.connection import Connection


async def answer(connection: "Connection", kind: str, fields: dict[str, Any]) -> None:
    """Do what a message asks for; raises Refusal. Who is not signed in can do nothing else first."""
    actor = connection.actor
    if actor is None:
        if kind != "auth":
            connection.refuse_sign_in(NotSignedIn())
            return
        token = as_command(fields, Authenticating).token
        await connection.sign_in(lambda: connection.kernel.authenticate(token))
        return
    match kind:
        case "ping":
            connection.say(told("pong", id=as_command(fields, Ping).id))
        case "subscribe":
            await _subscribe(connection, actor, as_command(fields, Subscribe))
        case "unsubscribe":
            _unsubscribe(connection, as_command(fields, Unsubscribe))
        case "presence":
            _set_presence(connection, as_command(fields, SetPresence))
        case "auth":
            await _renew(connection, actor, as_command(fields, Authenticating))
        case _:
            command = connection.kernel.commands.get(kind)
            if command is None:
                raise InvalidMessage(f"no messages of type {kind[:40]} are known")
            await command(connection, actor, fields)


async def _subscribe(connection: "Connection", actor: Actor, asked: Subscribe) -> None:
    connection.overhears = False
    connection.stop_overhearing()
    if asked.rooms is None:
        if asked.room is None:
            raise InvalidMessage("`room` is missing")
        one = Subscription(asked.room, asked.since, asked.epoch, asked.unit)
        await join(connection, actor, one, asked.id)
        return
    if len(asked.rooms) > MOST_ROOMS + 1:  # one's own is not counted
        raise TooManyRooms
    for one in asked.rooms:
        try:
            unit = one.unit or asked.unit
            await join(connection, actor, msgspec.structs.replace(one, unit=unit), asked.id)
        except Refusal as refusal:
            connection.inbox.refuse(refusal, asked.id, one.room)


def _unsubscribe(connection: "Connection", asked: Unsubscribe) -> None:
    room = connection.rooms.get(asked.room)
    if room is None:
        raise NotSubscribed
    connection.leave(room)
    connection.say(told("unsubscribed", id=asked.id, room=asked.room))


def _set_presence(connection: "Connection", asked: SetPresence) -> None:
    if asked.room is not None and asked.room not in connection.rooms:
        raise NotSubscribed
    name = None if asked.room is None else connection.rooms[asked.room].name
    connection.kernel.presence.set(connection, name, asked.status, asked.mode)


async def _renew(connection: "Connection", present: Actor, asked: Authenticating) -> None:
    actor = await connection.kernel.authenticate(asked.token)
    if actor.id != present.id:
        raise Forbidden("the token is somebody else's")
    connection.renew(actor)
    left = int(actor.token_expires_at - connection.kernel.clock.now().timestamp())
    connection.say(told("system", id=asked.id, event="authenticated", user_id=actor.id, expires_in=left))
