"""The handshake of a socket: which requests may become one, and what they bring to sign in by.

Invariant: a page of a foreign origin gets no socket; and no token gets into a log, an error or a figure.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from websockets.http11 import Request
from websockets.server import ServerProtocol

from quintet.kernel.actor import Actor
from quintet.kernel.http.call import Kernel
from quintet.kernel.live.tickets import redeem_for_socket

PATH: Final = "/ws"
_BEARER: Final = "bearer "


class Admitted(msgspec.Struct, frozen=True):
    """A request that becomes a socket; `find_actor` is None where it brought nothing to sign in by."""

    kernel: Kernel
    address: str
    find_actor: Callable[[], Awaitable[Actor]] | None


def shake_hands(
    edge: Any, protocol: ServerProtocol, request: Request, peer: tuple[str, int] | None
) -> Admitted | None:
    """Have the protocol accept the request or refuse it; None where it is refused."""
    kernel: Kernel | None = getattr(edge.app.state, "kernel", None)
    path, _, query = request.path.partition("?")
    admitted = None
    if path != PATH:
        response = protocol.reject(404, "there is no socket here\n")
    elif not all(map(edge.allows_origin, request.headers.get_all("Origin"))):
        response = protocol.reject(403, "this origin may not connect\n")
    elif kernel is None or kernel.draining:
        response = protocol.reject(503, "the server is stopping\n")
    else:
        response = protocol.accept(request)
        if response.status_code == 101:
            address = edge.address_of(peer, request.headers.get_all("X-Forwarded-For"))
            admitted = Admitted(kernel, address, _way_to_sign_in(kernel, request, query))
    protocol.send_response(response)
    return admitted


def _way_to_sign_in(kernel: Kernel, request: Request, query: str) -> Callable[[], Awaitable[Actor]] | None:
    asked = parse_qs(query)
    header = next(iter(request.headers.get_all("Authorization")), "")
    token = asked.get("token", [""])[0]
    if not token and header[: len(_BEARER)].lower() == _BEARER:
        token = header[len(_BEARER) :].strip()
    if token:
        return lambda: kernel.authenticate(token)
    ticket = asked.get("ticket", [""])[0]
    if ticket:
        return lambda: redeem_for_socket(kernel, ticket)
    return None
