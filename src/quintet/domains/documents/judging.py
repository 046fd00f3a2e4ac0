"""What becomes of an operation that was handed in: pure, on this process's copy of the document.

Invariant: operations of a group are judged one after the other, each on the text that those before it
leave; one that is refused changes nothing and uses up no number. Order of judgement: access, epoch, repeat,
distance, bounds.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from quintet.domains.documents import rules
from quintet.domains.documents.bridge import Bridge
from quintet.domains.documents.copies import Answered, Copy
from quintet.domains.documents.model import (
    MOST_BEHIND,
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
    base_length,
    to_codepoints,
    transform,
)
from quintet.domains.documents.seats import Awaited, Seat
from quintet.kernel import json
from quintet.kernel.live.messages import Id
from quintet.kernel.refusals import Forbidden, NotFound, TooLarge


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


class Repeated(msgspec.Struct, frozen=True):
    """The operation was committed before: its first ack is its answer."""

    change: Change


Outcome = Change | Repeated | Exception


def judge(copy: Copy, asked: Submission, now: datetime) -> Change | Repeated:
    """Commit the operation to this copy, or find its first answer; raises Refusal."""
    _check_access(copy, asked)
    if asked.epoch is not None and asked.epoch != copy.epoch:
        raise _resync(copy, asked, "this is another epoch of the document")
    repeated = _earlier_answer(copy, asked)
    if repeated is not None:
        return repeated
    _check_distance(copy, asked)
    op, bridge = _placed(copy, asked)
    added = rules.octets(rules.inserted(op))
    if added > MOST_INSERTED_BYTES:
        raise TooLarge(f"one operation inserts at most {MOST_INSERTED_BYTES} bytes")
    stored = copy.commit(
        Stored(
            0, asked.op_id, asked.user_id, asked.client_id, op, None, "", asked.client_timestamp, 0,
            asked.session, asked.session_seq if asked.session else None,
        ),
        now,
    )  # fmt: skip
    if asked.session:
        answer = Answered(asked.session_seq, asked.fingerprint, stored)
        copy.sessions[asked.user_id, asked.session] = answer
    asked.awaited = asked.seat.awaited[asked.op_id] = Awaited(asked.id, asked.seat.unit, bridge)
    return change_of(copy.document_id, copy.epoch, stored)


def _resync(copy: Copy, asked: Submission, why: str) -> ResyncRequired:
    """The refusal that tells where document and session are."""
    kept = copy.sessions.get((asked.user_id, asked.session or ""))
    members: dict[str, Any] = {
        "document_id": copy.document_id, "epoch": copy.epoch, "rev": copy.rev,
        "last_session_seq": kept.seq if kept else 0, "last_rev": kept.ack.rev if kept else None,
    }  # fmt: skip
    return ResyncRequired(why, members=members)


def _check_access(copy: Copy, asked: Submission) -> None:
    if asked.user_id not in copy.writers:
        raise Forbidden if asked.user_id in copy.readers else NotFound


def _earlier_answer(copy: Copy, asked: Submission) -> Repeated | None:
    if asked.session is None:
        return None
    kept = copy.sessions.get((asked.user_id, asked.session))
    last = kept.seq if kept else 0
    if kept is not None and asked.session_seq == last:
        if asked.fingerprint != kept.fingerprint:
            raise SeqReused(members=_resync(copy, asked, "").members)
        return Repeated(change_of(copy.document_id, copy.epoch, kept.ack))
    if asked.session_seq <= last:
        raise SeqPassed(members=_resync(copy, asked, "").members)
    if asked.session_seq != last + 1:
        raise _resync(copy, asked, f"number {last + 1} of this session comes next")
    return None


def _check_distance(copy: Copy, asked: Submission) -> None:
    if asked.base_rev is None:
        seat = asked.seat
        if seat.bridge.is_lost or seat.barriers:
            raise _resync(copy, asked, "it is not known what you have seen")
        if asked.unit != seat.unit and not (seat.bridge.is_clear and seat.bridge.rev >= copy.rev):
            raise _resync(copy, asked, "what you have not seen yet was told in another unit")
    oldest = asked.oldest_rev
    if oldest > copy.rev:
        raise _resync(copy, asked, "the document has not come so far")
    if oldest < max(copy.floor_rev, copy.first_rev) or copy.rev - oldest > MOST_BEHIND:
        raise _resync(copy, asked, "too much has happened since")


def _placed(copy: Copy, asked: Submission) -> tuple[Operation, Bridge | None]:
    """The operation in code points, as it reads on the present text; and the bridge behind it."""
    missing = copy.since(asked.oldest_rev)
    op = rules.widened(asked.op) if asked.unit == "utf16" else asked.op
    bridge: Bridge | None = None
    if asked.base_rev is None:
        in_parts = asked.seat.in_parts
        later = asked.seat.bridge.unseen(missing, in_parts=in_parts)
        _check_fits(copy, asked, op, later)
        op, bridge = asked.seat.bridge.cross(rules.without_end(op), missing, in_parts=in_parts)
    else:
        later = [change.in_unit(asked.unit) for change in missing]
        _check_fits(copy, asked, op, later)
        op = rules.without_end(op)
        for one in later:
            op = transform(op, one.op, later=True)
    return _in_code_points(copy, op) if asked.unit == "utf16" else op, bridge


def _check_fits(copy: Copy, asked: Submission, op: Operation, later: Sequence[InUnit]) -> None:
    """Raise where the text that the operation was made on is too short for it, or not what it says."""
    present = len(copy.text) + (copy.astral if asked.unit == "utf16" else 0)
    length = present - sum([one.growth for one in later])
    if base_length(op) > length:
        raise InvalidOperation(f"it speaks of {base_length(op)} characters, and the text has {length}")
    if asked.deleted is not None:
        _check_deleted(copy, asked, op, [(one.op, one.removed) for one in later])


def _check_deleted(copy: Copy, asked: Submission, op: Operation, later: list[tuple[Operation, str]]) -> None:
    said = asked.deleted or ""
    start = op[0] if op and isinstance(op[0], int) and op[0] > 0 else 0
    if asked.unit == "utf16":
        said, text = rules.wide(said), rules.wide(copy.text) if copy.astral else copy.text
    else:
        text = copy.text
    if said and rules.text_before(start, start + len(said), later, text) != said:
        raise _resync(copy, asked, "what it deletes does not stand there")


def _in_code_points(copy: Copy, op: Operation) -> Operation:
    if not copy.astral:
        return rules.narrowed(op)
    try:
        return to_codepoints(rules.narrowed(op), copy.text)
    except OutOfBounds as error:
        raise InvalidOperation(error.reason) from error
