"""What an action did, part by part, and the token that takes it back.

Invariant: a record pairs every state it ended with the one it made in its place, by identity; turned round,
it is the record of the undo.
"""

import base64
import hashlib
import hmac
from typing import Any, Final
from uuid import UUID

import msgspec

from quintet.apps.wigg.editing.model import Absent, Direction, Gap, Painted, Stretch, WiggState
from quintet.apps.wigg.editing.painting import PaintChange
from quintet.apps.wigg.model import ActionId, Wigg, WiggId
from quintet.kernel.clock import Instant
from quintet.kernel.secrets import Secrets

_MAC_BYTES: Final = 20


class MarkChange(msgspec.Struct, frozen=True):
    """What a mark was and what became of it."""

    before: WiggState
    after: WiggState


class Record(msgspec.Struct, frozen=True):
    """All that an action changed."""

    marks: list[MarkChange] = []
    painting: list[PaintChange] = []


class States(msgspec.Struct, frozen=True, omit_defaults=True):
    """One side of a record, as kept; the other side has its counterparts in the same order."""

    wiggs: list[WiggState] = []
    painting: list[Stretch] = []


class NewAction(msgspec.Struct, frozen=True):
    """An action as written."""

    id: ActionId
    action_type: str
    before: States
    after: States
    token_hash: str
    session_id: UUID | None = None
    batch_id: ActionId | None = None
    direction: Direction = "do"
    subject_id: ActionId | None = None
    targets: list[ActionId] | None = None


def new_action(
    secrets: Secrets, action_id: ActionId, action_type: str, record: Record, **known: Any
) -> NewAction:
    """The row of an action, with the hash of its token; `known` are the row's further columns."""
    return NewAction(
        id=action_id,
        action_type=action_type,
        before=States([c.before for c in record.marks], [c.before for c in record.painting]),
        after=States([c.after for c in record.marks], [c.after for c in record.painting]),
        token_hash=hash_of(undo_token(secrets, action_id)).hex(),
        **known,
    )


def record_of(before: dict[str, Any], after: dict[str, Any]) -> Record:
    """A record from its two sides as kept."""
    marks = zip(before.get("wiggs", ()), after.get("wiggs", ()), strict=True)
    painting = zip(before.get("painting", ()), after.get("painting", ()), strict=True)
    return Record(
        [MarkChange(_wigg_state(was), _wigg_state(now)) for was, now in marks],
        [PaintChange(_stretch(was), _stretch(now)) for was, now in painting],
    )


def _wigg_state(kept: dict[str, Any]) -> WiggState:
    return _convert(kept, Wigg) if "position" in kept else _convert(kept, Absent)


def _stretch(kept: dict[str, Any]) -> Stretch:
    return _convert(kept, Painted) if "score" in kept else _convert(kept, Gap)


def _convert(kept: dict[str, Any], wanted: Any) -> Any:
    return msgspec.convert(kept, wanted, dec_hook=instant)


def instant(_kind: type, value: str) -> Instant:
    """A time out of JSON that the server wrote itself; it is in UTC."""
    return Instant.fromisoformat(value)


def turned(record: Record) -> Record:
    """The record of taking this one back."""
    return Record(
        [MarkChange(c.after, c.before) for c in record.marks],
        [PaintChange(c.after, c.before) for c in record.painting],
    )


def undo_token(secrets: Secrets, action_id: ActionId) -> str:
    """The token that takes an action back: derived, so a repeated answer carries the same one.

    The action's id, so that it is found by its key, and 160 bits of HMAC over it.
    """
    mac = secrets.mac("undo", action_id.bytes)[:_MAC_BYTES]
    return base64.urlsafe_b64encode(action_id.bytes + mac).decode()


def action_of_token(token: str) -> ActionId | None:
    """The action a token names, if it looks like one of ours; whether it is one, its hash says."""
    try:
        data = base64.urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        return None
    if len(data) != 16 + _MAC_BYTES:
        return None
    return ActionId(UUID(bytes=data[:16]))


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def is_token(token: str, token_hash: bytes) -> bool:
    """Whether it is the token that was hashed; takes the same time for every wrong one."""
    return hmac.compare_digest(hash_of(token), bytes(token_hash))


def wigg_of(state: WiggState) -> Wigg | None:
    """The mark, where there is one."""
    return state if isinstance(state, Wigg) else None


def never(wigg_id: WiggId) -> Absent:
    """A mark before it was placed."""
    return Absent(wigg_id, None)
