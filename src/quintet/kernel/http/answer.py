"""Answers: JSON, entity tags, conditional requests, compression, cache headers.

Invariant: an answer with `no-store` holds a secret; it is never compressed (lengths would tell of it).
"""

import hashlib
import re
import zlib
from typing import Any, Final, Generic, TypeVar

from litestar import Response

from quintet.kernel import json

T = TypeVar("T")
COMPRESS_FROM_BYTES: Final = 1024
PROBLEM_JSON: Final = b"application/problem+json"
_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:$|,|;(?!\s*q\s*=\s*0(?:\.0*)?\s*(?:$|,)))", re.IGNORECASE)


class Answer(Response[T], Generic[T]):
    """What a route answers: a body (or none), its status and the headers that go with it.

    A `status` left out is the route's declared one. An `etag` left out of a 200 answer to GET is made from
    the body.
    """

    def __init__(
        self,
        content: T,
        *,
        status: int | None = None,
        etag: str | None = None,
        location: str | None = None,
        headers: dict[str, str] | None = None,
        secret: bool = False,
        max_age_seconds: int = 0,
        content_type: str = "application/json",
    ) -> None:
        super().__init__(content, status_code=status)
        self.body = (
            b"" if content is None else content if isinstance(content, bytes) else json.encode(content)
        )
        self.etag = etag
        self.location = location
        self.more_headers = headers or {}
        self.secret = secret
        self.max_age_seconds = max_age_seconds
        self.content_type = content_type.encode()

    def to_asgi_response(self, *, request: Any, status_code: int | None = None, **_: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The answer to this very request, as an ASGI application."""
        status = self.status_code or status_code or 200
        signed_in = request.viewer is not None
        secret = self.secret or request.rules.secret
        headers = [(b"content-type", self.content_type)] if self.body else []
        headers += [(name.lower().encode(), text.encode()) for name, text in self.more_headers.items()]
        if self.location is not None:
            headers.append((b"location", self.location.encode()))
        headers.append((b"cache-control", self._cache_control(status, signed_in=signed_in, secret=secret)))
        body = self.body
        packed = self.content_type == b"image/png"  # already: trying again costs time and saves nothing
        compressible = len(body) >= COMPRESS_FROM_BYTES and not secret and not packed
        vary = b"Authorization, Accept-Encoding" if compressible else b"Authorization"
        if not secret and status == 200 and request.method == "GET":
            etag = self.etag or hashlib.blake2b(body, digest_size=12).hexdigest()
            if request.viewer is not None and self.etag is None:
                etag += "-own"
            headers.append((b"etag", f'"{etag}"'.encode()))
            if (asked := request.headers.get("if-none-match")) and names_tag(asked, etag):
                headers = [entry for entry in headers if entry[0] != b"content-type"]
                return Rendered(304, [*headers, (b"vary", vary)], b"")
        elif self.etag is not None:
            headers.append((b"etag", f'"{self.etag}"'.encode()))
        if compressible and takes_gzip(request.headers.get("accept-encoding", "")):
            body = gzip(body)
            headers.append((b"content-encoding", b"gzip"))
            # The bytes differ from the plain ones, so the tag is only weakly the same.
            headers = [(n, b"W/" + v if n == b"etag" else v) for n, v in headers]
        return Rendered(status, [*headers, (b"vary", vary)], body)

    def _cache_control(self, status: int, *, signed_in: bool, secret: bool) -> bytes:
        if secret:
            return b"no-store"
        if signed_in or status != 200 or not self.max_age_seconds:
            return b"private, no-cache" if signed_in else b"no-cache"
        return b"public, max-age=%d" % self.max_age_seconds


class Rendered:
    """A finished answer: status, headers and body, as ASGI messages."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self._status = status
        self._headers = headers
        self._body = body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 (named so by callers)
        """Send it."""
        if self._status not in {204, 304}:
            self._headers.append((b"content-length", str(len(self._body)).encode()))
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def names_tag(header: str, etag: str) -> bool:
    """Whether an If-None-Match or If-Match header names the tag, compared weakly (RFC 9110, 8.8.3.2)."""
    if header.strip() == "*":
        return True
    return any(one.strip().removeprefix("W/") == f'"{etag}"' for one in header.split(","))


def takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header takes gzip: named, and not at a weight of zero (RFC 9110, 12.5.3)."""
    return _GZIP.search(header) is not None


def gzip(body: bytes) -> bytes:
    """The body in gzip's format, at the speed a server can afford."""
    packer = zlib.compressobj(level=5, wbits=31)
    return packer.compress(body) + packer.flush()
