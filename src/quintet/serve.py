"""Serving: the database, its migrations and the HTTP server, started and stopped in their order."""

import os
from contextlib import ExitStack
from pathlib import Path

from quintet.app import build_app
from quintet.kernel.failures import CannotServe
from quintet.kernel.http.server import ignore_interrupts, leave_on_sigterm, listen, make_server
from quintet.kernel.migrations import migrate
from quintet.kernel.postgres import Cluster, ServeLock, find_binaries
from quintet.kernel.telemetry import get_logger, set_up_logs
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
        edge = build_app(settings, dsn, restart_database=restart)
        server = make_server(edge, listener, on_stop=edge.stop_being_ready, drain=edge.drain)
        port = listener.getsockname()[1]
        log.info(
            "serving",
            url=f"http://{settings.host}:{port}",
            pid=os.getpid(),
            env=settings.env,
            migrated=applied,
        )
        try:
            server.run()
        finally:
            ignore_interrupts()
