"""The least ASGI application: one constant, on the very server and protocol class that Quintet uses."""

import sys
from typing import Any

from quintet.kernel.http.server import listen, make_server

_BODY = b'{"status":"alive"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


async def _live(receive: Any, send: Any) -> None:
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{event}.complete"})


async def _drain() -> None:
    """There are no sockets to let go."""


if __name__ == "__main__":
    listener = listen("127.0.0.1", int(sys.argv[1]))
    make_server(app, listener, on_stop=lambda: None, drain=_drain).run()
