"""The bridge to a peer that does not say what it has seen: what it was told and may not have read yet.

Invariant: the text as the peer sees it, followed by the entries in their order, is the text as the server has
it at `rev`. What the peer itself wrote counts as seen; entries are moved over it (Jupiter's two-party bridge,
Nichols et al. 1995).
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec

from quintet.domains.documents import rules
from quintet.domains.documents.model import MOST_BEHIND, Change, InUnit
from quintet.domains.documents.ot import Operation, Unit, length_change, transform

MOST_ENTRIES: Final = MOST_BEHIND  # told or to be told, and not ponged


class Entry(msgspec.Struct):
    """One step of somebody else's that the peer may not have seen; `ticket` once it was told."""

    rev: int
    part: int
    op: Operation
    removed: str
    ticket: int | None = None


class Bridge:
    """What one connection may not have seen of one document."""

    def __init__(self, rev: int, unit: Unit) -> None:
        self.rev = rev
        self.is_lost = False
        self._unit: Unit = unit
        self._entries: deque[Entry] = deque()
        self._tickets = 0

    @property
    def entries(self) -> deque[Entry]:
        """What the peer may not have seen, in its order."""
        return self._entries

    @property
    def is_clear(self) -> bool:
        """Whether the peer has seen everything up to `rev`."""
        return not self._entries

    def begin(self, rev: int) -> None:
        """The peer has, or reads now, the text at `rev`."""
        self.rev = rev
        self.is_lost = False
        self._entries.clear()

    def lose(self) -> None:
        """What the peer has seen is not known any more."""
        self.is_lost = True
        self._entries.clear()

    def take(self, change: Change, *, in_parts: bool) -> None:
        """Somebody else's change follows on `rev`."""
        if change.seq <= self.rev:
            return
        self.rev = change.seq
        if self.is_lost:
            return
        self._entries.extend(entries_of(change, self._unit, in_parts=in_parts))
        if len(self._entries) > MOST_ENTRIES:
            self.lose()

    def told(self, change: Change, messages: int) -> list[Callable[[], None]]:
        """The change goes out in so many messages: what to call when the peer has read up to each."""
        entries = [entry for entry in self._entries if entry.rev == change.seq]
        first = self._tickets + 1
        self._tickets += messages
        for place, entry in enumerate(entries):
            entry.ticket = first + place if len(entries) == messages else self._tickets
        return [partial(self._seen, ticket) for ticket in range(first, self._tickets + 1)]

    def cross(
        self, op: Operation, missing: Iterable[Change], *, in_parts: bool
    ) -> tuple[Operation, "Bridge"]:
        """The peer's own operation over all it has not seen, `missing` last; and the bridge then."""
        new = Bridge(self.rev, self._unit)
        new._tickets = self._tickets
        for change in missing:
            if change.seq > new.rev:
                new.rev = change.seq
                new._entries.extend(entries_of(change, self._unit, in_parts=in_parts))
        new._entries.extendleft(reversed(self._entries))
        moved: deque[Entry] = deque()
        for entry in new._entries:
            over = transform(entry.op, op, later=False)
            removed = rules.still_removed(entry.op, entry.removed, op)
            moved.append(Entry(entry.rev, entry.part, over, removed, entry.ticket))
            op = transform(op, entry.op, later=True)
        new._entries = moved
        new.rev += 1
        return op, new

    def unseen(self, missing: Iterable[Change], *, in_parts: bool) -> list[InUnit]:
        """All that the peer has not seen, in its order."""
        entries = [*self._entries]
        for change in missing:
            if change.seq > self.rev:
                entries += entries_of(change, self._unit, in_parts=in_parts)
        return [InUnit(entry.op, entry.removed, length_change(entry.op)) for entry in entries]

    def become(self, other: "Bridge") -> None:
        """Be as the other one, made by `cross`, whose operation was committed."""
        if self.is_lost:
            return
        # What was told while the operation was written has its tickets here, not there.
        tickets = {(entry.rev, entry.part): entry.ticket for entry in self._entries}
        for entry in other.entries:
            entry.ticket = tickets.get((entry.rev, entry.part))
        self.rev = other.rev
        self._entries = other.entries

    def _seen(self, ticket: int) -> None:
        while self._entries and (first := self._entries[0].ticket) is not None and first <= ticket:
            self._entries.popleft()


def entries_of(change: Change, unit: Unit, *, in_parts: bool) -> list[Entry]:
    """The change as the peer is told of it: as one step, or one for each part."""
    op, removed, _ = change.in_unit(unit)
    if not in_parts:
        return [Entry(change.seq, 0, op, removed)]
    found: list[Entry] = []
    for place, step in enumerate(rules.steps(op, removed)):
        part: int | str = step.content if step.type == "Insert" else -step.length
        parts = (step.position, part) if step.position else (part,)
        gone = step.content if step.type == "Delete" else ""
        found.append(Entry(change.seq, place, parts if part else (), gone))
    return found
