"""Rate limits: GCRA in the database, shared by all nodes, with small leases so that it stays fast.

Invariant: all nodes together never let more through than the limit. A node takes cells out of the shared
limit before it spends them; it takes one at a time from a quiet caller and up to a tenth of the limit at
once from a busy one, holds them for at most a second, and gives back what was not used.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from quintet.kernel.database import Database
from quintet.kernel.refusals import RateLimited
from quintet.settings import Limit

LEASE_SECONDS = 1.0
MOST_LEASES = 50_000


class Lease(msgspec.Struct):
    """Cells this node holds for one caller; all times are of the local monotonic clock."""

    cells: int
    size: int
    until: float
    full_at: float  # when the caller's whole burst is free again
    refused_until: float = 0.0


class Allowance(msgspec.Struct, frozen=True):
    """What one policy says of one request."""

    policy: str
    limit: Limit
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0


class Limits:
    """The limits of this server, as seen from this node."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases: OrderedDict[tuple[str, str], Lease] = OrderedDict()
        self._renewals: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}  # of few keys: ours, not callers'

    async def take(self, policy: str, key: str, limit: Limit) -> Allowance:
        """Spend one cell of `key`; an Allowance whose `retry_after_seconds` is 0 when it was granted."""
        while True:
            now = time.monotonic()
            lease = self._leases.get((policy, key))
            if lease is not None and lease.cells > 0 and now < lease.until:
                lease.cells -= 1
                return self._told(policy, limit, lease, now)
            if lease is not None and now < lease.refused_until:
                return self._told(policy, limit, lease, now)
            # However many requests of one caller wait, one of them asks the database for all.
            renewal = self._renewals.get((policy, key))
            if renewal is None:
                renewal = asyncio.create_task(self._renew(policy, key, limit, lease, now))
                renewal.add_done_callback(_take_note)
                self._renewals[policy, key] = renewal
            await asyncio.shield(renewal)

    async def wait_for_turn(self, policy: str, key: str, limit: Limit) -> None:
        """Wait until the limit shared by all nodes has a cell to spend, first come, first served.

        For what we do to others: nobody is refused, and how long one waits the caller decides.
        """
        turn = self._turns.setdefault((policy, key), asyncio.Lock())
        async with turn:
            granted = 0
            while not granted:
                granted, used_seconds = await self._ask(policy, key, 1, 0, limit)
                if not granted:
                    free_in = used_seconds - (limit.burst - 1) * limit.seconds / limit.count
                    await asyncio.sleep(max(free_in, 0.001))

    async def give_back(self, policy: str, key: str, limit: Limit) -> None:
        """Return one cell that turned out not to count."""
        lease = self._leases.get((policy, key))
        if lease is not None:
            lease.cells += 1
        else:
            await self._ask(policy, key, 0, 1, limit)

    async def _renew(self, policy: str, key: str, limit: Limit, old: Lease | None, now: float) -> None:
        size, unused = 1, 0
        if old is not None:
            unused = old.cells
            # A caller who used the lease up within its second gets a larger one; else as much as was used.
            wanted = old.size * 2 if old.cells == 0 and now < old.until else old.size - old.cells
            size = max(1, min(wanted, limit.count // 10))
            old.cells = 0  # given back below; nobody may spend them while the database answers
        try:
            granted, used_seconds = await self._ask(policy, key, size, unused, limit)
        finally:  # here, not in a callback: whoever finds a renewal in the table must be able to wait for it
            del self._renewals[policy, key]
        if old is not None:
            granted += old.cells  # given back by a request while the database answered
        lease = Lease(granted, size, time.monotonic() + LEASE_SECONDS, now + used_seconds)
        if granted == 0:
            lease.refused_until = lease.full_at - (limit.burst - 1) * limit.seconds / limit.count
        self._leases[policy, key] = lease
        self._leases.move_to_end((policy, key))
        if len(self._leases) > MOST_LEASES:
            self._leases.popitem(last=False)

    async def _ask(
        self, policy: str, key: str, wanted: int, returned: int, limit: Limit
    ) -> tuple[int, float]:
        async with self._database.statement() as tx:
            return await tx.one(
                lambda granted, used: (granted, used),
                "select granted, used_seconds from kernel.take_allowance($1, $2, $3, $4, $5, $6)",
                policy,
                key,
                wanted,
                returned,
                limit.seconds / limit.count,
                limit.burst,
            )

    @staticmethod
    def _told(policy: str, limit: Limit, lease: Lease, now: float) -> Allowance:
        interval = limit.seconds / limit.count
        used = max(0.0, lease.full_at - now - lease.cells * interval)
        remaining = max(0, math.floor(limit.burst - used / interval + 1e-6))
        retry = 0
        if now < lease.refused_until:
            remaining, retry = 0, max(1, math.ceil(lease.refused_until - now))
        return Allowance(policy, limit, remaining, math.ceil(used), retry)


def _take_note(renewal: asyncio.Task[None]) -> None:
    if not renewal.cancelled():
        renewal.exception()  # told to whoever waits; nobody may be left


def headers_of(allowances: Iterable[Allowance]) -> dict[str, str]:
    """The header fields that tell a caller of the policies which applied (IETF RateLimit fields)."""
    told = list(allowances)
    if not told:
        return {}
    tightest = min(told, key=lambda one: one.remaining / one.limit.burst)
    return {
        "RateLimit-Policy": ", ".join(f'"{a.policy}";q={a.limit.count};w={a.limit.seconds}' for a in told),
        "RateLimit": ", ".join(f'"{a.policy}";r={a.remaining};t={a.reset_seconds}' for a in told),
        "X-RateLimit-Limit": str(tightest.limit.count),
        "X-RateLimit-Remaining": str(tightest.remaining),
        "X-RateLimit-Reset": str(tightest.reset_seconds),
    }


def check_allowances(allowances: Iterable[Allowance]) -> None:
    """Raise RateLimited where a policy refused."""
    told = list(allowances)
    if wait := max((one.retry_after_seconds for one in told), default=0):
        raise RateLimited(wait, headers_of(told))
