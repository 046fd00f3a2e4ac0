"""The outermost ASGI application: request ids, addresses, CORS, HEAD, path hygiene, figures and log lines.

Invariant: every answer leaves through here, so every answer (errors too) carries X-Request-Id, the rate
limit fields and the CORS headers.
"""

import re
import secrets
import time
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from quintet.kernel.http.addresses import Addresses
from quintet.kernel.http.call import CallState, ClientGone
from quintet.kernel.http.problems import render
from quintet.kernel.limits import headers_of
from quintet.kernel.live.work import drain
from quintet.kernel.refusals import Internal, NotFound, NotUtf8, Refusal, invalid
from quintet.kernel.telemetry import Metrics, get_logger
from quintet.settings import Settings

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{8,128}")
_LOCAL_ORIGIN = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
_EXPOSED: Final = (
    b"ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, "
    b"X-RateLimit-Reset, X-Request-Id, Idempotent-Replayed, Room-Seq, Deprecation, Sunset"
)
_ALLOWED_HEADERS: Final = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID"
)
_ALLOWED_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


class Edge:
    """Wraps the routed application."""

    def __init__(self, app: Any, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self._addresses = Addresses(settings.trusted_proxies)
        self._origins = {settings.issuer, *settings.allowed_origins}
        self._local_origins = settings.env == "development"
        self._metrics = metrics
        self._log = get_logger()

    def stop_being_ready(self) -> None:
        """Fail readiness from now on, so that balancers send no more."""
        kernel = getattr(self.app.state, "kernel", None)
        if kernel is not None:
            kernel.draining = True

    async def drain(self) -> None:
        """Let the live connections go."""
        kernel = getattr(self.app.state, "kernel", None)
        if kernel is not None:
            await drain(kernel)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; everything but HTTP goes straight through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        method: str = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: the server must go on seeing HEAD, which has no body
            send = _head_of(send)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given_id = headers.get(b"x-request-id", b"")
        request_id = given_id if _REQUEST_ID.fullmatch(given_id) else secrets.token_hex(12).encode()
        state = scope["quintet"] = CallState(
            request_id.decode(), self._addresses.of(scope), allowances=[], is_head=method == "HEAD"
        )
        cors = self._cors(headers.get(b"origin"))
        status = 0

        async def send_out(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    *cors,
                    *((name.lower().encode(), text.encode()) for name, text in told(state, status)),
                ]
            await send(message)

        self._metrics.in_flight.inc()
        try:
            if method == "OPTIONS" and b"access-control-request-method" in headers:
                await self._answer_preflight(send_out, cors)
            else:
                await self._answer(scope, state, receive, send_out)
        except ClientGone:
            status = status or 499
        except Exception as error:  # noqa: BLE001 (the last net: Litestar answers what its routes raise)
            self._log.error("bug", request_id=state.request_id, exc_info=error)
            if not status:
                await render(Internal(), state.request_id)(scope, receive, send_out)
        finally:
            self._metrics.in_flight.dec()
            self._account(scope, state, method, status, time.perf_counter() - started)

    async def _answer(self, scope: Any, state: CallState, receive: Any, send: Any) -> None:
        """Refuse what no route would take; else let the routes answer."""
        if refusal := _hygiene(scope):
            await render(refusal, state.request_id)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _account(self, scope: Any, state: CallState, method: str, status: int, seconds: float) -> None:
        route = scope.get("path_template", "") or ("/" if scope["path"] == "/" else "-")
        self._metrics.observe(method, route, status, seconds)
        self._log.info(
            "request",
            request_id=state.request_id,
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 2),
            user_id=None if state.actor is None else str(state.actor.id),
        )

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of that origin may call."""
        return origin in self._origins or bool(self._local_origins and _LOCAL_ORIGIN.fullmatch(origin))

    def address_of(self, peer: tuple[str, int] | None, forwarded: list[str]) -> str:
        """The address of a client that connects, whom trusted proxies may name."""
        headers = [(b"x-forwarded-for", one.encode("latin-1", "replace")) for one in forwarded]
        return self._addresses.of({"client": peer, "headers": headers})

    def _cors(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """The CORS headers for an allowed origin; for any other, none."""
        vary = (b"vary", b"Origin")  # always: a cache must not give one origin's answer to another
        if origin is None:
            return [vary]
        if self.allows_origin(origin.decode("latin-1")):
            return [
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", _EXPOSED),
                vary,
            ]
        return [vary]

    @staticmethod
    async def _answer_preflight(send: Any, cors: list[tuple[bytes, bytes]]) -> None:
        headers: list[tuple[bytes, bytes]] = []
        if len(cors) > 1:
            headers = [
                (b"access-control-allow-methods", _ALLOWED_METHODS),
                (b"access-control-allow-headers", _ALLOWED_HEADERS),
                (b"access-control-max-age", b"600"),
            ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _head_of(send: Any) -> Any:
    """What sends an answer without its body; of a stream, the head is all there will be."""

    async def send_head(message: Any) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({"type": "http.response.body", "body": b""})
        if message.get("more_body", False):
            raise ClientGone

    return send_head


def told(state: CallState, status: int) -> list[tuple[str, str]]:
    """The rate limit fields of an answer; a refusal by a limit carries its own already."""
    return list(headers_of(state.allowances).items()) if status != 429 else []


def _hygiene(scope: Any) -> Refusal | None:
    """What no route would ever take: trailing or doubled slashes, bytes that are no text, NUL."""
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or path.encode()
    query: bytes = scope["query_string"]
    if b"%2F" in raw or b"%2f" in raw:  # decoded, it would pass for a slash
        return NotFound()
    if b"%" in raw or b"%" in query or not raw.isascii() or not query.isascii():
        for name, part in (("path", raw), ("query", query)):
            try:
                if "\0" in unquote_to_bytes(part).decode():
                    return invalid("invalid_text", "text with NUL", parameter=name)
            except UnicodeDecodeError:
                return NotUtf8()
    if path != "/" and (path.endswith("/") or "//" in path):
        return NotFound()
    return None
