"""How the rooms of documents speak: to each connection in its unit and its form, an ack in its own place.

Invariant: what leaves is in the order of revs; a ping follows every message at once for a peer that does not
say what it has seen, so that its pong tells how far it has read.
"""

from collections.abc import Callable
from typing import Any, cast

from quintet.domains.documents.model import Change
from quintet.domains.documents.ot import Unit
from quintet.domains.documents.rendering import ToldChange
from quintet.domains.documents.seats import Seat, peer_of
from quintet.kernel.live.connection import Connection
from quintet.kernel.live.log import Published
from quintet.kernel.live.messages import Subscription
from quintet.kernel.live.room import Chunk, Room, Told


class DocumentVoice:
    """What a member of a document's room hears."""

    def tell(self, event: Published) -> Told:
        """The operation, ready to be told in any form."""
        return ToldChange(cast("Change", event))

    def begins(self, connection: Connection, room: Room, asked: Subscription | None) -> None:
        """Give the connection a seat: behind `since`, where it goes on, else at the present text."""
        peer = peer_of(connection)
        goes_on = asked is not None and asked.since is not None and asked.epoch == room.epoch
        rev = asked.since if goes_on and asked is not None and asked.since is not None else room.delivered
        seat = peer.seats[room.name] = Seat(peer, rev, asked.unit if asked else None)
        seat.begins_at = rev if goes_on else None

    def joined(self, connection: Connection, room: Room) -> bytes:
        """A ping behind `subscribed`; who did not say where it goes on reads the text now."""
        seat = _seat(connection, room)
        if seat.begins_at is None:
            seat.bridge.begin(room.delivered)
        return connection.ping(_note_nothing) if seat.peer.is_pinged else b""

    def lost_place(self, connection: Connection, room: Room) -> bytes:
        """Until the peer has read that it is to read anew, what it sends has no known place."""
        seat = _seat(connection, room)
        return mark_anew(connection, room, seat)

    def left(self, connection: Connection, room: Room) -> None:
        """Take the seat away."""
        peer_of(connection).seats.pop(room.name, None)

    def frames(self, connection: Connection, room: Room, chunk: Chunk) -> bytes:
        """The chunk as this connection hears it."""
        seat = _seat(connection, room)
        if seat.peer.is_pinged:
            return b"".join([_pinged(connection, seat, one) for one in chunk.items])
        unit, in_parts = seat.unit, seat.in_parts
        shared = _shared(chunk, unit, in_parts=in_parts)
        if not seat.awaited:
            joined = chunk.shared.get((unit, in_parts, "joined"))
            if joined is None:
                joined = chunk.shared[unit, in_parts, "joined"] = b"".join(shared)
            return joined
        places = _places(chunk)
        own = sorted((places[op_id], op_id) for op_id in seat.awaited if op_id in places)
        heard: list[bytes] = []
        at = 0
        for place, _ in own:
            heard += shared[at:place]
            heard.append(_ack(seat, cast("ToldChange", chunk.items[place])))
            at = place + 1
        return b"".join(heard + shared[at:])


def mark_anew(connection: Connection, room: Room, seat: Seat) -> bytes:
    """A ping behind the message that tells the peer to read the text anew."""
    seat.bridge.begin(room.delivered)
    if not seat.peer.is_pinged:
        return b""
    seat.barriers += 1
    return connection.ping(seat.passed_barrier)


def _seat(connection: Connection, room: Room) -> Seat:
    seats = peer_of(connection).seats
    seat = seats.get(room.name)
    if seat is None:
        seat = seats[room.name] = Seat(peer_of(connection), room.delivered, None)
    return seat


def _ack(seat: Seat, told: ToldChange) -> bytes:
    op_id = told.event.stored.op_id
    awaited = seat.settle(op_id)
    if awaited is None:
        return b""
    awaited.is_heard = True
    del seat.awaited[op_id]
    return told.ack(awaited.unit, awaited.id)


def _pinged(connection: Connection, seat: Seat, one: Told | bytes) -> bytes:
    if not isinstance(one, ToldChange):
        return one if isinstance(one, bytes) else one.frame
    change = one.event
    if change.stored.op_id in seat.awaited:
        return _ack(seat, one) + connection.ping(_note_nothing)
    in_parts = seat.in_parts
    frames = one.frames(seat.unit, in_parts=in_parts)
    seat.bridge.take(change, in_parts=in_parts)
    read: list[Callable[[], None]] = seat.bridge.told(change, len(frames))
    return b"".join(frame + connection.ping(seen) for frame, seen in zip(frames, read, strict=True))


def _shared(chunk: Chunk, unit: Unit, *, in_parts: bool) -> list[bytes]:
    """What everybody hears who counts in that unit, item by item."""
    key: Any = (unit, in_parts)
    found = chunk.shared.get(key)
    if found is None:
        found = chunk.shared[key] = [
            b"".join(one.frames(unit, in_parts=in_parts))
            if isinstance(one, ToldChange)
            else one
            if isinstance(one, bytes)
            else one.frame
            for one in chunk.items
        ]
    return found


def _places(chunk: Chunk) -> dict[Any, int]:
    found = chunk.shared.get("places")
    if found is None:
        found = chunk.shared["places"] = {
            one.event.stored.op_id: place
            for place, one in enumerate(chunk.items)
            if isinstance(one, ToldChange)
        }
    return found


def _note_nothing() -> None:
    """Every message is followed by a ping; not every pong says something."""
