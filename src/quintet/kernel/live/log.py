"""The log of every room: durable events in one unbroken order.

Invariant: an event gets its room's next `seq` under the room row's lock, inside the transaction of the
change it tells of; so seq order is commit order, and no seq is ever skipped or used twice.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from quintet.kernel import json
from quintet.kernel.clock import Instant

if TYPE_CHECKING:
    from quintet.kernel.database import Tx


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_snake):
    """Something that happened; subclasses are named in the past tense and carry flat fields."""


class Published(msgspec.Struct, frozen=True):
    """An event with its place in its room's log, as committed."""

    room: str
    seq: int
    at: Instant
    body: bytes


async def append(tx: "Tx", events: Sequence[tuple[str, Event]]) -> list[Published]:
    """Number the events of each room and write them; rooms in name order, so that writers cannot deadlock."""
    published: list[Published] = []
    for room, entries in groupby(sorted(events, key=itemgetter(0)), key=itemgetter(0)):
        bodies = [json.encode(event) for _, event in entries]
        last = await _append_to_room(tx, room, bodies)
        first = last - len(bodies) + 1
        published += [Published(room, first + place, tx.now, body) for place, body in enumerate(bodies)]
    return published


async def _append_to_room(tx: "Tx", room: str, bodies: list[bytes]) -> int:
    """Write the bodies as the room's next events; the last seq. The room's row stays locked until commit."""
    return await tx.value(
        """
        with room as (
            insert into kernel.rooms as r (room, seq) values ($1, cardinality($3::text[]))
            on conflict (room) do update set seq = r.seq + excluded.seq
            returning seq
        ), logged as (
            insert into kernel.room_events (room, seq, at, body)
            select $1, room.seq - cardinality($3::text[]) + place, $2, body::json
            from room, unnest($3::text[]) with ordinality as event(body, place)
        )
        select seq from room
        """,
        room,
        tx.now,
        [body.decode() for body in bodies],
    )


class RoomEvent(msgspec.Struct, frozen=True):
    """A stored event."""

    seq: int
    at: Instant
    body: dict[str, object]


async def events_since(tx: "Tx", room: str, seq: int, most: int) -> list[RoomEvent]:
    """The room's events after `seq`, oldest first, at most `most`."""
    return await tx.all(
        RoomEvent,
        """
        select seq, at, body from kernel.room_events
        where room = $1 and seq > $2
        order by seq
        limit $3
        """,
        room,
        seq,
        most,
    )


async def room_seq(tx: "Tx", room: str) -> int:
    """The last seq given out in the room; 0 where nothing has happened yet."""
    return await tx.value("select coalesce((select seq from kernel.rooms where room = $1), 0)", room)


async def server_epoch(tx: "Tx") -> UUID:
    """The epoch of every room's numbering; a restore from backup begins a new one."""
    return await tx.value("select epoch from kernel.epoch")
