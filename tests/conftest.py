"""One PostgreSQL for the whole run, one migrated template, one cloned database and one server per worker."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import hypothesis
import psycopg
import pytest
import structlog
import uvicorn
from uvicorn.server import ServerState

from quintet.app import build_app
from quintet.kernel.http.server import BoundedProtocol
from quintet.kernel.live.socket import SocketProtocol
from quintet.kernel.migrations import migrate
from quintet.kernel.postgres import Cluster
from quintet.settings import Settings, load_settings
from tests.clock import Stopwatch
from tests.waiting import look_again
from tests.world import World

# An example that takes long says that the machine is busy, not that the rule is wrong.
# Continuous integration looks further than whoever waits for an answer.
hypothesis.settings.register_profile(
    "quintet", deadline=None, max_examples=100 if os.environ.get("CI") else 30
)
hypothesis.settings.load_profile("quintet")
TEMPLATE = "quintet_template"
# Generous, so that no test meets a limit it does not look for.
OPEN_LIMITS = {
    f"QUINTET_LIMIT_{policy}": "1000000/minute"
    for policy in ("ANONYMOUS", "SIGNED_IN", "AUTH", "REFRESH", "UPLOAD", "PLACE", "PAINT", "PLAYER", "FILE")
}


def _drop(_logger: Any, _method: str, _line: Any) -> Any:
    raise structlog.DropEvent


# Rendering a line takes longer than many a request; tests that look at lines capture them.
structlog.configure(processors=[_drop])


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process starts the cluster; workers are told where it is."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="quintet-tests-"))
    folder.chmod(0o755)  # the database's unprivileged user must get in
    cluster = Cluster.open(folder / "data")
    with psycopg.connect(cluster.dsn_for("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{TEMPLATE}"')
        # Nobody pulls this cluster's plug, and waiting for the disk is a good part of all these tests' time.
        # Those of durability have clusters of their own.
        connection.execute("alter role current_user set synchronous_commit = off")
    migrate(cluster.dsn_for(TEMPLATE))
    config.stash[_CLUSTER] = (cluster, folder)
    os.environ["TESTS_DATA"] = str(folder / "files")
    os.environ["QUINTET_TEST_DSN"] = cluster.dsn_for("__database__")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    if _CLUSTER in config.stash:
        cluster, folder = config.stash[_CLUSTER]
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show the counts that proofs print, though they passed."""
    terminalreporter.section("proofs")
    for report in terminalreporter.stats.get("passed", []):
        for line in report.capstdout.splitlines()[:4]:
            terminalreporter.write_line(f"{report.location[2]}: {line}"[:200])


_CLUSTER: pytest.StashKey[tuple[Cluster, Path]] = pytest.StashKey()


def dsn_of(database: str) -> str:
    """The address of a database of the run's cluster."""
    return os.environ["QUINTET_TEST_DSN"].replace("__database__", database)


def clone_database(name: str) -> str:
    """A fresh migrated database; its address."""
    with psycopg.connect(dsn_of("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
        connection.execute(f'create database "{name}" template "{TEMPLATE}"')
    return dsn_of(name)


def drop_database(name: str) -> None:
    """Remove a clone, whoever is still connected."""
    with psycopg.connect(dsn_of("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="session")
def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0")


@pytest.fixture(scope="session")
def dsn(worker_name: str) -> Generator[str]:
    """This worker's database."""
    name = f"quintet_{worker_name}"
    yield clone_database(name)
    drop_database(name)


def settings_for_tests(**environment: str) -> Settings:
    """Settings as a test server has them: open limits, production's strictness where it matters."""
    data = f"{os.environ['TESTS_DATA']}/{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
    return load_settings({**OPEN_LIMITS, "QUINTET_DATA": data, **environment}, dotenv=None)


@asynccontextmanager
async def serving(settings: Settings, dsn: str, clock: Stopwatch | None = None) -> AsyncGenerator[World]:
    """The whole application in this process, its lifespan begun, and a world that talks to it."""
    clock = clock or Stopwatch()
    edge = build_app(settings, dsn, clock=clock)
    litestar: Any = edge.app
    begun, end = asyncio.Event(), asyncio.Event()

    async def live() -> (
        None
    ):  # in a task of its own, as under uvicorn: fixtures change tasks, lifespans may not
        try:
            async with litestar.lifespan():
                begun.set()
                await end.wait()
        finally:
            begun.set()

    life = asyncio.create_task(live())
    await begun.wait()
    if life.done():
        await life
    transport = httpx2.ASGITransport(app=edge, client=("127.0.0.1", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as http:
        world = World(http=http, kernel=litestar.state.kernel, clock=clock, dsn=dsn, edge=edge)
        yield world
        if world.aside is not None:
            world.aside.close()
    end.set()
    await life


@asynccontextmanager
async def reachable(world: World) -> AsyncGenerator[World]:
    """The world's server on a port of loopback, which sockets need."""
    config = uvicorn.Config(
        world.edge, ws=SocketProtocol, lifespan="off", log_config=None, proxy_headers=False
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: BoundedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    world.port = server.sockets[0].getsockname()[1]
    try:
        yield world
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        async with asyncio.timeout(10):
            while state.connections:
                await look_again()


@pytest.fixture(scope="session")
async def live(world: World) -> AsyncGenerator[World]:
    """The same world, with a port for sockets."""
    async with reachable(world):
        yield world


@pytest.fixture(scope="session")
async def world(dsn: str) -> AsyncGenerator[World]:
    """The world most tests play in: one server per worker; tests keep apart by making their own people."""
    async with serving(settings_for_tests(), dsn) as made:
        yield made
