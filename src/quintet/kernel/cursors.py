"""Cursors: where a caller stopped in a list, opaque and signed.

Invariant: a cursor is good only for the list (path and filters) it came from, and for a day.
"""

import base64
import binascii
import hmac
from typing import Any

import msgspec

from quintet.kernel.clock import Instant
from quintet.kernel.refusals import InvalidCursor
from quintet.kernel.secrets import Secrets

LIFETIME_SECONDS = 24 * 3600
_MAC_BYTES = 16


def write_cursor(secrets: Secrets, listing: str, place: list[Any], now: Instant) -> str:
    """A cursor standing behind the row whose sort key is `place`, for the list named `listing`."""
    body = msgspec.msgpack.encode([int(now.timestamp()), place])
    mac = secrets.mac("cursor", listing, body)[:_MAC_BYTES]
    return _text(mac + body)


def read_cursor(secrets: Secrets, listing: str, cursor: str, now: Instant) -> list[Any]:
    """The sort key a cursor stands behind; raises InvalidCursor."""
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor from error
    if _text(data) != cursor:  # the decoder skips what is not of its alphabet
        raise InvalidCursor
    mac, body = data[:_MAC_BYTES], data[_MAC_BYTES:]
    if not hmac.compare_digest(mac, secrets.mac("cursor", listing, body)[:_MAC_BYTES]):
        raise InvalidCursor
    written_at, place = msgspec.msgpack.decode(body)
    if written_at + LIFETIME_SECONDS < now.timestamp():
        raise InvalidCursor
    return place


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
