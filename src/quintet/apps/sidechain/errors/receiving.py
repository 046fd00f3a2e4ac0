"""From the bytes of a batch to its reports: unpacked, decoded, masked, folded.

Invariant: a large batch is worked on beside the loop, piece by piece, so that nobody else waits for it.
"""

import asyncio
from typing import Final

from quintet.apps.sidechain.errors.merging import Report, reports_of
from quintet.apps.sidechain.errors.model import NewErrors
from quintet.apps.sidechain.errors.unpacking import unpacked
from quintet.kernel import json
from quintet.kernel.clock import Instant
from quintet.kernel.http import Call

# Up to here the work takes less than going to another thread and back would disturb. What is packed may hold
# anything: a mebibyte of the worst text there is takes a tenth of a second.
_SMALL_BYTES: Final = 8192


async def received(request: Call) -> tuple[int, list[Report]]:
    """How many entries the batch has, and what it says of each group.

    Raises what its kind, its encoding or any of its entries is refused for.
    """
    request.check_json()
    body = await request.body()
    encoding = request.headers.get("content-encoding", "")
    given = (body, encoding, request.rules.most_bytes, request.kernel.clock.now())
    if not encoding and len(body) <= _SMALL_BYTES:
        return _read(*given)
    return await asyncio.to_thread(_read, *given)


def _read(body: bytes, encoding: str, most_bytes: int, now: Instant) -> tuple[int, list[Report]]:
    batch = json.decode(unpacked(body, encoding, most_bytes), NewErrors)
    return len(batch.errors), reports_of(batch.errors, now)
