"""Refusals: everything a caller can be told no for, drawn as a tree.

Invariant: a refusal's docstring is its title, its snake-cased name its stable `code`, its parent gives the
status. Whatever else is raised is a bug: 500, logged. Rendered once for HTTP and once for sockets.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of `errors[]`: what is wrong with which part of the request."""

    code: str
    message: str
    pointer: str | None = None
    parameter: str | None = None


class Refusal(Exception):
    """The request is refused."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = ""
    code: ClassVar[str] = ""

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.members = members or {}  # further members of the problem document, such as the thing in the way

    def __init_subclass__(cls) -> None:
        cls.title = (cls.__doc__ or "").strip().splitlines()[0].rstrip(".")
        if "code" not in cls.__dict__:  # a narrower refusal may keep its parent's code
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class BadRequest(Refusal):
    """The request cannot be read."""

    status = 400


class Unauthorized(Refusal):
    """Sign in first."""

    status = 401

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": f'Bearer error="{self.code}"'})


class Forbidden(Refusal):
    """You may see this, but not do that."""

    status = 403


class NotFound(Refusal):
    """There is no such thing here."""

    status = 404


class Conflict(Refusal):
    """The request contradicts the present state."""

    status = 409


class Gone(Refusal):
    """That was used or has run out."""

    status = 410


class Unprocessable(Refusal):
    """The request is well-formed but invalid."""

    status = 422


class MalformedJson(BadRequest):
    """The body is not valid JSON."""


class MalformedMultipart(BadRequest):
    """The body is not a well-formed multipart form."""


class NotUtf8(BadRequest):
    """The request is not valid UTF-8."""


class TooDeep(BadRequest):
    """The JSON is nested too deeply."""


class InvalidCursor(BadRequest):
    """The cursor is altered, too old, or of another list."""


class NotSignedIn(Unauthorized):
    """Sign in first: the access token is missing, expired or ended."""


class MethodNotAllowed(Refusal):
    """This address does not take that method."""

    status = 405


class RequestTimeout(Refusal):
    """The request did not arrive in time."""

    status = 408


class StaleVersion(Refusal):
    """Somebody changed this meanwhile: read it again."""

    status = 412


class PreconditionRequired(Refusal):
    """This change needs an If-Match header."""

    status = 428


class TooLarge(Refusal):
    """The request is too large."""

    status = 413


class UnsupportedMediaType(Refusal):
    """This address does not take that kind of content."""

    status = 415


class RangeNotSatisfiable(Refusal):
    """The range asked for lies behind the end of the file."""

    status = 416


class InvalidRequest(Unprocessable):
    """The request is well-formed but invalid."""


class InvalidIdempotencyKey(Unprocessable):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""


class IdempotencyKeyReused(Unprocessable):
    """This Idempotency-Key was used for another request."""


class IdempotencyInFlight(Conflict):
    """The first request with this Idempotency-Key is still running."""

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class RateLimited(Refusal):
    """Too many requests: wait a little."""

    status = 429

    def __init__(self, retry_after_seconds: int, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "Retry-After": str(retry_after_seconds)})


class TooManyConnections(Refusal):
    """Too many connections are open already: close one, or try later."""

    status = 429


class UpgradeRequired(Refusal):
    """This address takes WebSocket connections only."""

    status = 426

    def __init__(self) -> None:
        super().__init__(headers={"Upgrade": "websocket", "Connection": "Upgrade"})


class Internal(Refusal):
    """Something broke on our side; it is logged under the request id."""

    status = 500


class Unavailable(Refusal):
    """Something this needs is away for the moment; nothing was changed that you were not told of."""

    status = 503

    def __init__(self, detail: str | None = None, retry_after_seconds: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


def invalid(
    code: str, message: str, *, pointer: str | None = None, parameter: str | None = None
) -> InvalidRequest:
    """An `invalid_request` with its one entry."""
    return InvalidRequest(message, errors=[Fault(code, message, pointer=pointer, parameter=parameter)])
