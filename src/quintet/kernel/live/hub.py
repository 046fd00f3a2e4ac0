"""The hub: the rooms somebody on this node listens to, and how events reach them.

Invariant: no silent gap. A commit of this node is heard at once; one of another node by a wake-up; and if
the wake-up is lost, by looking at the rooms' counters once a second. Between two events that do not join on,
the log is read.
"""

import asyncio
from bisect import bisect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

import msgspec

from quintet.kernel.actor import Actor
from quintet.kernel.clock import Clock
from quintet.kernel.database import Database, Tx
from quintet.kernel.live.log import KernelLog, Published, RoomLog
from quintet.kernel.live.messages import frame
from quintet.kernel.live.names import FEED, USER, feed_room
from quintet.kernel.live.room import Member, Room, Told, Voice
from quintet.kernel.live.turn import Turn
from quintet.kernel.refusals import Forbidden, NotFound, Unavailable
from quintet.kernel.telemetry import LiveFigures

PAGE: Final = 500
PAGE_BYTES: Final = 256 * 1024  # of what one who comes back is sent at a time
MOST_MISSED: Final = 10_000  # events; who is further behind is told to read anew
# When thousands come back at once they wait here, not in the database's queue, where requests would wait with
# them and be refused.
MOST_SIGNING_IN: Final = 8
LINGER_SECONDS: Final = 30.0
_GAP_SECONDS: Final = 0.02


class RoomKind(msgspec.Struct, frozen=True):
    """What the rooms of one prefix are: who may join, and whether those inside see each other.

    `check_may_join` takes the part of the name behind the first colon; it raises NotFound or Forbidden, by
    the same rule as reading the thing over HTTP. The part is empty for `feed`: everybody has one.
    """

    check_may_join: Callable[[Tx, Actor, str], Awaitable[None]]
    shows_presence: bool = True
    hides_people: bool = (
        False  # who has blocked somebody, or is blocked by them, hears `skip` for their deeds
    )
    log: RoomLog | None = None  # in the place of the kernel's
    voice: Voice | None = None  # where not every member hears the same bytes


