"""Hot answers, served from memory under their room's `seq` as version.

Invariant: an answer is served only while it is not older than the newest change of its room that this node
knows of; and what this node knows is checked against the database at least once a second, which bounds the
staleness left by another node's change whose notice was lost.

What changes too often to have a room (every commit would wait for the room's row) is a subject instead. An
answer about it is served only while no commit of this node has touched the subject since the answer began to
be read (`Tx.touch`), and for a second at most, which bounds what other nodes changed.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from weakref import WeakValueDictionary

import msgspec

from quintet.kernel.database import Database
from quintet.kernel.live.log import Published, room_seq

STALE_SECONDS = 1.0
MOST_ROOMS = 200_000
_OVERHEAD_BYTES = 400  # of one entry's objects, roughly
_NEVER = float("-inf")


class HotAnswer(msgspec.Struct, frozen=True):
    """A body with its entity tag and the seq of its room in the very snapshot it was read from.

    Of a subject: how often this node had touched it when the reading began.
    """

    body: bytes
    etag: str
    seq: int


class _Entry(msgspec.Struct):
    answer: HotAnswer
    read_at: float


class _Room(msgspec.Struct):
    seq: int
    checked_at: float


class HotAnswers:
    """A bounded memory of answers; the least recently asked for goes first."""

    def __init__(self, database: Database, most_bytes: int) -> None:
        self._database = database
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._rooms: OrderedDict[str, _Room] = OrderedDict()
        self._underway: dict[tuple[str, str], asyncio.Task[HotAnswer]] = {}
        self._touches: Counter[str] = Counter()
        self._readers: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        database.on_commit.append(self._take_notice)
        database.on_touch.append(self._note_touched)

    async def get(
        self, room: str, key: str, read: Callable[[], Awaitable[HotAnswer]], *, hold_seconds: float = 0
    ) -> HotAnswer:
        """The answer `key` of `room`; `read` computes it, once for however many ask at the same time.

        What is costly to compute may be held: it is then computed at most once in `hold_seconds`, and may
        be that much older than the room's newest change.
        """
        answer = self._held(room, key, hold_seconds) or self.fresh(room, key)
        if answer is not None:
            return answer
        known, entry = self._rooms.get(room), self._answers.get((room, key))
        if (
            known is not None and entry is not None and entry.answer.seq >= known.seq
        ):  # only its age is in doubt
            await self._check(room)
            answer = self.fresh(room, key)
            if answer is not None:
                return answer
        # A task of the same version may be shared; one begun before a change we know of may not.
        marker = (room, f"{key} {known.seq if known else ''}")
        task = self._underway.get(marker)
        if task is None:
            task = asyncio.create_task(self._read(room, key, read))
            self._underway[marker] = task
            task.add_done_callback(lambda done: self._finish(marker, done))
        return await asyncio.shield(task)

    async def of_subject(
        self, subject: str, key: str, read: Callable[[], Awaitable[tuple[bytes, str]]]
    ) -> HotAnswer:
        """The answer `key` about a subject, from the body and the entity tag that `read` gives.

        One reads at a time, for all who asked before it began: so a subject that changes faster than it can
        be read costs one reading after the other, and never more at once.
        """
        touches = self._touches[subject]
        answer = self._untouched(subject, key, touches)
        if answer is not None:
            return answer
        reader = self._readers.setdefault((subject, key), asyncio.Lock())
        async with reader:
            answer = self._untouched(subject, key, touches)
            if answer is not None:
                return answer
            touches, begun = self._touches[subject], time.monotonic()
            body, etag = await read()
            return self._keep((subject, key), HotAnswer(body, etag, touches), begun)

    def _untouched(self, subject: str, key: str, touches: int) -> HotAnswer | None:
        """The answer, if its reading began after that many touches and less than a second ago."""
        entry = self._answers.get((subject, key))
        if entry is None or entry.answer.seq < touches or time.monotonic() - entry.read_at >= STALE_SECONDS:
            return None
        self._answers.move_to_end((subject, key))
        return entry.answer

    async def seq_of(self, room: str) -> int:
        """The room's last seq, as of at most a second ago."""
        known = self._rooms.get(room)
        if known is None or time.monotonic() - known.checked_at >= STALE_SECONDS:
            await self._check(room)
        return self._rooms[room].seq

    def fresh(self, room: str, key: str) -> HotAnswer | None:
        """The answer, if it may be served this moment without asking anybody."""
        entry = self._answers.get((room, key))
        known = self._rooms.get(room)
        if entry is None or known is None or entry.answer.seq < known.seq:
            return None
        if time.monotonic() - known.checked_at >= STALE_SECONDS:
            return None
        self._answers.move_to_end((room, key))
        return entry.answer

    def _held(self, room: str, key: str, seconds: float) -> HotAnswer | None:
        entry = self._answers.get((room, key)) if seconds else None
        if entry is None or time.monotonic() - entry.read_at >= seconds:
            return None
        return entry.answer

    async def _check(self, room: str) -> None:
        begun = time.monotonic()
        async with self._database.statement() as tx:
            self._notice(room, await room_seq(tx, room), begun)

    async def _read(self, room: str, key: str, read: Callable[[], Awaitable[HotAnswer]]) -> HotAnswer:
        begun = time.monotonic()
        answer = await read()
        self._notice(room, answer.seq, begun)
        return self._keep((room, key), answer, begun)

    def _keep(self, entry: tuple[str, str], answer: HotAnswer, begun: float) -> HotAnswer:
        self._forget(entry)
        self._answers[entry] = _Entry(answer, begun)
        self._bytes += len(answer.body) + _OVERHEAD_BYTES
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._answers)))
        return answer

    def _finish(self, marker: tuple[str, str], done: asyncio.Task[HotAnswer]) -> None:
        self._underway.pop(marker, None)
        if not done.cancelled():
            done.exception()  # told to whoever waits; nobody may be left

    def _forget(self, entry: tuple[str, str]) -> None:
        gone = self._answers.pop(entry, None)
        if gone is not None:
            self._bytes -= len(gone.answer.body) + _OVERHEAD_BYTES

    def _note_touched(self, subjects: Iterable[str]) -> None:
        self._touches.update(subjects)

    def _take_notice(self, published: Sequence[Published]) -> None:
        for event in published:
            # Of unknown rooms too: an answer may be on its way that was read before this change.
            self.notice(event.room, event.seq)

    def notice(self, room: str, seq: int) -> None:
        """The room has come to `seq`, somewhere."""
        self._notice(room, seq, _NEVER)

    def _notice(self, room: str, seq: int, checked_at: float) -> None:
        known = self._rooms.get(room)
        if known is None:
            self._rooms[room] = _Room(seq, checked_at)
            if len(self._rooms) > MOST_ROOMS:
                self._rooms.popitem(last=False)
        else:
            known.seq = max(known.seq, seq)
            known.checked_at = max(known.checked_at, checked_at)
