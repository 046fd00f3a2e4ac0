"""Messages that are never stored: whoever is there hears them, on every node.

Invariant: nothing is told of here that reading would not show: who comes later has missed nothing.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from quintet.kernel import json
from quintet.kernel.live.names import shown

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel


def tell(kernel: "Kernel", room: str, kind: str, author_id: UUID, **fields: Any) -> None:
    """Tell everybody in the room, on all nodes, but for those who do not see the author."""
    text = transient_text(kind, room, fields)
    kernel.hub.say(room, text, author_id)
    kernel.wakeups.tell(room, text.decode(), author_id)


def transient_text(kind: str, room: str, fields: dict[str, Any]) -> bytes:
    """The message as it is sent, its fields a second time under `payload`."""
    return json.encode({"type": kind, "room": shown(room), **fields, "payload": fields})
