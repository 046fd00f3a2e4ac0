"""A room as this node sees it: its events in their order, and who hears them.

Invariant: members hear events in the order of `seq`, each once and none left out; an event that comes early
waits until the log has told what lies between.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, Final, Protocol
from uuid import UUID

from quintet.kernel.actor import Actor
from quintet.kernel.live.log import Place, Published
from quintet.kernel.live.messages import event_text, frame, skip_text
from quintet.kernel.refusals import Refusal
from quintet.kernel.telemetry import get_logger

RECENT_EVENTS: Final = 512
RECENT_BYTES: Final = 256 * 1024
MOST_EARLY: Final = 2048
BROKEN: Final = 1011


class Told:
    """One event as its room's members hear it; framed once."""

    def __init__(self, event: Published) -> None:
        self.event = event

    @cached_property
    def frame(self) -> bytes:
        """As it goes to everybody but an author."""
        return frame(event_text(self.event))

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly."""
        return len(self.frame)


class Said(bytes):
    """A framed message without a place in the log, about somebody whom not every member may see."""

    author_id: UUID

    @classmethod
    def of(cls, author_id: UUID, message: bytes) -> "Said":
        """The message, of this author."""
        said = cls(message)
        said.author_id = author_id
        return said


class Chunk:
    """What a room tells in one turn of the loop: durable events, and messages without a place in the log."""

    def __init__(self, items: list[Told | bytes]) -> None:
        self.items = items
        self.shared: dict[Any, Any] = {}  # what a room's voice says in common to several members
        self.authors = {
            one.event.author_id for one in items if isinstance(one, Told) and one.event.cause is not None
        }

    @cached_property
    def writers(self) -> set[UUID | None]:
        """Whose deeds it tells of."""
        return {
            one.event.author_id if isinstance(one, Told) else one.author_id
            for one in self.items
            if isinstance(one, Told | Said)
        }

    @cached_property
    def frames(self) -> bytes:
        """The frames, joined, as they go to everybody but an author."""
        return b"".join(one.frame if isinstance(one, Told) else one for one in self.items)

    def frames_for(self, user_id: UUID | None, hidden: AbstractSet[UUID]) -> bytes:
        """The frames as this user hears them, from whom these people are hidden."""
        hides = bool(hidden) and not hidden.isdisjoint(self.writers)
        if not hides and user_id not in self.authors:
            return self.frames

        def heard(one: Told | bytes) -> bytes:
            if isinstance(one, Said) and one.author_id in hidden:
                return b""
            if isinstance(one, bytes):
                return one
            if one.event.author_id in hidden:
                return frame(skip_text(one.event))
            if one.event.author_id == user_id:
                return frame(event_text(one.event, for_author=True))
            return one.frame

        return b"".join(map(heard, self.items))


class Member(Protocol):
    """Whoever hears a room."""

    @property
    def actor(self) -> Actor | None:
        """Who hears."""
        ...

    @property
    def user_id(self) -> UUID | None:
        """Whose it is."""
        ...

    def hear(self, room: "Room", chunk: Chunk) -> None:
        """Take what the room tells; must not block and must not raise."""
        ...

    def lose_place(self, room: "Room") -> None:
        """The room cannot tell what happened before its `delivered`: read anew."""
        ...

    def close(self, code: int) -> None:
        """Hear no more."""
        ...

    def put_out(self, room: "Room", reason: Refusal) -> None:
        """Hear this room no more, because of a right that ended."""
        ...

    async def review_own(self) -> None:
        """The user's own room was reviewed: look again whom they do not see, and what they overhear."""
        ...


class Voice(Protocol):
    """How the rooms of a kind speak, where not every member hears the same bytes.

    `connection` is a live Connection in each; what is answered are whole frames, sent at once.
    """

    def tell(self, event: Published) -> Told:
        """The event as it is kept in memory for telling."""
        ...

    def begins(self, connection: Any, room: "Room", asked: Any) -> None:
        """The connection is about to hear the room: as its Subscription asks, or (None) unasked."""
        ...

    def joined(self, connection: Any, room: "Room") -> bytes:
        """What follows `subscribed`, once it hears the room."""
        ...

    def frames(self, connection: Any, room: "Room", chunk: Chunk) -> bytes:
        """What the room tells, as this connection hears it."""
        ...

    def lost_place(self, connection: Any, room: "Room") -> bytes:
        """What follows `reset`."""
        ...

    def left(self, connection: Any, room: "Room") -> None:
        """The connection hears the room no more."""
        ...


