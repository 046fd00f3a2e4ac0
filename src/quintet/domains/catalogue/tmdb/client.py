"""Asking TMDB over HTTP: one question, its answer or the way it failed.

Invariant: an answer is bounded in size, and the token reaches TMDB alone: it is in no error and no log, and
no redirect is followed.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpx2
import msgspec

from quintet.domains.catalogue.tmdb.model import Busy, Failed, Gone, Refused
from quintet.kernel.asking import new_client
from quintet.kernel.clock import Clock
from quintet.kernel.json import check_depth
from quintet.kernel.refusals import Refusal
from quintet.settings import Settings

T = TypeVar("T")
SECONDS: Final = 2.0
MOST_BYTES: Final = 2 * 1024 * 1024
LEAST_REST: Final = timedelta(seconds=1)
MOST_REST: Final = timedelta(days=1)
USUAL_REST: Final = timedelta(seconds=10)  # after a 429 that does not say how long
_CONNECTIONS: Final = 20
_V3_KEY: Final = re.compile(r"[0-9a-f]{32}")


class TmdbClient:
    """Connections to TMDB, kept for the life of the process."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        # A v4 token goes into a header; a v3 key (32 hex digits) can only go into the address.
        token = settings.tmdb_token
        is_v3 = _V3_KEY.fullmatch(token) is not None
        self._url = settings.tmdb_url.rstrip("/")
        self._key = {"api_key": token} if is_v3 else {}
        self._clock = clock
        # A compressed answer could unfold to any size: none is asked for, and none would be unfolded.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        self._http = new_client(
            headers=headers if is_v3 else headers | {"Authorization": f"Bearer {token}"},
            timeout=SECONDS,
            limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
        )

    async def get(self, path: str, wanted: type[T], **parameters: str) -> T:
        """What TMDB answers at `path`; raises Failed, Refused, Gone or Busy."""
        try:
            async with self._http.stream(
                "GET", self._url + path, params={**parameters, **self._key}
            ) as answer:
                _check_status(answer, self._clock)
                body = bytearray()
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise Failed("too large")
            check_depth(bytes(body))
            return msgspec.json.decode(body, type=wanted)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, Refusal) as error:
            # Only the kind of error is told on: its text may hold the address, and that the key.
            raise Failed(type(error).__name__) from None

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()


def _check_status(answer: httpx2.Response, clock: Clock) -> None:
    status = answer.status_code
    if status == 429:
        raise Busy(rest_of(answer.headers.get("retry-after", ""), clock.now()))
    if status in {401, 403}:
        raise Refused
    if status == 404:
        raise Gone
    if status != 200:
        raise Failed(str(status))


def rest_of(retry_after: str, now: datetime) -> timedelta:
    """How long a Retry-After header asks to wait (RFC 9110, 10.2.3): seconds or a date; a second to a day."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        rest = timedelta(seconds=int(text[:9]))
    else:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return USUAL_REST
        rest = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(rest, LEAST_REST), MOST_REST)
