"""What clients say of documents over the live connection: operations, and where their cursors are.

Invariant: an operation is read and bounded here, and judged at the desk; what cannot be read gets no further.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from quintet.domains.documents.desk import Desks
from quintet.domains.documents.judging import Repeated, Submission
from quintet.domains.documents.model import InvalidOperation, ResyncRequired, room_of
from quintet.domains.documents.ot import InvalidOperation as NoOperation
from quintet.domains.documents.ot import Operation, Unit, from_plain, parse_ops
from quintet.domains.documents.rendering import repeated_ack
from quintet.domains.documents.seats import Seat, peer_of
from quintet.domains.documents.voice import mark_anew
from quintet.kernel.actor import Actor
from quintet.kernel.ids import new_id
from quintet.kernel.live.connection import Connection
from quintet.kernel.live.joining import join_unasked
from quintet.kernel.live.messages import Id, InvalidMessage, NotSubscribed, as_command, told

_MOST_NUMBER: Final = 2**53  # what JavaScript counts to
Number = Annotated[int, msgspec.Meta(ge=0, le=_MOST_NUMBER)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
ClientId = (
    Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, msgspec.Meta(max_length=100)]
)
Timestamp = (
    Annotated[int, msgspec.Meta(ge=-_MOST_NUMBER, le=_MOST_NUMBER)]
    | Annotated[float, msgspec.Meta(ge=-_MOST_NUMBER, le=_MOST_NUMBER)]
)


class PlainOperating(msgspec.Struct, frozen=True):
    """The `operation` of a message; in the extended form it may hold only who and when."""

    type: Any = None
    position: Any = None
    content: Any = None
    length: Any = None
    client_id: ClientId | None = None
    client_id_too: ClientId | None = msgspec.field(default=None, name="clientId")
    timestamp: Timestamp | None = None


class Operating(msgspec.Struct, frozen=True):
    """Change a document."""

    document_id: str | None = None
    document_id_too: str | None = msgspec.field(default=None, name="documentId")
    operation: PlainOperating = PlainOperating()
    ops: Any = None
    base_rev: Number | None = None
    unit: Unit | None = None
    epoch: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    session: Name | None = None
    session_seq: Number | None = None
    seq: Number | None = None
    id: Id = None


class Pointing(msgspec.Struct, frozen=True):
    """Say where one's cursor is, or the selection between it and its anchor."""

    position: Number
    rev: Number
    document_id: str | None = None
    document_id_too: str | None = msgspec.field(default=None, name="documentId")
    unit: Literal["utf16", "codepoint"] = "codepoint"
    anchor: Number | None = None


async def take_operation(connection: Connection, actor: Actor, fields: dict[str, Any]) -> None:
    """Write an operation; its ack is told in its place among what the document's room tells."""
    asked = as_command(fields, Operating)
    document_id = _document_id(asked)
    session_seq = asked.session_seq if asked.session_seq is not None else asked.seq
    if (asked.session is None) != (session_seq is None):
        raise InvalidMessage("`session` and `session_seq` go together")
    op = _operation(asked, "codepoint" if asked.unit is None else asked.unit)
    room = await join_unasked(connection, actor, room_of(document_id))
    peer = peer_of(connection)
    seat = peer.seats.get(room.name)
    if seat is None:
        return  # the connection has gone meanwhile
    unit = asked.unit or seat.unit
    if unit != asked.unit:
        op = _operation(asked, unit)
    _note_form(seat, asked)
    plain = asked.operation
    submission = Submission(
        op_id=new_id(), user_id=actor.id, id=asked.id, op=op, unit=unit,
        deleted=_deleted(asked), base_rev=asked.base_rev, epoch=asked.epoch, session=asked.session,
        session_seq=session_seq or 0,
        client_id=plain.client_id if plain.client_id is not None else plain.client_id_too,
        client_timestamp=plain.timestamp, seat=seat,
    )  # fmt: skip
    try:
        answer = await connection.kernel.of_parts[Desks].of(document_id).submit(submission)
    except ResyncRequired as refusal:
        connection.inbox.refuse(refusal, asked.id)
        connection.wire.send(mark_anew(connection, room, seat))
        return
    if isinstance(answer, Repeated):
        await connection.hub.missed(room, answer.change.seq)  # nobody hears of a rev before its time
        room.flush()
        connection.say(repeated_ack(answer.change, seat.unit, asked.id))


async def take_cursor(connection: Connection, actor: Actor, fields: dict[str, Any]) -> None:
    """Tell everybody else in the document's room where somebody's cursor is."""
    asked = as_command(fields, Pointing)
    room = connection.rooms.get(room_of(_document_id(asked)))
    if room is None:
        raise NotSubscribed
    more = {} if asked.anchor is None else {"anchor": asked.anchor}
    text = told(
        "cursor", room=room.name, document_id=_document_id(asked), user_id=actor.id,
        connection_id=connection.id, rev=asked.rev, unit=asked.unit, position=asked.position, **more,
    )  # fmt: skip
    room.flush()
    for member in list(room.members):
        if isinstance(member, Connection) and member is not connection:
            member.say(text)
    connection.kernel.wakeups.tell(room.name, text.decode())


def _document_id(asked: Operating | Pointing) -> str:
    found = asked.document_id if asked.document_id is not None else asked.document_id_too
    if found is None:
        raise InvalidMessage("`document_id` is missing")
    return found


def _operation(asked: Operating, unit: Unit) -> Operation:
    try:
        if asked.ops is not None:
            return parse_ops(asked.ops)
        plain = asked.operation
        return from_plain(plain.type, plain.position, plain.content, plain.length, unit)
    except NoOperation as error:
        raise InvalidOperation(error.reason) from error


def _deleted(asked: Operating) -> str | None:
    plain = asked.operation
    is_said = asked.ops is None and plain.type == "Delete" and isinstance(plain.content, str)
    return plain.content if is_said else None


def _note_form(seat: Seat, asked: Operating) -> None:
    """What the form of its operations says of a peer; a connection that sends `base_rev` goes on doing so."""
    peer = seat.peer
    if asked.base_rev is None and not peer.is_pinged:
        raise InvalidMessage("`base_rev` is missing")
    if asked.ops is not None:
        peer.is_plain = False
    if asked.base_rev is not None:
        peer.is_pinged = False


COMMANDS: Final = {"operation": take_operation, "cursor": take_cursor}
