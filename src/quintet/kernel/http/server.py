"""The HTTP server: uvicorn, with deadlines and bounds it does not have itself, and a graceful stop.

Invariant: no connection costs memory or a place for longer than it sends something sensible.
"""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from quintet.kernel.http.transport import JoiningTransport
from quintet.kernel.live.socket import SocketProtocol

HEAD_SECONDS = 10
HEAD_BYTES = 64 * 1024
STOP_SECONDS = 20  # after sockets had up to four; thirty are promised for all


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose request heads must be complete within ten seconds and 64 KiB.

    A body that was answered before it was all there (413, 408) has ten seconds more to come to its end.
    """

    _timer: asyncio.TimerHandle | None = None
    _head_bytes: int = 0
    _body_is_coming: bool = False
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has connected: the clock runs."""
        super().connection_made(JoiningTransport(transport, self.loop))  # pyright: ignore[reportArgumentType]
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_clock()
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; while they belong to a head they are counted."""
        super().data_received(data)
        if self._timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._hang_up(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there; bodies have a deadline of their own, kept by the call."""
        self._stop_clock()
        self._body_is_coming = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there, too."""
        self._body_is_coming = False
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The request is answered."""
        super().on_response_complete()
        # `cycle` is the newest of a pipeline: it is its body that is coming.
        if self.cycle.response_complete and self._body_is_coming and not self.transport.is_closing():
            self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(HEAD_SECONDS, self._hang_up, b"408 Request Timeout")

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self, status: bytes) -> None:
        self._stop_clock()
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn's server, telling us when it is asked to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        on_stop: Callable[[], None],
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._on_stop = on_stop
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or Ctrl-C: readiness fails from now on."""
        self._on_stop()
        super().handle_exit(sig, frame)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on the listener until asked to stop; it is closed then, so that nobody waits in vain."""
        # Not through uvicorn's `fd` setting: that takes every socket for a Unix one and so leaves Nagle's
        # algorithm on, and each answer would wait 40 ms for an acknowledgement.
        await super().serve(sockets or [self._listener])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let the live ones go a few at a time, then finish what is under way."""
        for server in self.servers:
            server.close()
        await self._drain()
        await super().shutdown(sockets)


def make_server(
    app: Any,
    listener: socket.socket,
    *,
    on_stop: Callable[[], None],
    drain: Callable[[], Awaitable[None]],
) -> Server:
    """A server of `app` on a socket that already listens."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws=SocketProtocol,
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,  # uvicorn's own would log query strings, and so tokens
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=2048,
    )
    return Server(config, listener, on_stop, drain)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError where the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def leave_on_sigterm() -> None:
    """Let SIGTERM end this process in order, so that what was started is stopped.

    uvicorn raises the signal once more when it has finished; by default that would be the end at once.
    """

    def leave(_sig: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)


def ignore_interrupts() -> None:
    """While the database stops, a second signal must not cut it off."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
