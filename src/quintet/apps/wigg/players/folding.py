"""Folding a player's progress: one write in five seconds per player and medium, the last always written.

Invariant: of the progress that waits here only the newest counts, and any other event takes it along. It
waits in memory: a process that is killed loses at most five seconds of it, and players tell again; one that
is stopped writes it first.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

import msgspec

from quintet.apps.wigg.players import actions as player_actions
from quintet.apps.wigg.players.model import Heard, Player, PlayerId
from quintet.apps.wigg.players.payloads import PlayerEvent
from quintet.apps.wigg.players.payloads.event import media_key
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import Refusal, Unavailable

FOLD: Final = timedelta(seconds=5)
_MOST: Final = 20_000
_LOOK_EVERY_SECONDS: Final = 0.25
_STOPPING_SECONDS: Final = 10
Key = tuple[PlayerId, str | bytes]


class Waiting(msgspec.Struct, frozen=True):
    """A progress that is still to be written."""

    player: Player
    name: str
    event: PlayerEvent
    at: Instant


class Folded(msgspec.Struct):
    """When a progress was written last, whether it played then, and what waits since."""

    written_at: Instant
    plays: bool | None
    waiting: Waiting | None = None


class Folding:
    """What this process has heard of progress."""

    def __init__(self) -> None:
        self._folded: dict[Key, Folded] = {}

    def take(self, told: Waiting) -> list[Waiting]:
        """What is to be written at once, in order; nothing where the event waits, in place of what waited."""
        key = _key(told)
        known = self._folded.get(key)
        if told.event.event != "progress":
            self._folded.pop(key, None)
            # Pausing may not say where: then it was where the last progress was.
            return [told] if known is None or known.waiting is None else [known.waiting, told]
        if known is None or told.at - known.written_at >= FOLD or told.event.plays != known.plays:
            if known is not None or len(self._folded) < _MOST:
                self._folded[key] = Folded(told.at, told.event.plays)
            return [told]
        known.waiting = told
        return []

    def due(self, now: Instant, *, even_if_early: bool = False) -> list[Waiting]:
        """What has waited long enough; forgets whom it has heard nothing of."""
        due: list[Waiting] = []
        for key, known in list(self._folded.items()):
            if not even_if_early and now - known.written_at < FOLD:
                continue
            if known.waiting is None:
                del self._folded[key]
                continue
            due.append(known.waiting)
            known.written_at, known.waiting = now, None
        return due

    def put_back(self, told: Waiting) -> None:
        """What could not be written waits again, unless something newer came."""
        known = self._folded.get(_key(told))
        if known is not None and known.waiting is None:
            known.waiting = told


def _key(told: Waiting) -> Key:
    event = told.event
    if event.title_id is not None or event.medium is None:
        return told.player.id, event.title_id or ""
    return told.player.id, media_key(told.name, event.medium)


async def begin_folding(kernel: Kernel) -> None:
    """Make a place for what waits."""
    kernel.of_parts[Folding] = Folding()


def folding_of(kernel: Kernel) -> Folding:
    """What waits in this process."""
    return kernel.of_parts[Folding]


async def keep_flushing(kernel: Kernel) -> None:
    """Write what has waited five seconds, and everything when the server stops."""
    folding = folding_of(kernel)
    try:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            await _write(kernel, folding.due(kernel.clock.now()))
    except asyncio.CancelledError:
        with suppress(Unavailable):  # without its database a server stops all the same
            async with asyncio.timeout(_STOPPING_SECONDS):
                await _write(kernel, folding.due(kernel.clock.now(), even_if_early=True))
        raise


async def _write(kernel: Kernel, due: list[Waiting]) -> None:
    left = list(due)
    try:
        while left:
            await write(kernel, left[0])
            left.pop(0)
    finally:
        for told in left:
            folding_of(kernel).put_back(told)


async def write(kernel: Kernel, told: Waiting) -> None:
    """Write a progress that waited; what is refused (its title may be gone) is dropped."""

    async def act(tx: Tx) -> Heard:
        return await player_actions.hear(tx, told.player, told.name, told.event, told.at)

    try:
        await kernel.database.transact(act)
    except Unavailable:
        raise
    except Refusal:
        return
