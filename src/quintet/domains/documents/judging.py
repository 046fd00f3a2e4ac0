"""What becomes of an operation that was handed in: pure, on this process's copy of the document.

Invariant: operations of a group are judged one after the other, each on the text that those before it
leave; one that is refused changes nothing and uses up no number. Order of judgement: access, epoch, repeat,
distance, bounds.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from quintet.domains.documents import rules
from quintet.domains.documents.bridge import Bridge
from quintet.domains.documents.model import (
    MOST_BEHIND,
    MOST_BYTES,
    MOST_INSERTED_BYTES,
    Change,
    InUnit,
    InvalidOperation,
    ResyncRequired,
    SeqPassed,
    SeqReused,
    Stored,
    change_of,
)
from quintet.domains.documents.ot import (
    Operation,
    OutOfBounds,
    Unit,
    apply,
    base_length,
    to_codepoints,
    to_utf16,
    transform,
)
from quintet.domains.documents.seats import Awaited, Seat
from quintet.kernel import json
from quintet.kernel.live.messages import Id
from quintet.kernel.refusals import Forbidden, NotFound, TooLarge

MOST_RECENT: Final = MOST_BEHIND  # changes that a copy remembers
MOST_RECENT_BYTES: Final = 1024 * 1024


class Submission(msgspec.Struct, kw_only=True):
    """An operation as a client handed it in, read but not judged; `op` counts in `unit`."""

    op_id: UUID
    user_id: UUID
    id: Id = None
    op: Operation
    unit: Unit
    deleted: str | None = None  # what a plain deletion says that it deletes
    base_rev: int | None = None
    epoch: str | None = None
    session: str | None = None
    session_seq: int = 0
    client_id: int | str | None = None
    client_timestamp: float | int | None = None
    seat: Seat
    awaited: Awaited | None = None

    @property
    def fingerprint(self) -> str:
        """What a retry has in common with the first attempt."""
        content = json.encode([self.op, self.unit])
        return hashlib.blake2b(content, digest_size=16).hexdigest()

    @property
    def oldest_rev(self) -> int:
        """The rev from which on it must be transformed."""
        return self.seat.bridge.rev if self.base_rev is None else self.base_rev


class Answered(msgspec.Struct, frozen=True):
    """The newest answer of a session."""

    seq: int
    fingerprint: str
    ack: Stored


class Repeated(msgspec.Struct, frozen=True):
    """The operation was committed before: its first ack is its answer."""

    change: Change


Outcome = Change | Repeated | Exception
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

    def judge(self, asked: Submission, now: datetime) -> Change | Repeated:
        """Commit the operation to this copy, or find its first answer; raises Refusal."""
        self._check_access(asked)
        if asked.epoch is not None and asked.epoch != self.epoch:
            raise self.resync(asked, "this is another epoch of the document")
        repeated = self._earlier_answer(asked)
        if repeated is not None:
            return repeated
        self._check_distance(asked)
        op, bridge = self._placed(asked)
        added = rules.octets(rules.inserted(op))
        if added > MOST_INSERTED_BYTES:
            raise TooLarge(f"one operation inserts at most {MOST_INSERTED_BYTES} bytes")
        stored = self.commit(
            Stored(
                0, asked.op_id, asked.user_id, asked.client_id, op, None, "", asked.client_timestamp, 0,
                asked.session, asked.session_seq if asked.session else None,
            ),
            now,
        )  # fmt: skip
        if asked.session:
            answer = Answered(asked.session_seq, asked.fingerprint, stored)
            self.sessions[asked.user_id, asked.session] = answer
        asked.awaited = asked.seat.awaited[asked.op_id] = Awaited(asked.id, asked.seat.unit, bridge)
        return change_of(self.document_id, self.epoch, stored)

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

    def resync(self, asked: Submission, why: str) -> ResyncRequired:
        """The refusal that tells where document and session are."""
        kept = self.sessions.get((asked.user_id, asked.session or ""))
        members: dict[str, Any] = {
            "document_id": self.document_id, "epoch": self.epoch, "rev": self.rev,
            "last_session_seq": kept.seq if kept else 0, "last_rev": kept.ack.rev if kept else None,
        }  # fmt: skip
        return ResyncRequired(why, members=members)

    def _check_access(self, asked: Submission) -> None:
        if asked.user_id not in self.writers:
            raise Forbidden if asked.user_id in self.readers else NotFound

    def _earlier_answer(self, asked: Submission) -> Repeated | None:
        if asked.session is None:
            return None
        kept = self.sessions.get((asked.user_id, asked.session))
        last = kept.seq if kept else 0
        if kept is not None and asked.session_seq == last:
            if asked.fingerprint != kept.fingerprint:
                raise SeqReused(members=self.resync(asked, "").members)
            return Repeated(change_of(self.document_id, self.epoch, kept.ack))
        if asked.session_seq <= last:
            raise SeqPassed(members=self.resync(asked, "").members)
        if asked.session_seq != last + 1:
            raise self.resync(asked, f"number {last + 1} of this session comes next")
        return None

    def _check_distance(self, asked: Submission) -> None:
        if asked.base_rev is None:
            seat = asked.seat
            if seat.bridge.is_lost or seat.barriers:
                raise self.resync(asked, "it is not known what you have seen")
            if asked.unit != seat.unit and not (seat.bridge.is_clear and seat.bridge.rev >= self.rev):
                raise self.resync(asked, "what you have not seen yet was told in another unit")
        oldest = asked.oldest_rev
        if oldest > self.rev:
            raise self.resync(asked, "the document has not come so far")
        if oldest < max(self.floor_rev, self.first_rev) or self.rev - oldest > MOST_BEHIND:
            raise self.resync(asked, "too much has happened since")

    def _placed(self, asked: Submission) -> tuple[Operation, Bridge | None]:
        """The operation in code points, as it reads on the present text; and the bridge behind it."""
        missing = self.since(asked.oldest_rev)
        op = rules.widened(asked.op) if asked.unit == "utf16" else asked.op
        bridge: Bridge | None = None
        if asked.base_rev is None:
            in_parts = asked.seat.in_parts
            later = asked.seat.bridge.unseen(missing, in_parts=in_parts)
            self._check_fits(asked, op, later)
            op, bridge = asked.seat.bridge.cross(rules.without_end(op), missing, in_parts=in_parts)
        else:
            later = [change.in_unit(asked.unit) for change in missing]
            self._check_fits(asked, op, later)
            op = rules.without_end(op)
            for one in later:
                op = transform(op, one.op, later=True)
        return self._in_code_points(op) if asked.unit == "utf16" else op, bridge

    def _check_fits(self, asked: Submission, op: Operation, later: Sequence[InUnit]) -> None:
        """Raise where the text that the operation was made on is too short for it, or not what it says."""
        present = len(self.text) + (self.astral if asked.unit == "utf16" else 0)
        length = present - sum([one.growth for one in later])
        if base_length(op) > length:
            raise InvalidOperation(f"it speaks of {base_length(op)} characters, and the text has {length}")
        if asked.deleted is not None:
            self._check_deleted(asked, op, [(one.op, one.removed) for one in later])

    def _check_deleted(self, asked: Submission, op: Operation, later: list[tuple[Operation, str]]) -> None:
        said = asked.deleted or ""
        start = op[0] if op and isinstance(op[0], int) and op[0] > 0 else 0
        if asked.unit == "utf16":
            said, text = rules.wide(said), rules.wide(self.text) if self.astral else self.text
        else:
            text = self.text
        if said and rules.text_before(start, start + len(said), later, text) != said:
            raise self.resync(asked, "what it deletes does not stand there")

    def _in_utf16(self, op: Operation) -> Operation | None:
        """The operation in UTF-16 units, where that is not the same."""
        if not self.astral:
            return None
        other = to_utf16(op, self.text)
        return None if other == op else other

    def _in_code_points(self, op: Operation) -> Operation:
        if not self.astral:
            return rules.narrowed(op)
        try:
            return to_codepoints(rules.narrowed(op), self.text)
        except OutOfBounds as error:
            raise InvalidOperation(error.reason) from error
