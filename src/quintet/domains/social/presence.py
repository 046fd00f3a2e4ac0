"""Telling followers who is here: `presence`, and with it `user_online`, `user_in_studio`, `user_offline`.

Invariant: a change is told once, by whichever node notes it first (`social.statuses_told`), whatever
number of connections and nodes somebody has. Who reconnects within a few seconds was never gone.
"""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Final
from uuid import UUID

from quintet.domains.social import transient_queries as queries
from quintet.kernel.http.call import Kernel
from quintet.kernel.live import transient
from quintet.kernel.live.names import followers_of

PAUSE_SECONDS: Final = 0.1  # in which changes gather
GONE_SECONDS: Final = 3.0  # how long somebody is away before their followers are told
SWEEP_SECONDS: Final = 5.0  # finds those whose node died, and what got lost


async def keep_telling_presence(kernel: Kernel) -> None:
    """Tell followers of whoever comes, goes or enters the studio; for as long as the server runs."""
    changed: set[UUID] = set()
    leaving: dict[UUID, float] = {}  # who may have gone, and when to look whether they have
    wake = asyncio.Event()

    def note(user_ids: Collection[UUID]) -> None:
        changed.update(user_ids)
        wake.set()

    kernel.presence.on_change.append(note)
    swept_at = kernel.clock.monotonic()
    try:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min([SWEEP_SECONDS, *_waits(kernel, leaving.values())])):
                    await wake.wait()
            wake.clear()
            now = kernel.clock.monotonic()
            if now - swept_at >= SWEEP_SECONDS:
                swept_at = now
                async with kernel.database.statement() as tx:
                    changed.update(await queries.who_is_otherwise(tx))
            looked, gone = set(changed), {user_id for user_id, due in leaving.items() if due <= now}
            changed.clear()
            await _tell_here(kernel, looked)
            await _tell_gone(kernel, gone)
            for user_id in gone:
                del leaving[user_id]
            for user_id in looked:
                leaving[user_id] = now + GONE_SECONDS
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        kernel.presence.on_change.remove(note)


def _waits(kernel: Kernel, dues: Iterable[float]) -> list[float]:
    now = kernel.clock.monotonic()
    return [max(0.0, due - now) for due in dues]


async def _tell_here(kernel: Kernel, user_ids: Collection[UUID]) -> None:
    if user_ids:
        async with kernel.database.statement() as tx:
            here = await queries.note_here(tx, user_ids)
            followed = await queries.followed_among(tx, [user_id for user_id, _ in here]) if here else set()
        for user_id, status in here:
            if user_id in followed:
                _tell(kernel, user_id, status)


async def _tell_gone(kernel: Kernel, user_ids: Collection[UUID]) -> None:
    if user_ids:
        async with kernel.database.statement() as tx:
            gone = await queries.note_gone(tx, user_ids)
            followed = await queries.followed_among(tx, gone) if gone else set()
        for user_id in followed:
            _tell(kernel, user_id, "offline")


def _tell(kernel: Kernel, user_id: UUID, status: str) -> None:
    name, now = followers_of(user_id), kernel.clock.now()
    transient.tell(kernel, name, "presence", user_id, user_id=user_id, status=status, at=now)
    transient.tell(kernel, name, f"user_{status}", user_id, user_id=user_id, at=now)