class Hub:
    """The rooms of this node."""

    def __init__(self, database: Database, clock: Clock, epoch: str, kinds: dict[str, RoomKind]) -> None:
        self.epoch = epoch
        self.clock = clock
        self.figures = LiveFigures()
        self.rooms: dict[str, Room] = {}
        self.on_notice: list[Callable[[str, int], None]] = []
        # By the prefix of names that are no rooms: who brings what is said there to the rooms that it is for.
        self.audiences: dict[str, Callable[[str, bytes], None]] = {}
        self.members: set[Any] = set()  # sockets and streams, for counting and for closing them
        self.turn = Turn()
        self.reviews = 0  # how often this node looked who may be in a room
        self.entrance = asyncio.Semaphore(MOST_SIGNING_IN)
        self._kinds = kinds
        self._log: RoomLog = KernelLog(epoch)
        self._database = database
        self._unknown: dict[str, Room] = {}
        self._learning: asyncio.Task[None] | None = None
        self._mending: dict[str, asyncio.Task[None]] = {}
        database.on_commit.append(self.take)

    def kind_of(self, room: str) -> RoomKind | None:
        """What the room is; None for names that no part has declared."""
        return self._kinds.get(room.partition(":")[0])

    def add_kind(self, prefix: str, kind: RoomKind) -> None:
        """Know the rooms of one more prefix: for kinds that are bound to this very server."""
        self._kinds[prefix] = kind

    async def name_to_join(self, actor: Actor, room: str) -> str:
        """What the log calls the room; raises NotFound, or Forbidden for somebody else's own room."""
        prefix, _, rest = room.partition(":")
        if prefix == USER:
            if rest != str(actor.id):
                raise Forbidden("this room is somebody else's")
            return room
        kind = self._kinds.get(prefix)
        is_named = room == FEED if prefix == FEED else bool(rest)
        if kind is None or not is_named:
            raise NotFound
        async with self._database.statement() as tx:  # one journey: thousands may join at once
            await kind.check_may_join(tx, actor, rest)
        return feed_room(actor.id) if room == FEED else room

    async def check_may_stay(self, tx: Tx, actor: Actor, name: str) -> None:
        """Raise NotFound or Forbidden where the actor, who is in the room, may be there no more."""
        prefix, _, rest = name.partition(":")
        if prefix not in {USER, FEED}:
            await self._kinds[prefix].check_may_join(tx, actor, rest)

    def take(self, published: Sequence[Published]) -> None:
        """Events of this node were committed."""
        for event in published:
            room = self.rooms.get(event.room)
            if room is not None:
                room.take(event)
                if room.has_gap and room.delivered >= 0:
                    # Commits are told in the order their connections come back, not quite that of their seqs.
                    asyncio.get_running_loop().call_later(_GAP_SECONDS, self.notice, room.name, 0)

    def notice(self, name: str, seq: int) -> None:
        """The room has come to `seq` somewhere: read what is missing, if anybody listens."""
        for listener in self.on_notice:
            listener(name, seq)
        room = self.rooms.get(name)
        if room is None:
            return
        room.noticed = max(room.noticed, seq)
        if room.has_gap and room.delivered >= 0 and name not in self._mending:
            task = asyncio.create_task(self._mend(room))
            self._mending[name] = task
            task.add_done_callback(lambda done: self._mended(name, done))

    def is_heard(self, name: str) -> bool:
        """Whether anybody on this node may hear what is said there."""
        room = self.rooms.get(name)
        return bool(room.members) if room is not None else name.partition(":")[0] in self.audiences

    def say(self, name: str, text: bytes, author_id: UUID | None = None) -> None:
        """Tell this node's members, or those whom the name stands for, a message without a place in the log.

        Where the room hides people from each other, who does not see the author does not hear it.
        """
        room = self.rooms.get(name)
        if room is not None:
            room.say(frame(text), author_id)
        elif (audience := self.audiences.get(name.partition(":")[0])) is not None:
            audience(name, text)

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncGenerator[Room]:
        """The room, its present seq known, kept while the block lasts; raises Unavailable."""
        room = self.rooms.get(name)
        if room is None:
            kind = self.kind_of(name)
            room = self.rooms[name] = (
                Room(name) if kind is None else Room(name, hides_people=kind.hides_people, voice=kind.voice)
            )
        room.holders += 1
        room.empty_since = None
        try:
            if room.delivered < 0:
                await self._learn(room)
            yield room
        finally:
            room.holders -= 1
            self._note_empty(room)

    def enter(self, room: Room, member: Member) -> None:
        """Let the member hear what comes after the room's `delivered`."""
        room.flush()  # what is pending was told to the member already
        room.members[member] = None
        room.empty_since = None

    def leave(self, room: Room, member: Member) -> None:
        """Stop telling the member."""
        room.members.pop(member, None)
        self._note_empty(room)

    async def missed(self, room: Room, since: int) -> list[Told] | None:
        """The next events after `since`, up to a page; none when there are none yet.

        None where the log no longer reaches, or too much was missed. Raises Unavailable.
        """
        if since > room.delivered:
            # Another node was faster, or the client invents: the database knows.
            async with self._database.statement() as tx:
                while since > room.delivered and await self._read_on(room, tx):
                    pass
        if since > room.delivered or room.delivered - since > MOST_MISSED:
            return None
        known = room.recent_since(since)
        if known is not None:
            return known
        async with room.reading:  # many may have missed the same: one of them reads
            known = room.recent_since(since)
            if known is not None:
                return known
            async with self._database.statement() as tx:
                log = self._log_of(room.name)
                read = [room.told(event) for event in await log.events_since(tx, room.name, since, PAGE)]
        if not read or read[0].event.seq != since + 1:
            return None
        room.remember(read)
        sizes = accumulate(one.size for one in read)
        return read[: max(1, bisect(list(sizes), PAGE_BYTES))]

    async def look(self) -> None:
        """Ask the database how far the rooms are: what a lost wake-up left out is found here."""
        known = {name: room.place for name, room in self.rooms.items() if room.delivered >= 0}
        for log, names in self._by_log(known).items():
            async with self._database.statement() as tx:
                places = await log.places_beyond(tx, {name: known[name] for name in names})
            for name, place in places.items():
                if name in self.rooms:
                    self.rooms[name].begin_anew(place)
                self.notice(name, place.seq)
        now = self.clock.monotonic()
        for room in list(self.rooms.values()):
            if room.empty_since is not None and now - room.empty_since > LINGER_SECONDS:
                del self.rooms[room.name]

    async def _learn(self, room: Room) -> None:
        """Learn a new room's seq; one statement for all that ask at the same time."""
        self._unknown[room.name] = room
        while room.delivered < 0:
            if self._learning is None:
                self._learning = asyncio.create_task(self._learn_all())
                self._learning.add_done_callback(_take_note)
            await asyncio.shield(self._learning)

    async def _learn_all(self) -> None:
        try:
            await asyncio.sleep(0)  # others of this turn may ask, too
            asked, self._unknown = self._unknown, {}
            async with self._database.statement() as tx:
                places = [await log.places(tx, names) for log, names in self._by_log(asked).items()]
        finally:
            self._learning = None
        for found in places:
            for name, place in found.items():
                asked[name].begin(place)

    async def _mend(self, room: Room) -> None:
        async with self._database.statement() as tx:
            while room.has_gap and await self._read_on(room, tx):
                pass

    async def _read_on(self, room: Room, tx: Tx) -> bool:
        """Read what comes after `delivered`; whether there may be more."""
        log = self._log_of(room.name)
        read = await log.events_since(tx, room.name, room.delivered, PAGE)
        if read and read[0].seq > room.delivered + 1:
            room.skip_to(read[0].seq - 1)
        for event in read:
            room.take(event)
        if not read and room.has_gap:
            seq = (await log.places(tx, [room.name]))[room.name].seq
            room.noticed = seq
            if seq > room.delivered:
                room.skip_to(seq)  # everything since was removed from the log
        return len(read) == PAGE

    def _log_of(self, name: str) -> RoomLog:
        kind = self.kind_of(name)
        return self._log if kind is None or kind.log is None else kind.log

    def _by_log(self, names: Iterable[str]) -> dict[RoomLog, list[str]]:
        found: dict[RoomLog, list[str]] = {}
        for name in names:
            found.setdefault(self._log_of(name), []).append(name)
        return found

    def _mended(self, name: str, done: asyncio.Task[None]) -> None:
        del self._mending[name]
        if not done.cancelled() and (error := done.exception()) and not isinstance(error, Unavailable):
            raise error  # to the loop's handler; the next look tries again

    def _note_empty(self, room: Room) -> None:
        if not room.members and not room.holders and room.empty_since is None:
            room.empty_since = self.clock.monotonic()


def _take_note(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # told to whoever waits; nobody may be left
