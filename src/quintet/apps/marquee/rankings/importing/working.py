"""Working imports off, beside the requests.

Invariant: what is to be done stands in the imports' rows, never here; so any node may work off any part, and
a node that dies leaves it to the others. Whoever has waited longest comes next: a long list holds nobody up.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from quintet.apps.marquee.rankings.importing import actions, queries
from quintet.apps.marquee.rankings.importing.model import OpenImport
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import Unavailable
from quintet.kernel.telemetry import get_logger

KEPT: Final = timedelta(days=7)
_LOOK_EVERY_SECONDS: Final = 2  # another node may have taken a list in and died
_MOST_FORGOTTEN: Final = 100


class Bell:
    """Rung when a list has come in to this process."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Somebody has a list."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


async def hang_bell(kernel: Kernel) -> None:
    """Make this process's bell."""
    kernel.of_parts[Bell] = Bell()


def bell_of(kernel: Kernel) -> Bell:
    """This process's bell."""
    return kernel.of_parts[Bell]


async def keep_importing(kernel: Kernel) -> None:
    """Work off imports part by part; while there are none, forget old ones."""
    while True:
        if not await work_off_next(kernel):
            await _forget_old(kernel)
            await bell_of(kernel).wait(_LOOK_EVERY_SECONDS)


async def work_off_next(kernel: Kernel) -> bool:
    """Work off a part of the import that has waited longest; whether there was one."""
    taken: list[OpenImport] = []

    async def act(tx: Tx) -> None:
        taken.clear()
        one = await queries.import_to_work_off(tx)
        if one is not None:
            taken.append(one)
            await actions.work_off_part(tx, one)

    try:
        await kernel.database.transact(act)
    except Unavailable:
        raise
    except Exception:  # whatever a list brings about is that list's affair: the others go on
        if not taken:
            raise
        log: Any = get_logger()
        log.exception("import_failed", import_id=str(taken[0].id))
        await _note_failure(kernel, taken[0])
    return bool(taken)


async def _note_failure(kernel: Kernel, one: OpenImport) -> None:
    """Let the import wait its turn again; one that fails on and on is ended."""

    async def act(tx: Tx) -> None:
        if await queries.note_failure(tx, one.id) >= actions.MOST_FAILURES:
            await actions.end_import(tx, one, "something broke on our side; what was ranked stays")

    await kernel.database.transact(act)


async def _forget_old(kernel: Kernel) -> None:
    async with kernel.database.statement() as tx:
        await queries.forget_imports(tx, tx.now - KEPT, _MOST_FORGOTTEN)