class Room:
    """The events of one room on this node."""

    def __init__(self, name: str, *, hides_people: bool = False, voice: Voice | None = None) -> None:
        self.name = name
        self.voice = voice
        self.epoch = ""
        self.hides_people = hides_people  # from each other, where one has blocked the other
        self.delivered = -1  # the last seq given to members; unknown until the first reading
        self.noticed = 0  # the highest seq this node has heard of
        self.members: dict[Member, None] = {}
        self.holders = 0  # joins under way
        self.empty_since: float | None = None
        self.reading = asyncio.Lock()
        self._recent: deque[Told] = deque()
        self._recent_bytes = 0
        self._early: dict[int, Published] = {}
        self._pending: list[Told | bytes] = []
        self._behind: tuple[int, bytes] | None = None  # a message that waits for its event

    @property
    def place(self) -> Place:
        """How far members have been told."""
        return Place(self.epoch, self.delivered)

    @property
    def has_gap(self) -> bool:
        """Whether the log is to be asked for what members have not heard."""
        return self.delivered < self.noticed

    def begin(self, place: Place) -> None:
        """Events after `seq` are told from now on, those that have come meanwhile at once."""
        if self.delivered < 0:
            self.epoch, self.delivered = place
            self.noticed = max(self.noticed, self.delivered)
            self._take_early()

    def begin_anew(self, place: Place) -> None:
        """Another epoch has begun: what was told before counts no more, as everybody inside is told."""
        if self.delivered >= 0 and place.epoch != self.epoch:
            self.flush()
            self.epoch, self.noticed = place
            self._early.clear()
            self.skip_to(place.seq)

    def take(self, event: Published) -> None:
        """An event was committed."""
        if event.epoch and event.epoch != self.epoch:
            self.begin_anew(Place(event.epoch, event.seq - 1))
        self.noticed = max(self.noticed, event.seq)
        if event.seq == self.delivered + 1 and self.delivered >= 0:
            self._deliver(event)
            self._take_early()
        elif event.seq > self.delivered and len(self._early) < MOST_EARLY:
            self._early[event.seq] = event

    def skip_to(self, seq: int) -> None:
        """Leave out what the log no longer has, and say so to everybody."""
        self.flush()
        self.delivered = seq
        self._recent.clear()
        self._recent_bytes = 0
        for member in list(self.members):
            member.lose_place(self)
        self._take_early()

    def say(self, message: bytes, author_id: UUID | None = None) -> None:
        """Tell a framed message that has no place in the log; of whom it tells, where people are hidden."""
        if self.members:
            self._pend(message if author_id is None or not self.hides_people else Said.of(author_id, message))

    def say_behind(self, seq: int, message: bytes) -> None:
        """Tell a framed message right behind the event `seq`, at the latest one of those asked for."""
        self._behind = None
        if seq == self.delivered:
            self.say(message)
        elif seq > self.delivered:
            self._behind = (seq, message)

    def recent_since(self, seq: int) -> list[Told] | None:
        """The events after `seq` up to `delivered`, where they are still in memory."""
        if seq >= self.delivered:
            return []
        if not self._recent or self._recent[0].event.seq > seq + 1:
            return None
        return [one for one in self._recent if one.event.seq > seq]

    def remember(self, earlier: Iterable[Told]) -> None:
        """Keep events that the log told, if they join on to those in memory."""
        for one in reversed(list(earlier)):
            first = self._recent[0].event.seq if self._recent else self.delivered + 1
            if one.event.seq != first - 1 or len(self._recent) >= RECENT_EVENTS:
                return
            if self._recent_bytes + one.size > RECENT_BYTES:
                return
            self._recent.appendleft(one)
            self._recent_bytes += one.size

    def told(self, event: Published) -> Told:
        """The event as it is kept for telling."""
        return Told(event) if self.voice is None else self.voice.tell(event)

    def flush(self) -> None:
        """Give the members what is pending."""
        if not self._pending:
            return
        chunk, self._pending = Chunk(self._pending), []
        for member in list(self.members):
            try:
                member.hear(self, chunk)
            except Exception as error:  # noqa: BLE001 (a bug met at one member may not cost the others theirs)
                get_logger().error("bug", message="hear", exc_info=error)
                member.close(BROKEN)

    def _take_early(self) -> None:
        for seq in [seq for seq in self._early if seq <= self.delivered]:
            del self._early[seq]
        while (event := self._early.pop(self.delivered + 1, None)) is not None:
            self._deliver(event)

    def _deliver(self, event: Published) -> None:
        self.delivered = event.seq
        one = self.told(event)
        self._recent.append(one)
        self._recent_bytes += one.size
        while len(self._recent) > RECENT_EVENTS or self._recent_bytes > RECENT_BYTES:
            self._recent_bytes -= self._recent.popleft().size
        if self.members:
            self._pend(one)
        if self._behind is not None and self._behind[0] == event.seq:
            self.say_behind(*self._behind)

    def _pend(self, item: Told | bytes) -> None:
        if not self._pending:
            asyncio.get_running_loop().call_soon(self.flush)
        self._pending.append(item)
