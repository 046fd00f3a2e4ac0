"""The WebSocket protocol of the server: handshake, frames, pings, and readers that do not keep up.

Invariant: one reader's slowness costs others nothing: what it does not take is bounded, then thrown away.
What is sent in one turn of the loop leaves as one write.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from quintet.kernel.live.connection import TRY_LATER, Connection
from quintet.kernel.live.handshake import shake_hands
from quintet.kernel.live.turn import Turn

MOST_BYTES: Final = 64 * 1024  # of one message
WRITE_HIGH_BYTES: Final = 128 * 1024
BEHIND_BYTES: Final = 1024 * 1024
BEHIND_SECONDS: Final = 10.0
PING_SECONDS: Final = 25.0
SILENT_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 5.0
_CLOSING_SECONDS: Final = 5.0
# At its debug level websockets writes down requests, and with them tokens: nobody may turn that on.
_QUIET: Final = logging.getLogger("quintet.websockets")
_QUIET.setLevel(logging.WARNING)


def _take_no_note() -> None:
    """What a pong is good for that only says that somebody is there."""


class SocketProtocol(asyncio.Protocol):
    """One socket; uvicorn makes it when a client asks for an upgrade."""

    def __init__(self, config: Any, server_state: Any, app_state: Any = None, _loop: Any = None) -> None:  # noqa: ARG002 (uvicorn's)
        self._edge: Any = config.app
        self._server_connections: set[Any] = server_state.connections
        self._loop = asyncio.get_running_loop()
        self._turn: Turn | None = None
        self._protocol = ServerProtocol(max_size=MOST_BYTES, logger=_QUIET)
        self._transport: Any = None
        self._connection: Connection | None = None
        self._message: list[bytes] = []
        self._is_text = True
        self._waiting: list[bytes] = []  # written at the end of this turn, or when the peer takes it
        self._waiting_bytes = 0
        self._flush_is_planned = False
        self._is_blocked = False
        self._is_shed = False
        self._is_closing = False
        self._is_held = False  # whether what was said before is to be answered before more is read
        self._end: asyncio.TimerHandle | None = None
        self._behind_since = 0.0
        self._heard_at = self._pinged_at = 0.0
        self._room_to_write = asyncio.Event()

    # --- asyncio's side -------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """The client's request is about to be told."""
        self._transport = transport = getattr(transport, "plain", transport)
        self._server_connections.add(self)
        transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's interface)
        """The client has gone."""
        self._server_connections.discard(self)
        self._is_closing = True
        self._waiting.clear()
        self._room_to_write.set()
        if self._end is not None:
            self._end.cancel()  # else it would keep all of this for seconds
            self._end = None
        if self._connection is not None:
            self._connection.lost()
            self._connection = None

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif self._connection is not None:
                self._take(event, self._connection)
        self._send_own()
        if self._protocol.parser_exc is not None:
            self._give_up()
        elif self._protocol.close_rcvd is not None or self._refused_handshake():
            self._finish()

    def eof_received(self) -> None:
        """The client sends no more."""

    def pause_writing(self) -> None:
        """The peer does not keep up."""
        self._is_blocked = True
        self._behind_since = self._now()
        self._room_to_write.clear()
        self._read_on()  # no: who does not listen may not go on asking

    def resume_writing(self) -> None:
        """The peer has taken what was sent."""
        self._is_blocked = False
        self._read_on()
        if self._is_shed and self._connection is not None:
            self._connection.pass_over()
            self._is_shed = False
            self._connection.lose_all_places()
        self.flush()
        self._room_to_write.set()

    def shutdown(self) -> None:
        """The server stops, and this socket was not drained before."""
        self.close(1012)

    # --- the connection's side ------------------------------------------------------------------------

    def send(self, frames: bytes) -> None:
        """Send whole frames with whatever else this turn of the loop sends."""
        if self._is_closing or self._is_shed:
            return
        self._waiting.append(frames)
        self._waiting_bytes += len(frames)
        if self._is_blocked:
            if self._waiting_bytes > BEHIND_BYTES:
                self._shed()
        elif not self._flush_is_planned and self._turn is not None:
            self._flush_is_planned = True
            self._turn.add(self)

    def flush(self) -> None:
        """Write what waits, where the peer takes it."""
        self._flush_is_planned = False
        if not self._waiting or self._is_blocked or self._is_closing or self._transport.is_closing():
            return
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def close(self, code: int, reason: str = "") -> None:
        """Send what waits and a close frame, then close; at the latest in five seconds."""
        if self._is_closing:
            return
        self.flush()
        self._is_closing = True
        with suppress(InvalidState):  # the peer closes already
            self._protocol.send_close(code, reason)
        self._send_own()
        self._await_the_end()

    async def drained(self) -> None:
        """Wait until the peer has taken most of what was sent."""
        if self._waiting_bytes >= WRITE_HIGH_BYTES:
            self.flush()
        if self._is_blocked:
            await self._room_to_write.wait()

    def hold(self, *, is_held: bool) -> None:
        """Read no more for now, or go on reading."""
        self._is_held = is_held
        self._read_on()

    def look_after(self, now: float) -> None:
        """Once a second: ping the quiet, close the silent, let go of who is too far behind."""
        if self._is_closing:
            return
        if self._is_blocked and now - self._behind_since > BEHIND_SECONDS:
            if self._is_shed:
                self.close(TRY_LATER, "too slow")
                return
            self._shed()
        is_asked = self._heard_at < self._pinged_at < now - _ANSWER_SECONDS  # it may be us who slept
        if is_asked and now - self._heard_at > SILENT_SECONDS:
            self.close(1001, "silent for a minute")
        elif now - max(self._pinged_at, self._heard_at) > PING_SECONDS:
            self._pinged_at = now
            if self._connection is not None:
                self.send(self._connection.ping(_take_no_note))

    # --- inside ---------------------------------------------------------------------------------------

    def _now(self) -> float:
        return 0.0 if self._connection is None else self._connection.kernel.clock.monotonic()

    def _shake_hands(self, request: Request) -> None:
        admitted = shake_hands(
            self._edge, self._protocol, request, self._transport.get_extra_info("peername")
        )
        self._send_own()
        if admitted is None:
            self._is_closing = True
            self._transport.close()
            return
        kernel = admitted.kernel
        self._turn = kernel.hub.turn
        self._connection = Connection(kernel, self, admitted.address)
        self._heard_at = self._pinged_at = self._now()
        if admitted.find_actor is not None:
            self._connection.inbox.begin(admitted.find_actor)

    def _take(self, event: Any, connection: Connection) -> None:
        self._heard_at = self._now()
        if not isinstance(event, Frame) or self._is_closing:
            return
        if event.opcode in {Opcode.TEXT, Opcode.BINARY}:
            self._is_text = event.opcode is Opcode.TEXT
            self._message = [bytes(event.data)]
        elif event.opcode is Opcode.CONT:
            if event.data:  # empty ones, for ever, would fill the memory
                self._message.append(bytes(event.data))
        else:
            if event.opcode is Opcode.PONG:
                connection.inbox.receive_pong(bytes(event.data))
            return
        if event.fin:
            data, self._message = b"".join(self._message), []
            connection.inbox.receive(data, is_text=self._is_text)

    def _send_own(self) -> None:
        """Send what the protocol itself has to say: handshake, pongs, close frames."""
        for data in self._protocol.data_to_send():
            if data and not self._transport.is_closing():
                self._transport.write(data)

    def _give_up(self) -> None:
        """The peer broke the protocol and was told so; reading on, unheeding, lets it hear that."""
        if not self._is_closing:
            self._is_closing = True
            self._await_the_end()
            if not self._transport.is_closing():
                self._transport.write_eof()  # so it closes now: its own close frame would not be understood

    def _refused_handshake(self) -> bool:
        return self._protocol.state is State.CONNECTING and self._protocol.close_expected()

    def _read_on(self) -> None:
        """Read, unless there is a reason not to."""
        if self._transport.is_closing():
            return
        if self._is_blocked or self._is_held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _await_the_end(self) -> None:
        self._is_held = False  # to hear the peer's close frame
        self._read_on()
        self._end = self._loop.call_later(_CLOSING_SECONDS, self._transport.abort)
        if self._connection is not None:
            self._connection.lost()

    def _finish(self) -> None:
        """The closing handshake is done."""
        self._is_closing = True
        if self._connection is not None:
            self._connection.lost()
        if not self._transport.is_closing():
            self._transport.close()

    def _shed(self) -> None:
        """Throw away what this reader does not take; it will be told to read anew."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self._is_shed = True
        self._behind_since = self._now()
