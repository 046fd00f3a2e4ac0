"""The log of every room: durable events in one unbroken order.

Invariant: an event gets its room's next `seq` under the room row's lock, inside the transaction of the
change it tells of; so seq order is commit order, and no seq is ever skipped or used twice.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from quintet.kernel import json
from quintet.kernel.clock import Instant

if TYPE_CHECKING:
    from quintet.kernel.database import Tx


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_snake):
    """Something that happened; subclasses are named in the past tense and carry flat fields.

    Where existing clients look for the fields under `payload`, the class says `doubled = True`.
    """

    doubled: ClassVar[bool] = False


class Reviewed(Event, frozen=True):
    """Told to the nodes alone: who may be in a room, one user or anybody, is to be looked at anew."""

    reviews: str
    user_id: UUID | None


def body_of(event: Event) -> bytes:
    """The event as a JSON object, its fields a second time under `payload` where its class says so."""
    if not event.doubled:
        return json.encode(event)
    fields = msgspec.structs.asdict(event)
    return json.encode({"type": event.__struct_config__.tag, **fields, "payload": fields})


class Published(msgspec.Struct, frozen=True):
    """An event with its place in its room's log, as committed."""

    room: str
    seq: int
    at: Instant
    body: bytes  # a JSON object
    author_id: UUID | None = None
    cause: str | None = None
    epoch: str = ""  # what its seq counts in, where not all rooms of its log share one


class Place(NamedTuple):
    """How far a room has come, and the epoch that its seqs count in."""

    epoch: str
    seq: int


class RoomLog(Protocol):
    """Where the events of some rooms are written: in unbroken order, in the transactions they tell of."""

    async def places(self, tx: "Tx", rooms: list[str]) -> dict[str, Place]:
        """Where each of the rooms is; also of those in which nothing has happened."""
        ...

    async def places_beyond(self, tx: "Tx", known: dict[str, Place]) -> dict[str, Place]:
        """Where those of the rooms are that have come further than known, or count in another epoch."""
        ...

    async def events_since(self, tx: "Tx", room: str, seq: int, most: int) -> Sequence[Published]:
        """The room's events after `seq`, oldest first, at most `most`."""
        ...


class Emitted(msgspec.Struct, frozen=True):
    """An event waiting for the commit of its transaction."""

    room: str
    body: bytes
    author_id: UUID | None
    cause: str | None


# Numbers the events of each room and writes them. Rooms are taken in the order of their names, so that two
# writers cannot wait for each other in a circle; their rows stay locked until the commit, which comes next.
APPEND: Final = """
    with event as (
        select room, body, author_id, cause, row_number() over (partition by room order by place) as nth,
               count(*) over (partition by room) as together
        from (
            select entry->>0 as room, entry->1 as body, (entry->>2)::uuid as author_id, entry->>3 as cause,
                   place
            from json_array_elements($2::json) with ordinality as e(entry, place)
        ) entries
    ), grown as (
        insert into kernel.rooms as r (room, seq)
        select room, count(*) from event group by room order by room
        on conflict (room) do update set seq = r.seq + excluded.seq
        returning room, seq
    ), logged as (
        insert into kernel.room_events (room, seq, at, body, author_id, cause)
        select room, grown.seq - together + nth, $1, body, author_id, cause
        from event join grown using (room)
    )
    select room, seq from grown
"""


def entries(events: Sequence[Emitted]) -> str:
    """What `APPEND` takes besides the time: a JSON array of [room, body, author, cause]."""
    return json.encode([[e.room, msgspec.Raw(e.body), e.author_id, e.cause] for e in events]).decode()


def published(events: Sequence[Emitted], last: dict[str, int], at: Instant) -> list[Published]:
    """Events with their numbers, from the last seq of each room that `APPEND` answered."""
    left = Counter(event.room for event in events)
    told: list[Published] = []
    for event in events:
        left[event.room] -= 1
        seq = last[event.room] - left[event.room]
        told.append(Published(event.room, seq, at, event.body, event.author_id, event.cause))
    return told


async def events_since(tx: "Tx", room: str, seq: int, most: int) -> list[Published]:
    """The room's events after `seq`, oldest first, at most `most`."""
    return await tx.all(
        lambda seq, at, body, author_id, cause: Published(room, seq, at, body.encode(), author_id, cause),
        """
        select seq, at, body::text, author_id, cause from kernel.room_events
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


async def room_seqs(tx: "Tx", rooms: list[str]) -> dict[str, int]:
    """The last seq given out in each of the rooms."""
    found = await tx.all(
        lambda room, seq: (room, seq),
        """
        select asked.room, coalesce(r.seq, 0)
        from unnest($1::text[]) as asked(room)
        left join kernel.rooms r on r.room = asked.room
        """,
        rooms,
    )
    return dict(found)


async def rooms_beyond(tx: "Tx", seqs: dict[str, int]) -> dict[str, int]:
    """Of these rooms those that have come further than the seq given, and how far."""
    found = await tx.all(
        lambda room, seq: (room, seq),
        """
        select r.room, r.seq from json_each_text($1::json) as known
        join kernel.rooms r on r.room = known.key and r.seq > known.value::bigint
        """,
        json.encode(seqs).decode(),
    )
    return dict(found)


async def server_epoch(tx: "Tx") -> UUID:
    """The epoch of every room's numbering; a restore from backup begins a new one."""
    return await tx.value("select epoch from kernel.epoch")


class KernelLog:
    """The log of every room whose kind has none of its own."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch

    async def places(self, tx: "Tx", rooms: list[str]) -> dict[str, Place]:
        """Where each of the rooms is."""
        return {room: Place(self._epoch, seq) for room, seq in (await room_seqs(tx, rooms)).items()}

    async def places_beyond(self, tx: "Tx", known: dict[str, Place]) -> dict[str, Place]:
        """Where those of the rooms are that have come further."""
        found = await rooms_beyond(tx, {room: place.seq for room, place in known.items()})
        return {room: Place(self._epoch, seq) for room, seq in found.items()}

    async def events_since(self, tx: "Tx", room: str, seq: int, most: int) -> list[Published]:
        """The room's events after `seq`."""
        return await events_since(tx, room, seq, most)
