"""What a document consists of: its kind, its changes, and what writing it can be refused for.

Invariant: a Change is what the log says; nothing about it depends on who is told of it.
"""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from quintet.domains.documents import rules
from quintet.domains.documents.ot import Operation, Unit, length_change
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.live.log import Published
from quintet.kernel.refusals import Conflict, Gone, Unprocessable

ROOM: Final = "document"
MOST_BEHIND: Final = 1000  # revs
MOST_BYTES: Final = 1024 * 1024  # of a document's text
MOST_INSERTED_BYTES: Final = 16 * 1024  # by one operation
MOST_CONTENT_BYTES: Final = 4 * 1024  # of a deletion that is shown by what it deleted, not by its length
MOST_OVERHEARD: Final = 100  # documents that a connection hears without having asked


def room_of(document_id: str) -> str:
    """The room that hears of a document."""
    return f"{ROOM}:{document_id}"


def document_of(room: str) -> str:
    """The document that a room hears of."""
    return room.partition(":")[2]


class DocumentKind(msgspec.Struct, frozen=True):
    """What an app says of the documents of one kind: `kind:object_id:field`, one for each field.

    `readers` and `writers` answer which of these users may, asked inside the transaction that depends on it;
    `heard_unasked` the objects whose documents a user's connections hear without having asked.
    """

    fields: frozenset[str]
    readers: Callable[[Tx, str, Collection[UUID]], Awaitable[set[UUID]]]
    writers: Callable[[Tx, str, Collection[UUID]], Awaitable[set[UUID]]]
    heard_unasked: Callable[[Tx, UserId], Awaitable[list[str]]] | None = None


class InUnit(NamedTuple):
    """An operation in one unit, with what it deletes, and how much longer the text is afterwards."""

    op: Operation
    removed: str
    growth: int


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """An operation as the log keeps it; the order is that of `documents.operations_between`."""

    rev: int
    op_id: UUID
    user_id: UUID
    client_id: int | str | None
    op: tuple[int | str, ...]
    op16: tuple[int | str, ...] | None
    removed: str
    client_timestamp: float | int | None
    server_timestamp: int
    session: str | None = None
    session_seq: int | None = None
    undoes: int | None = None


class Change(Published, frozen=True, kw_only=True, dict=True):
    """A committed operation: an event of its document's room whose `seq` is the document's rev."""

    stored: Stored

    @cached_property
    def in_utf16(self) -> InUnit:
        """The operation in UTF-16 units, its text with a surrogate pair for every character that has one."""
        stored = self.stored
        numbers = stored.op if stored.op16 is None else stored.op16
        return _counted(rules.widened(numbers), rules.wide(stored.removed))

    @cached_property
    def in_code_points(self) -> InUnit:
        """The operation in code points."""
        return _counted(self.stored.op, self.stored.removed)

    @cached_property
    def size(self) -> int:
        """How many bytes it takes in memory, roughly: a few hundred for its objects."""
        return 600 + 4 * len(self.stored.removed) + 4 * len(rules.inserted(self.stored.op))

    def in_unit(self, unit: Unit) -> InUnit:
        """The operation as one who counts in that unit sees it."""
        return self.in_utf16 if unit == "utf16" else self.in_code_points


def _counted(op: Operation, removed: str) -> InUnit:
    return InUnit(op, removed, length_change(op))


def change_of(document_id: str, epoch: str, stored: Stored) -> Change:
    """What the log keeps, as the event that the room hears."""
    at = Instant.fromtimestamp(stored.server_timestamp / 1000, UTC)
    return Change(
        room=room_of(document_id), seq=stored.rev, at=at, body=b"", author_id=stored.user_id, epoch=epoch,
        stored=stored,
    )  # fmt: skip


class InvalidOperation(Unprocessable):
    """The operation does not fit the text, or is none."""


class ResyncRequired(Conflict):
    """The operation cannot be placed: read the text again, and send what is not acknowledged anew."""


class SeqReused(Unprocessable):
    """Another operation was sent under this number of the session."""


class SeqPassed(Conflict):
    """The session has gone past this number."""


class HistoryCollected(Gone):
    """That part of the document's history is not kept any more."""


class AlreadyUndone(Conflict):
    """The operation was undone already."""
