"""The application: the only list of domains and apps, and how they become one server."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State

from quintet import console
from quintet.apps import marquee, sidechain, wigg
from quintet.domains import accounts, catalogue, documents, notifications, social
from quintet.kernel.background import database_watch, running, upkeep
from quintet.kernel.cache import HotAnswers
from quintet.kernel.clock import Clock, SystemClock
from quintet.kernel.database import Database
from quintet.kernel.files.keeping import Files
from quintet.kernel.files.routes import FILE_ROUTES
from quintet.kernel.files.storage import Storage
from quintet.kernel.files.sweeping import sweep_files
from quintet.kernel.http.admission import admit
from quintet.kernel.http.call import Call, Kernel
from quintet.kernel.http.edge import Edge
from quintet.kernel.http.operations import OPERATIONS
from quintet.kernel.http.problems import answer_exception
from quintet.kernel.idempotency import Idempotency
from quintet.kernel.ids import new_id
from quintet.kernel.limits import Limits
from quintet.kernel.live import work as live
from quintet.kernel.live.counts import Counts
from quintet.kernel.live.hub import Hub
from quintet.kernel.live.log import server_epoch
from quintet.kernel.live.presence import Presence
from quintet.kernel.live.routes import LIVE_ROUTES
from quintet.kernel.live.wakeups import Wakeups
from quintet.kernel.parts import Part
from quintet.kernel.secrets import load_secrets
from quintet.kernel.telemetry import Metrics
from quintet.kernel.tokens import Tokens, signing_keys
from quintet.settings import Settings

DOMAINS: tuple[Part, ...] = (
    accounts.PART,
    social.PART,
    notifications.PART,
    catalogue.PART,
    documents.PART,
)
APPS: tuple[Part, ...] = (wigg.PART, marquee.PART, sidechain.PART)
PARTS: tuple[Part, ...] = (*DOMAINS, *APPS, console.PART)
HANDLERS = (*OPERATIONS, *LIVE_ROUTES, *FILE_ROUTES, *(handler for part in PARTS for handler in part.routes))


async def build_kernel(settings: Settings, dsn: str, clock: Clock, metrics: Metrics) -> Kernel:
    """Connect to the migrated database at `dsn` and build the mechanisms on it."""
    database = Database(dsn, connections=settings.database_connections, clock=clock)
    await database.open()
    secrets = await load_secrets(database)
    async with database.statement() as tx:
        epoch = str(await server_epoch(tx))
    kinds = {prefix: kind for part in PARTS for prefix, kind in part.rooms.items()}
    hub = Hub(database, clock, epoch, kinds)
    wakeups = Wakeups(database, new_id())
    counts = {name: kind for part in PARTS for name, kind in part.counts.items()}
    kernel = Kernel(
        settings=settings,
        clock=clock,
        database=database,
        secrets=secrets,
        tokens=Tokens(settings.issuer, await signing_keys(database), clock),
        limits=Limits(database),
        idempotency=Idempotency(database, secrets),
        hub=hub,
        wakeups=wakeups,
        presence=Presence(database, clock, hub, wakeups),
        counts=Counts(database, clock, hub, wakeups, counts),
        files=Files(database, Storage(settings.storage_url, settings.data), secrets, settings.issuer),
        hot=HotAnswers(database, settings.hot_bytes),
        metrics=metrics,
        epoch=epoch,
        authenticate=accounts.Nobody(),
        hidden_from=social.hidden_from,
        commands={name: command for part in PARTS for name, command in part.commands.items()},
    )
    live.connect(kernel)
    database.on_commit.append(lambda published: metrics.events.inc(len(published)))
    for part in PARTS:
        for happening, listener in part.hears.items():
            database.listeners[happening].append(listener)
        for start in part.on_start:
            await start(kernel)
    return kernel


def build_app(
    settings: Settings,
    dsn: str,
    *,
    clock: Clock | None = None,
    restart_database: Callable[[], bool] | None = None,
) -> Edge:
    """The ASGI application of the whole server; its lifespan opens and closes everything.

    `restart_database` is called twice a second and restarts our own database if it has died.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        kernel = await build_kernel(settings, dsn, clock or SystemClock(), metrics)
        app.state.kernel = kernel
        work = [
            upkeep,
            sweep_files,
            database_watch(restart_database),
            *live.WORK,
            *(one for part in PARTS for one in part.background),
        ]
        try:
            async with running(kernel, work):
                yield
                await live.take_leave(kernel)
        finally:
            await kernel.database.close()

    app = Litestar(
        route_handlers=[*HANDLERS],
        request_class=Call,
        before_request=admit,  # pyright: ignore[reportArgumentType]
        exception_handlers={Exception: answer_exception, 500: answer_exception},  # pyright: ignore[reportArgumentType]
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        state=State(),
        debug=False,
    )
    return Edge(app, settings, metrics)
