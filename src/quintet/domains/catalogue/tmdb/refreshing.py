"""Refreshing what TMDB has told: what somebody looked at soon, everything else within half a year.

Invariant: a film is claimed before TMDB is asked, so nodes share the work; one whose question fails is tried
again after an hour.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from quintet.domains.catalogue.tmdb import queries
from quintet.domains.catalogue.tmdb.asking import Tmdb
from quintet.domains.catalogue.tmdb.model import TmdbTrouble
from quintet.kernel.http.call import Kernel

STALE: Final = timedelta(days=30)
_CLAIMED: Final = timedelta(hours=1)
_MOST_AT_ONCE: Final = 20
_BETWEEN_SECONDS: Final = 0.5  # two a second: a million films in six days, hardly a slot of anybody's
_NOTHING_DUE_SECONDS: Final = 60
_ANSWERS_KEPT: Final = timedelta(days=30)
_MOST_FORGOTTEN: Final = 10_000


async def keep_refreshing_seen(kernel: Kernel) -> None:
    """Refresh what was looked at and is old; what fails waits until it is looked at again."""
    tmdb = tmdb_of(kernel)
    while True:
        film = await tmdb.next_behind()
        with suppress(TmdbTrouble):
            await tmdb.complete(film.work_id, film.tmdb_id)


async def keep_refreshing_old(kernel: Kernel) -> None:
    """Refresh what nobody looks at, slowly."""
    while True:
        if not await refresh_due(kernel, between_seconds=_BETWEEN_SECONDS):
            await asyncio.sleep(_NOTHING_DUE_SECONDS)


async def refresh_due(kernel: Kernel, *, between_seconds: float = 0) -> int:
    """Refresh some of what is due, and forget old answers to searches; how many films."""
    tmdb = tmdb_of(kernel)
    async with kernel.database.statement() as tx:
        await queries.forget_answers(tx, tx.now - _ANSWERS_KEPT, _MOST_FORGOTTEN)
        due = (
            await queries.claim_due(tx, tx.now, tx.now + _CLAIMED, _MOST_AT_ONCE)
            if tmdb.is_configured
            else []
        )
    for film in due:
        with suppress(TmdbTrouble):
            await tmdb.complete(film.work_id, film.tmdb_id)
        await asyncio.sleep(between_seconds)
    return len(due)


async def hang_up_at_the_end(kernel: Kernel) -> None:
    """Wait until the server stops, then end the connections to TMDB."""
    try:
        await asyncio.Event().wait()
    finally:
        await tmdb_of(kernel).close()


def tmdb_of(kernel: Kernel) -> Tmdb:
    """TMDB as this process knows it."""
    return kernel.of_parts[Tmdb]
