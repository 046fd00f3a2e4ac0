"""Asking TMDB for this process: once for all who want the same, sparing it when it is in trouble.

Invariant: every question goes through `_ask`, which keeps the two seconds, the limit that all nodes share and
the breaker; and no question is asked inside a transaction. Who hangs up leaves it to those who wait on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from quintet.domains.catalogue.actions import tell_of_change
from quintet.domains.catalogue.model import WorkId
from quintet.domains.catalogue.rules import normalised
from quintet.domains.catalogue.tmdb import queries
from quintet.domains.catalogue.tmdb.client import SECONDS, TmdbClient
from quintet.domains.catalogue.tmdb.model import (
    Failed,
    FilmDetails,
    FoundPage,
    Gone,
    NotConfigured,
    Resting,
    TmdbFilm,
    TmdbTrouble,
    TooManyWait,
    film_of,
    films_of,
)
from quintet.domains.catalogue.tmdb.queries import Due, Remembered
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.telemetry import get_logger

T = TypeVar("T")
REMEMBERED: Final = timedelta(days=1)
MOST_QUESTIONS: Final = 60  # what the limit lets through in two seconds: more would wait in vain
MOST_WAIT_SECONDS: Final = 2.5  # of a caller: the question, and writing down what came of it
LEAST_SECONDS: Final = 1.0  # TMDB is slow when it had that long and did not answer
MOST_BEHIND: Final = 200


class Tmdb:
    """TMDB as this process knows it."""

    def __init__(self, kernel: Kernel) -> None:
        self._settings = kernel.settings
        self._database = kernel.database
        self._limits = kernel.limits
        self._clock = kernel.clock
        self._client = TmdbClient(kernel.settings, kernel.clock)
        self._underway: dict[object, asyncio.Task[Any]] = {}
        self._behind: dict[int, Due] = {}
        self._some_behind = asyncio.Event()

    @property
    def is_configured(self) -> bool:
        """Whether there is a token to ask with."""
        return bool(self._settings.tmdb_token)

    async def remembered(self, tx: Tx, query: str) -> Remembered | None:
        """What TMDB last answered to a query like this, however long ago."""
        return await queries.remembered(tx, normalised(query)) if self.is_configured else None

    def is_fresh(self, answer: Remembered | None) -> bool:
        """Whether nobody need ask again."""
        return answer is not None and self._clock.now() - answer.asked_at < REMEMBERED

    async def search(self, query: str) -> None:
        """Ask for films, enter them and remember the answer; raises TmdbTrouble."""
        asked = normalised(query)
        await self._once(asked, lambda: self._search(asked))

    async def complete(self, work_id: WorkId, tmdb_id: int) -> None:
        """Ask for all that is to be known of a film; raises TmdbTrouble."""
        await self._once(tmdb_id, lambda: self._complete(work_id, tmdb_id))

    def complete_behind(self, work_id: WorkId, tmdb_id: int) -> None:
        """Have that done soon, unless very many wait already."""
        if self.is_configured and tmdb_id not in self._underway and len(self._behind) < MOST_BEHIND:
            self._behind[tmdb_id] = Due(work_id, tmdb_id)
            self._some_behind.set()

    async def next_behind(self) -> Due:
        """The next film that is to be completed behind."""
        while not self._behind:
            self._some_behind.clear()
            await self._some_behind.wait()
        return self._behind.pop(next(iter(self._behind)))

    async def close(self) -> None:
        """Drop what is under way, and hang up."""
        tasks = list(self._underway.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    async def _once(self, key: object, ask: Callable[[], Awaitable[None]]) -> None:
        task = self._underway.get(key)
        if task is None:
            if not self.is_configured:
                raise NotConfigured
            if len(self._underway) >= MOST_QUESTIONS:
                raise TooManyWait
            task = asyncio.create_task(_awaited(ask))
            self._underway[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        # Shielded: of many who wait for one answer each may hang up.
        try:
            await asyncio.wait_for(asyncio.shield(task), MOST_WAIT_SECONDS)
        except TimeoutError:
            raise Failed("slow") from None

    def _finish(self, key: object, done: asyncio.Task[Any]) -> None:
        self._underway.pop(key, None)
        if not done.cancelled():
            done.exception()  # told to whoever waits; nobody may be left

    async def _search(self, asked: str) -> None:
        # Whoever looked before an answer was written down, and asks after, finds it here.
        async with self._database.statement() as tx:
            if self.is_fresh(await queries.remembered(tx, asked)):
                return
        page = await self._ask("/search/movie", FoundPage, query=asked, include_adult="false", page="1")
        films = films_of(page, self._settings.tmdb_image_url)

        async def act(tx: Tx) -> None:
            work_ids = await take_over(tx, films)
            await queries.remember(tx, asked, work_ids, tx.now)

        await self._database.transact(act)

    async def _complete(self, work_id: WorkId, tmdb_id: int) -> None:
        film: TmdbFilm | None = None
        try:
            details = await self._ask(
                f"/movie/{tmdb_id}", FilmDetails, append_to_response="credits,alternative_titles"
            )
            film = film_of(details, self._settings.tmdb_image_url)
        except Gone:
            pass
        except ValueError as error:
            raise Failed from error

        async def act(tx: Tx) -> None:
            if film is None:
                version = await queries.mark_gone(tx, work_id, tx.now)
            else:
                version = await queries.complete_film(tx, work_id, film, tx.now)
            if version is not None:
                await tell_of_change(tx, work_id, version)

        await self._database.transact(act)

    async def _ask(self, path: str, wanted: type[T], **parameters: str) -> T:
        async with self._database.statement() as tx:
            state = await queries.breaker(tx)
            if state.is_open(tx.now):
                raise Resting
        until = time.monotonic() + SECONDS
        turn_at = until
        try:
            async with asyncio.timeout(SECONDS):
                await self._limits.wait_for_turn("tmdb", "", self._settings.limit_tmdb)
                turn_at = time.monotonic()
                answer = await self._client.get(path, wanted, **parameters)
        except TimeoutError:
            if until - turn_at < LEAST_SECONDS:  # we were many: that is no fault of TMDB's
                raise TooManyWait from None
            await self._note(Failed("slow"))
            raise Failed("slow") from None
        except Gone:  # an answer like any other
            if state.failures:
                await self._note(None)
            raise
        except TmdbTrouble as trouble:
            await self._note(trouble)
            raise
        if state.failures:
            await self._note(None)
        return answer

    async def _note(self, trouble: TmdbTrouble | None) -> None:
        """Write down what an answer, or trouble, means for the breaker that all nodes share."""

        async def act(tx: Tx) -> None:
            state = await queries.breaker_locked(tx)
            after = state.after(trouble, tx.now)
            if after != state:
                await queries.set_breaker(tx, after)
            if after.rests_until != state.rests_until and after.rests_until is not None:
                seconds = (after.rests_until - tx.now).total_seconds()
                get_logger().warning("tmdb_rests", reason=type(trouble).__name__, seconds=seconds)

        await self._database.transact(act)


async def _awaited(ask: Callable[[], Awaitable[None]]) -> None:
    await ask()


async def take_over(tx: Tx, films: list[TmdbFilm]) -> list[WorkId]:
    """Enter what a search has told, as far as it is new here; the works, in their order.

    Films are the same by their TMDB id; a film entered by hand takes the id of the one with its title and
    year. Two that have an id each are never made one.
    """
    if not films:
        return []
    changed = await queries.adopt_films(tx, films, tx.now)
    changed += await queries.renew_films(tx, films, tx.now)
    await queries.enter_films(tx, films, [WorkId(str(new_id())) for _ in films], tx.now)
    for work_id, version in changed:
        await tell_of_change(tx, work_id, version)
    return await queries.works_of(tx, [film.tmdb_id for film in films])


async def begin(kernel: Kernel) -> None:
    """Know TMDB from the start of the server on."""
    kernel.of_parts[Tmdb] = Tmdb(kernel)
