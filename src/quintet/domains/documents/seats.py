"""Seats: what is known of each connection and the documents it hears or writes.

Invariant: a seat lives exactly as long as its connection hears the document's room.
"""

from typing import Any
from uuid import UUID

import msgspec

from quintet.domains.documents.bridge import Bridge
from quintet.domains.documents.ot import Unit
from quintet.kernel.live.connection import Connection
from quintet.kernel.live.messages import Id


class Awaited(msgspec.Struct):
    """An operation that this connection sent: what its ack is to name, and the bridge behind it."""

    id: Id
    unit: Unit
    bridge: Bridge | None
    is_heard: bool = False


class Peer:
    """What is known of a connection, whatever the document."""

    def __init__(self) -> None:
        self.is_plain = True  # it has only ever sent the plain form
        self.is_pinged = True  # it has not said yet what it has seen; who does needs no pings
        self.seats: dict[str, Seat] = {}


class Seat:
    """A connection's place at one document."""

    def __init__(self, peer: Peer, rev: int, unit: Unit | None) -> None:
        self.peer = peer
        self.unit: Unit = unit or "codepoint"
        self.names_unit = unit is not None
        self.bridge = Bridge(rev, self.unit)
        self.awaited: dict[UUID, Awaited] = {}
        self.barriers = 0  # pings behind which the peer reads the text anew, not ponged yet
        self.begins_at: int | None = None  # where it says it goes on

    @property
    def in_parts(self) -> bool:
        """Whether operations are told as single steps."""
        return self.peer.is_plain and not self.names_unit

    def settle(self, op_id: UUID) -> Awaited | None:
        """The operation is committed: if it is this connection's own, it counts as seen."""
        awaited = self.awaited.get(op_id)
        if awaited is not None and awaited.bridge is not None:
            self.bridge.become(awaited.bridge)
            awaited.bridge = None
        return awaited

    def passed_barrier(self) -> None:
        """The peer has read that it is to read the text anew."""
        self.barriers -= 1


def peer_of(connection: Connection) -> Peer:
    """What is known of the connection."""
    found: Any = connection.of_parts.get(Peer)
    if found is None:
        found = connection.of_parts[Peer] = Peer()
    return found
