"""A transport that sends once per turn of the loop what was written in it.

uvicorn writes an answer's head and body apart, and uvloop sends each at once: two system calls, two packets.
Joined they are one of each, a quarter of what a small answer costs.
"""

import asyncio
from typing import Any


class JoiningTransport:
    """Wraps a transport; what it does not do itself the other does."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = self.plain = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send with whatever else is written before the loop's next turn."""
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what waits, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            if not self._transport.is_closing():
                self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
