"""Signed addresses: whoever was told one may read the file, without signing in, until it runs out.

Invariant: nothing of an address can be changed, its spelling included, without its being nobody's.
"""

import base64
import hmac
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from quintet.kernel.clock import Instant
from quintet.kernel.secrets import Secrets

# An address stays the same for an hour, so that browsers find in their caches what they have, and is good for
# six more at least: longer than anybody leaves a page open with a song paused in it.
STEP: Final = timedelta(hours=1)
LEAST: Final = timedelta(hours=6)


def expiry_from(now: Instant) -> int:
    """When an address told now runs out, in Unix seconds: six to seven hours ahead, on the full hour."""
    step = int(STEP.total_seconds())
    return -(-int(now.timestamp()) // step) * step + int(LEAST.total_seconds())


def signed_address(secrets: Secrets, base: str, file_id: UUID, expires: int) -> str:
    """The address of a file, good until `expires`."""
    signature = _signature(secrets, str(file_id), str(expires))
    return f"{base}/files/{file_id}?{urlencode({'expires': expires, 'signature': signature})}"


def signed_for(secrets: Secrets, file_id: str, expires: str, signature: str) -> bool:
    """Whether we signed this address, compared in constant time; it may have run out since."""
    due = _signature(secrets, file_id, expires)
    return hmac.compare_digest(due.encode(), signature.encode())


def _signature(secrets: Secrets, file_id: str, expires: str) -> str:
    # Over the words as they stand in the address, so that no two spellings of one thing are both good.
    mac = secrets.mac("file", "read", file_id, expires)
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
