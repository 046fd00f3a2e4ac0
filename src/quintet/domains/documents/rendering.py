"""Operations as they are shown: over the socket, in acks, and in the history.

Invariant: `ops` is the truth; `transformed_operation` says the same in one step, where one step can.
"""

from functools import cached_property
from typing import Any, Final

import msgspec

from quintet.domains.documents import rules
from quintet.domains.documents.model import MOST_CONTENT_BYTES, Change, Stored, document_of
from quintet.domains.documents.ot import Unit, to_json
from quintet.domains.documents.rules import Step
from quintet.kernel import json
from quintet.kernel.live.messages import Id, frame
from quintet.kernel.live.room import Told

_OVERHEAD_BYTES: Final = 600  # of one operation's objects and frames, roughly


class PlainOperation(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operation in the plain form; a long deletion has `length` in the place of `content`."""

    type: str
    client_id: int | str | None
    timestamp: float | int | None
    position: int
    content: str | msgspec.UnsetType = msgspec.UNSET
    length: int | msgspec.UnsetType = msgspec.UNSET


class Shown(msgspec.Struct, frozen=True):
    """What an `operation` and an `operation_ack` carry."""

    document_id: str
    epoch: str
    client_id: int | str | None
    user_id: Any
    rev: int
    server_timestamp: int
    transformed_operation: PlainOperation
    ops: list[dict[str, int | str]]
    unit: Unit
    op_id: Any
    session: str | None
    session_seq: int | None
    part: int | msgspec.UnsetType = msgspec.UNSET
    parts: int | msgspec.UnsetType = msgspec.UNSET


def plain(stored: Stored, step: Step) -> PlainOperation:
    """One step of the operation."""
    timestamp = stored.client_timestamp
    if isinstance(timestamp, float) and timestamp.is_integer():
        timestamp = int(timestamp)
    head = (step.type, stored.client_id, timestamp, step.position)
    if step.type == "Delete" and rules.octets(step.content) > MOST_CONTENT_BYTES:
        return PlainOperation(*head, length=step.length)
    return PlainOperation(*head, content=step.content)


def shown(change: Change, unit: Unit) -> Shown:
    """The whole operation; its plain form is the first of its steps, which are told from the end."""
    return _shown(change, unit, _steps(change, unit)[0])


def shown_parts(change: Change, unit: Unit) -> list[Shown]:
    """The operation as one message for each of its steps, from the end to the start."""
    steps = _steps(change, unit)
    if len(steps) == 1:
        return [_shown(change, unit, steps[0])]
    return [_shown(change, unit, step, (place, len(steps))) for place, step in enumerate(steps, 1)]


def _steps(change: Change, unit: Unit) -> list[Step]:
    op, removed, _ = change.in_unit(unit)
    return [Step(s.type, s.position, rules.narrow(s.content), s.length) for s in rules.steps(op, removed)]


def _shown(change: Change, unit: Unit, step: Step, part: tuple[int, int] | None = None) -> Shown:
    stored = change.stored
    if part is None:
        numbers = stored.op if unit == "codepoint" or stored.op16 is None else stored.op16
        ops = to_json(numbers)
    else:
        change_at: dict[str, int | str] = (
            {"insert": step.content} if step.type == "Insert" else {"delete": step.length}
        )
        ops: list[dict[str, int | str]] = [{"retain": step.position}] if step.position else []
        ops.append(change_at)
    return Shown(
        document_of(change.room), change.epoch, stored.client_id, stored.user_id, stored.rev,
        stored.server_timestamp, plain(stored, step), ops, unit, stored.op_id, stored.session,
        stored.session_seq, *(part or ()),
    )  # fmt: skip


def operation_frame(change: Change, fields: bytes) -> bytes:
    """An `operation`, as its room hears it; `fields` is a JSON object."""
    return frame(_head(b"operation", change) + fields[1:-1] + b',"payload":' + fields + b"}")


def ack_frame(change: Change, fields: bytes, id_: Id) -> bytes:
    """The `operation_ack` that takes the operation's place for the connection that sent it."""
    named = b'"id":' + json.encode(id_) + b","
    inner = named + fields[1:]
    return frame(_head(b"operation_ack", change) + inner[:-1] + b',"payload":{' + inner + b"}")


def repeated_ack(change: Change, unit: Unit, id_: Id) -> bytes:
    """The first ack once more, as text: an answer, which has no place in the room."""
    inner = b'"id":' + json.encode(id_) + b"," + json.encode(shown(change, unit))[1:]
    return b'{"type":"operation_ack",' + inner[:-1] + b',"payload":{' + inner + b"}"


def _head(kind: bytes, change: Change) -> bytes:
    room = json.encode(change.room)
    return b'{"type":"%b","room":%b,"seq":%d,"at":"%b",' % (kind, room, change.seq, str(change.at).encode())


class ToldChange(Told):
    """An operation as its room keeps it for telling: each form is made once, when somebody first needs it."""

    event: Change

    def __init__(self, event: Change) -> None:
        super().__init__(event)
        self._fields: dict[Unit, bytes] = {}
        self._frames: dict[tuple[Unit, bool], list[bytes]] = {}

    @cached_property
    def frame(self) -> bytes:
        """As it goes to who says nothing about how."""
        return self.frames("codepoint", in_parts=False)[0]

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly: texts stand in frames several times."""
        stored = self.event.stored
        return _OVERHEAD_BYTES + 4 * len(stored.removed) + 4 * len(rules.inserted(stored.op))

    def fields(self, unit: Unit) -> bytes:
        """The whole operation's fields, as a JSON object."""
        found = self._fields.get(unit)
        if found is None:
            found = self._fields[unit] = json.encode(shown(self.event, unit))
        return found

    def frames(self, unit: Unit, *, in_parts: bool) -> list[bytes]:
        """The messages that tell of it: one, or one for each part."""
        found = self._frames.get((unit, in_parts))
        if found is None:
            fields = (
                [json.encode(part) for part in shown_parts(self.event, unit)]
                if in_parts
                else [self.fields(unit)]
            )
            found = self._frames[unit, in_parts] = [operation_frame(self.event, one) for one in fields]
        return found

    def ack(self, unit: Unit, id_: Id) -> bytes:
        """The message that takes its place for the connection that sent it."""
        return ack_frame(self.event, self.fields(unit), id_)
