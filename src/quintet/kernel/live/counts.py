"""Numbers about objects that change many times a second, told a few times a second: likes, followers, unread.

Invariant: the number is read when it is told, after the commit that changed it; so however many changes are
merged, the last message tells the last value. At most one message in a quarter of a second about one object,
on each node to its own members.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec

from quintet.kernel.clock import Clock
from quintet.kernel.database import Database, Tx
from quintet.kernel.live.hub import Hub
from quintet.kernel.live.transient import transient_text
from quintet.kernel.live.wakeups import Wakeups
from quintet.kernel.refusals import Unavailable

APART_SECONDS: Final = 0.25  # between two messages about one object
PAUSE_SECONDS: Final = 0.02  # between two rounds: fifty readings of a kind a second at most
MOST_AT_ONCE: Final = 500  # objects in one reading
MOST_IN_A_ROW: Final = 100  # messages, before others have their turn: a crowd's take a while to write
MOST_FAILURES: Final = 5  # a second apart; then a bug met at one object may not silence its kind for ever
# A storm beyond this leaves objects out: nothing is lost but a message that tells what reading tells, too.
MOST_WAITING: Final = 100_000

# From the ids of objects to what is told of them: the room, the message's type, its fields.
ReadCounts = Callable[[Tx, list[str]], Awaitable[list[tuple[str, str, dict[str, Any]]]]]
Subject = tuple[str, str]  # a kind and an object's id


class CountKind(msgspec.Struct, frozen=True):
    """How numbers of a kind are read, and the one room that hears of an object, where there is but one.

    Where the room is known, nothing is read for objects whose room nobody on this node is in.
    """

    read: ReadCounts
    room_of: Callable[[str], str] | None = None


class Counts:
    """The numbers that changed and are still to be told on this node."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        hub: Hub,
        wakeups: Wakeups,
        kinds: Mapping[str, ReadCounts | CountKind],
    ) -> None:
        self.kinds: dict[str, CountKind] = {}
        self._database = database
        self._clock = clock
        self._hub = hub
        self._wakeups = wakeups
        self._ready: dict[str, dict[str, None]] = {}  # by kind; told in the next round
        self._resting: OrderedDict[Subject, float] = OrderedDict()  # told just now; until when they rest
        self._changed: set[Subject] = set()  # of those that rest
        self._failures: dict[str, int] = {}  # in a row, that are not the database's being away
        self._wake = asyncio.Event()
        for name, kind in kinds.items():
            self.add(name, kind)
        database.on_count.append(self._take)

    def add(self, name: str, kind: ReadCounts | CountKind) -> None:
        """Say how numbers of a kind are read, where that needs what a part has only once the server runs."""
        self.kinds[name] = kind if isinstance(kind, CountKind) else CountKind(kind)
        self._ready[name] = {}

    def _take(self, subjects: Iterable[Subject]) -> None:
        """These changed by a commit of this node."""
        self.note(subjects)
        self._wakeups.tell_counts(subjects)

    def note(self, subjects: Iterable[Subject]) -> None:
        """These changed, by a commit of any node."""
        # Who comes later reads the number as it is then: nobody here means nothing to tell.
        if not self._hub.members:
            return
        for subject in subjects:
            kind, object_id = subject
            if not self._can_be_heard(kind, object_id):
                continue
            if subject in self._resting:
                self._changed.add(subject)
            elif self.waiting < MOST_WAITING:
                self._ready[kind][object_id] = None
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many objects' numbers are still to be told."""
        return len(self._changed) + sum(len(ids) for ids in self._ready.values())

    async def keep_telling(self) -> None:
        """Tell what changed; for as long as the server runs."""
        while True:
            try:
                rest = await self.tell_due()
            except BaseException:  # begun again in a second, with what was put back
                self._wake.set()
                raise
            await asyncio.sleep(PAUSE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._wake.wait()
            self._wake.clear()

    async def tell_due(self) -> float | None:
        """Tell what may be told now; in how many seconds to look again, None where nothing waits.

        What could not be read still waits afterwards, whatever is raised, but for what broke its reading five
        times; a kind that cannot be read costs the others nothing but time.
        """
        self._wake_rested()
        failure: Exception | None = None
        for kind in [kind for kind, ready in self._ready.items() if ready]:
            try:
                await self._tell(kind)
            except Exception as error:  # noqa: BLE001 (raised below)
                failure = error
        if failure is not None:
            raise failure
        if any(self._ready.values()):
            return 0
        if not self._changed:
            return None
        return max(0.0, next(iter(self._resting.values())) - self._clock.monotonic())

    def _wake_rested(self) -> None:
        now = self._clock.monotonic()
        while self._resting:
            subject, until = next(iter(self._resting.items()))
            if until > now:
                return
            del self._resting[subject]
            if subject in self._changed:
                self._changed.remove(subject)
                self._ready[subject[0]][subject[1]] = None

    async def _tell(self, kind: str) -> None:
        ready = self._ready[kind]
        ids = list(islice(ready, MOST_AT_ONCE))
        for object_id in ids:
            del ready[object_id]
        try:
            # Begun after these changes were noted, so it sees them; what changes from here on is noted anew.
            async with self._database.statement() as tx:
                counts = await self.kinds[kind].read(tx, ids)
        except BaseException as error:
            if self._is_hopeless(kind, error):
                raise
            ready.update(dict.fromkeys(ids))
            raise
        self._failures.pop(kind, None)
        until = self._clock.monotonic() + APART_SECONDS
        for object_id in ids:
            self._resting[kind, object_id] = until
            if object_id in ready:  # changed during the reading
                del ready[object_id]
                self._changed.add((kind, object_id))
        for nth, (room, message, fields) in enumerate(counts, 1):
            self._say(room, message, fields)
            if nth % MOST_IN_A_ROW == 0:
                await asyncio.sleep(0)

    def _is_hopeless(self, kind: str, error: BaseException) -> bool:
        """Whether the kind was tried so often that something among these objects must be what breaks it."""
        if isinstance(error, Unavailable) or not isinstance(error, Exception):
            return False
        self._failures[kind] = self._failures.get(kind, 0) + 1
        if self._failures[kind] < MOST_FAILURES:
            return False
        del self._failures[kind]
        return True

    def _say(self, name: str, message: str, fields: dict[str, Any]) -> None:
        if self._hub.is_heard(name):
            self._hub.say(name, transient_text(message, name, fields))

    def _can_be_heard(self, kind: str, object_id: str) -> bool:
        if kind not in self.kinds:  # of a node that is newer than this one
            return False
        room_of = self.kinds[kind].room_of
        if room_of is None:
            return True
        room = self._hub.rooms.get(room_of(object_id))
        return room is not None and bool(room.members)
