"""Serving: the database, its migrations and the HTTP server, started and stopped in their order."""

import gc
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from quintet.app import build_app
from quintet.kernel.failures import CannotServe
from quintet.kernel.http.server import ignore_interrupts, leave_on_sigterm, listen, make_server
from quintet.kernel.migrations import migrate
from quintet.kernel.postgres import Cluster, ServeLock, find_binaries
from quintet.kernel.telemetry import get_logger, set_up_logs
from quintet.processes import supervise
from quintet.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what is under way and stop what was started.

    Raises CannotServe, PostgresFailed, MigrationFailed or BadSetting with a sentence for the operator.
    """
    set_up_logs(settings.log_level)
    log = get_logger()
    leave_on_sigterm()
    with ExitStack() as stack:
        stack.callback(log.info, "stopped")
        restart = None
        dsn = settings.database_url
        try:
            listener = listen(settings.host, settings.port)
        except OSError as error:
            raise CannotServe(
                f"port {settings.port} of {settings.host} cannot be used ({error.strerror}): "
                "choose another with --port"
            ) from error
        stack.callback(listener.close)
        if not dsn:
            stack.enter_context(ServeLock(settings.data))
            binaries = find_binaries(Path(settings.postgres_binaries) if settings.postgres_binaries else None)
            cluster = stack.enter_context(Cluster.open(settings.data, binaries))
            dsn, restart = cluster.dsn, cluster.ensure_running
        applied = migrate(dsn)
        log.info(
            "serving",
            url=f"http://{settings.host}:{listener.getsockname()[1]}",
            pid=os.getpid(),
            processes=settings.processes,
            env=settings.env,
            migrated=applied,
        )
        if settings.processes > 1:
            supervise(settings.processes, answer_alone, (settings, dsn, listener), restart or (lambda: False))
        else:
            answer(settings, dsn, listener, restart)


def answer(
    settings: Settings, dsn: str, listener: socket.socket, restart_database: Callable[[], bool] | None
) -> None:
    """Answer what comes to the listener until asked to stop."""
    edge = build_app(settings, dsn, restart_database=restart_database)
    # What stands now stays; and thousands of sockets are many objects, which it takes a tenth of a second to
    # look through: by default that would be done every few thousand of them, while everybody waits.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    server = make_server(edge, listener, on_stop=edge.stop_being_ready, drain=edge.drain)
    try:
        server.run()
    finally:
        ignore_interrupts()


def answer_alone(settings: Settings, dsn: str, listener: socket.socket) -> None:
    """The same in a process of its own, beside others on the same listener."""
    set_up_logs(settings.log_level)
    leave_on_sigterm()
    answer(settings, dsn, listener, None)
