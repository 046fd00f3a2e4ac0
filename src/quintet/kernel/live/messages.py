"""The words of the live connection: what clients say, what the server says, and how both look on the wire.

Invariant: everything sent is one JSON object in one text frame; an event is encoded and framed once, for
however many connections it goes to.
"""

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from quintet.kernel import json
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Published
from quintet.kernel.live.names import shown
from quintet.kernel.refusals import BadRequest, Conflict, Refusal

MOST_ID: Final = 100  # characters; every answer repeats it
MOST_MODE: Final = 32  # characters
_MOST_DETAIL: Final = 200
_TEXT: Final = b"\x81"  # a whole text message in one frame (RFC 6455, 5.2)
# The kinds whose fields stand a second time under `payload`, for clients that look there.
_DOUBLED: Final = frozenset({"system", "pong", "error", "presence"})
T = TypeVar("T")
Id = (
    Annotated[str, msgspec.Meta(max_length=MOST_ID)]
    | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    | None
)


class InvalidMessage(BadRequest):
    """This message cannot be read: send JSON objects with a known `type`, as text."""


class EpochRequired(BadRequest):
    """To go on behind `since`, name the `epoch` it counts in, too."""


class NotSubscribed(Conflict):
    """Subscribe to the room first."""


class Subscription(msgspec.Struct, frozen=True):
    """One room to be joined; behind `since` of `epoch`, where given."""

    room: str
    since: int | None = None
    epoch: str | None = None
    unit: Literal["utf16", "codepoint"] | None = None  # in which positions in a text are told


class Subscribe(msgspec.Struct, frozen=True):
    """Join one room, or many."""

    id: Id = None
    room: str | None = None
    since: int | None = None
    epoch: str | None = None
    unit: Literal["utf16", "codepoint"] | None = None
    rooms: list[Subscription] | None = None


class Unsubscribe(msgspec.Struct, frozen=True):
    """Leave a room."""

    room: str
    id: Id = None


class SetPresence(msgspec.Struct, frozen=True):
    """How the caller is there: in one room, or anywhere."""

    status: Literal["online", "in_studio"]
    room: str | None = None
    mode: Annotated[str, msgspec.Meta(max_length=MOST_MODE)] | None = None
    id: Id = None


class Ping(msgspec.Struct, frozen=True):
    """Ask whether anybody is there."""

    id: Id = None


class Authenticating(msgspec.Struct, frozen=True):
    """Sign in, or renew the token."""

    token: str
    id: Id = None


def read_message(data: bytes, *, is_text: bool = True) -> tuple[str, dict[str, Any]]:
    """Type and fields of what a client sent: fields under `payload` go before those at the top.

    Raises InvalidMessage.
    """
    if not is_text:
        raise InvalidMessage("send text")
    try:
        message = json.decode(data, dict[str, Any])
    except Refusal as refusal:
        raise InvalidMessage(refusal.detail) from refusal
    kind = message.get("type")
    if not isinstance(kind, str):
        raise InvalidMessage("`type` is missing")
    payload = message.get("payload")
    return kind, {**message, **payload} if isinstance(payload, dict) else message


def id_of(fields: dict[str, Any]) -> Id:
    """What the client calls its message, where answers can name it."""
    try:
        return msgspec.convert(fields.get("id"), Id)
    except msgspec.ValidationError:
        return None


def as_command(fields: dict[str, Any], command: type[T]) -> T:
    """The fields as a command; raises InvalidMessage. Fields that the command does not know are ignored."""
    try:
        return msgspec.convert(fields, command)
    except msgspec.ValidationError as error:
        raise InvalidMessage(str(error)[:_MOST_DETAIL]) from error


def frame(text: bytes) -> bytes:
    """A message as one unmasked frame, as servers send it."""
    size = len(text)
    if size < 126:
        return _TEXT + bytes((size,)) + text
    if size < 65536:
        return _TEXT + b"\x7e" + size.to_bytes(2, "big") + text
    return _TEXT + b"\x7f" + size.to_bytes(8, "big") + text


def told(kind: str, /, room: str | None = None, **fields: Any) -> bytes:
    """A message of the server's own, without a place in any log, as text."""
    message: dict[str, Any] = {"type": kind}
    if "id" in fields:
        message["id"] = fields.pop("id")
    if room is not None:
        message["room"] = room
    message |= fields
    if kind in _DOUBLED:
        message["payload"] = fields
    return json.encode(message)


def event_text(event: Published, *, for_author: bool = False) -> bytes:
    """A durable event as text; its author also hears the cause."""
    head = f'{{"room":{json.encode(shown(event.room)).decode()},"seq":{event.seq},"at":"{event.at}",'
    cause = f'"cause":{json.encode(event.cause).decode()},' if for_author and event.cause else ""
    return (head + cause).encode() + event.body[1:]


def skip_text(event: Published) -> bytes:
    """What stands in an event's place for who may not see it."""
    return told("skip", room=shown(event.room), seq=event.seq)


def error_text(refusal: Refusal, id_: Id = None, **fields: Any) -> bytes:
    """A refusal as sockets hear it."""
    retryable = refusal.status in {429, 503}
    detail = refusal.detail or refusal.title
    fields = {**refusal.members, **fields}
    return told("error", id=id_, code=refusal.code, detail=detail, retryable=retryable, **fields)


def presence_text(room: str, user_id: object, status: str, mode: str | None, at: Instant) -> bytes:
    """How somebody is there from now on."""
    more = {} if mode is None else {"mode": mode}
    return told("presence", room=room, user_id=user_id, status=status, **more, at=at)
