"""What runs beside the requests: kept running, and ended with the server."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from quintet.kernel.http.call import Kernel
from quintet.kernel.idempotency import KEPT
from quintet.kernel.live.tickets import remove_old_tickets
from quintet.kernel.refusals import Unavailable
from quintet.kernel.telemetry import get_logger
from quintet.kernel.tokens import signing_keys

PAUSE_AFTER_FAILURE_SECONDS = 1.0
ASK_AGAIN_SECONDS = 2.0
UPKEEP_EVERY_SECONDS = 60
EVENTS_KEPT = timedelta(days=30)
_MOST_ROWS = 10_000


@asynccontextmanager
async def running(
    kernel: Kernel, work: Iterable[Callable[[Kernel], Awaitable[None]]]
) -> AsyncGenerator[None]:
    """Run every function for as long as the block lasts."""
    tasks = [asyncio.create_task(_keep_running(kernel, one)) for one in work]
    try:
        yield
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: amid a statement the driver may swallow a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_SECONDS)


async def _keep_running(kernel: Kernel, work: Callable[[Kernel], Awaitable[None]]) -> None:
    while True:
        try:
            await work(kernel)
        except Unavailable:  # the database is away, as the watch says once; or the task was cut off
            if _is_being_ended():
                return
        except Exception as error:  # noqa: BLE001 (whatever broke, the next round may work)
            if _is_being_ended():
                return
            get_logger().error("background_failed", work=getattr(work, "__name__", "?"), exc_info=error)
        await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)


def _is_being_ended() -> bool:
    """Whether this task was cancelled: cut off in a statement, the driver may raise an error of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def upkeep(kernel: Kernel) -> None:
    """Once a minute: take over rotated keys, and remove what has run out, a bounded part at a time."""
    kernel.tokens.use(await signing_keys(kernel.database))
    now = kernel.clock.now()
    async with kernel.database.statement() as tx:
        await tx.run(
            """
            delete from kernel.idempotency_keys where id in (
                select id from kernel.idempotency_keys where created_at <= $1 limit $2
            )
            """,
            now - KEPT,
            _MOST_ROWS,
        )
        await tx.run(
            "delete from kernel.rate_limits where arrives_at < extract(epoch from clock_timestamp()) - 1"
        )
        await tx.run(
            """
            delete from kernel.room_events where (room, seq) in (
                select room, seq from kernel.room_events where at < $1 limit $2
            )
            """,
            now - EVENTS_KEPT,
            _MOST_ROWS,
        )
        await remove_old_tickets(tx)
    await asyncio.sleep(UPKEEP_EVERY_SECONDS)


def database_watch(restart: Callable[[], bool] | None) -> Callable[[Kernel], Awaitable[None]]:
    """Every half second: is the database there? When it has gone, restart our own; when it is back, heal."""

    async def watch_database(kernel: Kernel) -> None:
        log: Any = get_logger()
        while True:
            if restart is not None and await asyncio.to_thread(restart):
                log.warning("database_restarted")
            was_away = kernel.database.away
            await kernel.database.look()
            if kernel.database.away != was_away:
                log.warning("database_back" if was_away else "database_away")
            await asyncio.sleep(0.5)

    return watch_database
