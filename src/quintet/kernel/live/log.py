"""The log of every room: durable events in one unbroken order.

Invariant: an event gets its room's next `seq` under the room row's lock, inside the transaction of the
change it tells of; so seq order is commit order, and no seq is ever skipped or used twice.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
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


# Numbers the events of each room and writes them. Rooms are taken in the order of their names, so that two
# writers cannot wait for each other in a circle; their rows stay locked until the commit, which comes next.
APPEND: Final = """
    with event as (
        select room, body, row_number() over (partition by room order by place) as nth,
               count(*) over (partition by room) as together
        from (
            select entry->>0 as room, entry->1 as body, place
            from json_array_elements($2::json) with ordinality as e(entry, place)
        ) entries
    ), grown as (
        insert into kernel.rooms as r (room, seq)
        select room, count(*) from event group by room order by room
        on conflict (room) do update set seq = r.seq + excluded.seq
        returning room, seq
    ), logged as (
        insert into kernel.room_events (room, seq, at, body)
        select room, grown.seq - together + nth, $1, body
        from event join grown using (room)
    )
    select room, seq from grown
"""


def entries(events: Sequence[tuple[str, bytes]]) -> str:
    """What `APPEND` takes besides the time: a JSON array of [room, body], the bodies as they are."""
    return "[" + ",".join(f"[{json.encode(room).decode()},{body.decode()}]" for room, body in events) + "]"


def published(events: Sequence[tuple[str, bytes]], last: dict[str, int], at: Instant) -> list[Published]:
    """Events (room and body) with their numbers, from the last seq of each room that `APPEND` answered."""
    left = Counter(room for room, _ in events)
    told: list[Published] = []
    for room, body in events:
        left[room] -= 1
        told.append(Published(room, last[room] - left[room], at, body))
    return told


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
