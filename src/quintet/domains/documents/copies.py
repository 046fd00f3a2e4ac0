"""This process's copies of documents: the newest text it knows, and the changes that led there.

Invariant: a copy is only a shortcut. What is written is judged on one that was brought up to date under the
lock of the document's row; losing a copy loses nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from quintet.domains.documents import rules
from quintet.domains.documents.model import MOST_BEHIND, MOST_BYTES, Change, Stored, change_of
from quintet.domains.documents.ot import Operation, apply, to_utf16
from quintet.kernel.refusals import TooLarge

MOST_RECENT: Final = MOST_BEHIND  # changes that a copy remembers
MOST_RECENT_BYTES: Final = 1024 * 1024


class Answered(msgspec.Struct, frozen=True):
    """The newest answer of a session."""

    seq: int
    fingerprint: str
    ack: Stored


SessionKey = tuple[UUID, str]


class Copy:
    """A document's text at a rev, with the changes that led there, as far as they are remembered."""

    def __init__(self, document_id: str, epoch: str, rev: int, text: str, server_timestamp: int) -> None:
        self.document_id = document_id
        self.epoch = epoch
        self.rev = rev
        self.text = text
        self.server_timestamp = server_timestamp
        self.floor_rev = 0
        self.astral = rules.astral_count(text)
        self.octets = rules.octets(text)
        self.changes: list[Change] = []
        self.recent_bytes = 0  # that the changes take
        self.readers: set[UUID] = set()
        self.writers: set[UUID] = set()
        self.sessions: dict[SessionKey, Answered] = {}

    @property
    def first_rev(self) -> int:
        """The rev after which every change is remembered."""
        return self.rev - len(self.changes)

    @property
    def size(self) -> int:
        """How many bytes it takes in memory, roughly."""
        return 4 * len(self.text) + self.recent_bytes

    def branch(self) -> "Copy":
        """A copy to go on with, which leaves this one as it is."""
        other = object.__new__(Copy)
        other.__dict__.update(self.__dict__)
        other.changes = [*self.changes]
        other.sessions = {}
        return other

    def take(self, change: Change) -> None:
        """Follow a committed change."""
        stored = change.stored
        added, removed = rules.inserted(stored.op), stored.removed
        self.text = apply(self.text, stored.op)
        self.rev = stored.rev
        self.server_timestamp = stored.server_timestamp
        self.octets += rules.octets(added) - rules.octets(removed)
        self.astral += rules.astral_count(added) - rules.astral_count(removed)
        self.changes.append(change)
        self.recent_bytes += change.size

    def remember(self, earlier: Sequence[Change]) -> None:
        """Know these changes, too, if they join on to those remembered."""
        if earlier and earlier[-1].seq == self.first_rev:
            self.changes[:0] = earlier
            self.recent_bytes += sum(change.size for change in earlier)

    def forget(self) -> None:
        """Remember no more than is bounded."""
        over = max(0, len(self.changes) - MOST_RECENT)
        self.recent_bytes -= sum(change.size for change in self.changes[:over])
        while self.recent_bytes > MOST_RECENT_BYTES:
            self.recent_bytes -= self.changes[over].size
            over += 1
        del self.changes[:over]

    def since(self, rev: int) -> list[Change]:
        """The changes after `rev`, which are remembered."""
        return self.changes[rev - self.first_rev :]

    def commit(self, asked: Stored, now: datetime) -> Stored:
        """The operation, which fits the text, with all that the log keeps of it; raises TooLarge."""
        removed = rules.removed_by(asked.op, self.text)
        grown = self.octets + rules.octets(rules.inserted(asked.op)) - rules.octets(removed)
        if grown > max(MOST_BYTES, self.octets):
            raise TooLarge(f"a document has at most {MOST_BYTES} bytes")
        stored = msgspec.structs.replace(
            asked, rev=self.rev + 1, op16=self._in_utf16(asked.op), removed=removed,
            server_timestamp=rules.next_timestamp(self.server_timestamp, int(now.timestamp() * 1000)),
        )  # fmt: skip
        self.take(change_of(self.document_id, self.epoch, stored))
        return stored

    def _in_utf16(self, op: Operation) -> Operation | None:
        """The operation in UTF-16 units, where that is not the same."""
        if not self.astral:
            return None
        other = to_utf16(op, self.text)
        return None if other == op else other
