"""Wake-ups: what one node tells the others, so that they need not ask.

Invariant: a wake-up is only a hint, sent after the commit by a coalescer and never inside a transaction
(where NOTIFY would serialise commits); what is lost is found by asking within a second.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from typing import Final, LiteralString
from uuid import UUID

import msgspec

from quintet.kernel import json
from quintet.kernel.database import Database
from quintet.kernel.live.log import Published
from quintet.kernel.refusals import Unavailable

CHANNEL: Final[LiteralString] = "quintet"
PAUSE_SECONDS: Final = 0.005
MOST_BYTES: Final = 7700  # of what a payload carries; PostgreSQL takes 8,000 in all
LATELY_SECONDS: Final = 30.0  # longer than a broken line takes to mend
MOST_TOLD_COUNTS: Final = 10_000


class Wakeup(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a node tells the others at once."""

    node_id: UUID
    seqs: dict[str, int] = {}
    says: list[tuple[str, str, UUID | None]] = []  # room, message without a place in its log, and whose
    presence: list[str] = []  # rooms whose list of people changed
    counts: list[tuple[str, str]] = []  # kind and object of numbers that changed
    asks: bool = False  # its line was broken: tell again of the numbers that changed meanwhile


class Wakeups:
    """The line between this node and the others."""

    def __init__(self, database: Database, node_id: UUID) -> None:
        self.node_id = node_id
        self.is_alone = True  # as far as is known; nobody need be told anything then
        self.on_wakeup: list[Callable[[Wakeup], None]] = []
        self.on_listening: list[Callable[[], None]] = []
        self._database = database
        self._seqs: dict[str, int] = {}
        self._says: list[tuple[str, str, UUID | None]] = []
        self._presence: set[str] = set()
        self._counts: set[tuple[str, str]] = set()
        self._told_counts: OrderedDict[tuple[str, str], float] = OrderedDict()  # lately, and when
        self._asks = False
        self._wake = asyncio.Event()
        database.on_commit.append(self._take)

    def tell(self, room: str, text: str, author_id: UUID | None = None) -> None:
        """Have the other nodes tell their members of the room a message without a place in the log."""
        if not self.is_alone:
            self._says.append((room, text, author_id))
            self._wake.set()

    def tell_presence(self, rooms: Collection[str]) -> None:
        """Let the other nodes know that these rooms' lists of people changed."""
        if rooms and not self.is_alone:
            self._presence.update(rooms)
            self._wake.set()

    def tell_counts(self, counts: Iterable[tuple[str, str]]) -> None:
        """Let the other nodes know that these numbers changed, each a kind and an object."""
        if self.is_alone:
            return
        now = time.monotonic()
        for count in counts:
            self._counts.add(count)
            self._told_counts[count] = now
            self._told_counts.move_to_end(count)
        while len(self._told_counts) > MOST_TOLD_COUNTS:
            self._told_counts.popitem(last=False)
        self._forget_counts(now)
        self._wake.set()

    def tell_counts_again(self) -> None:
        """Another node may not have heard of the numbers that changed lately."""
        self._forget_counts(time.monotonic())
        self._counts.update(self._told_counts)
        self._wake.set()

    def _forget_counts(self, now: float) -> None:
        while self._told_counts and next(iter(self._told_counts.values())) < now - LATELY_SECONDS:
            self._told_counts.popitem(last=False)

    def greet(self) -> None:
        """Let the others know that they are not alone."""
        self.is_alone = False
        self._wake.set()

    async def keep_sending(self) -> None:
        """Send what has gathered; for as long as the server runs."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            wakeups = self._gathered()
            try:
                for wakeup in wakeups:
                    async with self._database.statement() as tx:
                        await tx.run("select pg_notify('quintet', $1)", json.encode(wakeup).decode())
            except Unavailable:
                # Seqs are found by asking; lists of people and numbers are not, so this is said again.
                self._presence.update(room for wakeup in wakeups for room in wakeup.presence)
                self._counts.update(count for wakeup in wakeups for count in wakeup.counts)
                self._asks = self._asks or any(wakeup.asks for wakeup in wakeups)
                self._wake.set()
                raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def keep_listening(self) -> None:
        """Hear the other nodes; for as long as the connection holds."""
        async with aclosing(self._database.listen(CHANNEL)) as notices:
            async for notice in notices:
                if not notice:
                    # Both: whichever of two nodes listens again first, the other hears one of the two.
                    self._asks = not self.is_alone
                    self.tell_counts_again()
                    for listener in self.on_listening:
                        listener()
                    continue
                try:
                    wakeup = msgspec.json.decode(notice, type=Wakeup)
                except msgspec.DecodeError:
                    continue  # not ours
                if wakeup.node_id != self.node_id:
                    self.is_alone = False
                    if wakeup.asks:
                        self.tell_counts_again()
                    for hear in self.on_wakeup:
                        hear(wakeup)
        raise Unavailable

    def _take(self, published: Sequence[Published]) -> None:
        if not self.is_alone:
            for event in published:
                self._seqs[event.room] = max(event.seq, self._seqs.get(event.room, 0))
            self._wake.set()

    def _gathered(self) -> list[Wakeup]:
        """What has gathered, in payloads that are small enough; at least one, as a greeting."""
        seqs, self._seqs = self._seqs, {}
        says, self._says = self._says, []
        rooms, self._presence = self._presence, set()
        counts, self._counts = self._counts, set()
        asks, self._asks = self._asks, False
        wakeups = [Wakeup(self.node_id, asks=asks)]
        left = MOST_BYTES

        def one_with_room_for(item: object) -> Wakeup:
            nonlocal left
            size = len(json.encode(item)) + 8
            if size > left:
                wakeups.append(Wakeup(self.node_id))
                left = MOST_BYTES
            left -= size
            return wakeups[-1]

        for room, seq in seqs.items():
            one_with_room_for((room, seq)).seqs[room] = seq
        for said in says:
            if len(json.encode(said)) < MOST_BYTES:  # a larger one is lost, as such messages may be
                one_with_room_for(said).says.append(said)
        for room in rooms:
            one_with_room_for(room).presence.append(room)
        for count in counts:
            one_with_room_for(count).counts.append(count)
        return wakeups
