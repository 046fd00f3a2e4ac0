"""Logs and figures: one JSON line per request and per event, and counters for Prometheus.

Invariant: no body, query string, token or other secret is ever logged; ids, templates and figures are.
"""

import logging
import os
import sys
from typing import Any, Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from quintet.kernel import json

_LIVE_GAUGES: Final = {
    "connections": "Sockets open",
    "users_online": "Users connected",
    "rooms": "Rooms somebody listens to",
}
_LIVE_COUNTERS: Final = {
    "messages_in": "Messages that sockets sent",
    "messages_out": "Messages sent to sockets",
    "shed_readers": "Slow readers whose queue was thrown away",
    "replays": "Subscriptions that went on behind an earlier event",
    "resets": "Times a reader was told to read a room anew",
}
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up_logs(level: str) -> None:
    """JSON lines to standard output, ours and the libraries' alike."""
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(serializer=lambda entry, **_: json.encode(entry)),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stdout.buffer),
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)
    # The pool tells of every single connection it loses; our watch says once that the database is away.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class _ToStructlog(logging.Handler):
    """Libraries log through `logging`; their lines come out in our shape."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        log.log(
            record.levelno,
            "library",
            logger=record.name,
            message=record.getMessage(),
            exc_info=record.exc_info,
        )


def get_logger() -> Any:
    """The logger of everything here; its first argument names the event."""
    return structlog.get_logger()


# Names the folder in which several processes add up their figures; read by prometheus-client itself.
PROCESS_FIGURES: Final = "PROMETHEUS_MULTIPROC_DIR"


def forget_process(pid: int | None) -> None:
    """A process has died: what it had open counts no more."""
    multiprocess.mark_process_dead(pid)


class LiveFigures(msgspec.Struct):
    """What the live connection of one process has done; plain numbers, since they change all the time."""

    connections: int = 0
    messages_in: int = 0
    messages_out: int = 0
    shed_readers: int = 0
    replays: int = 0
    resets: int = 0


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "quintet_request_seconds",
            "Time from the request's head to the end of its answer",
            ["method", "route", "status"],
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10),
        )
        self.rate_limited = Counter(
            "quintet_rate_limited_total", "Refusals by rate limit", ["policy"], registry=self.registry
        )
        self.in_flight = Gauge(
            "quintet_requests_in_flight",
            "Requests being answered",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._live: dict[str, Gauge | Counter] = {
            name: Gauge(f"quintet_live_{name}", help_, registry=self.registry, multiprocess_mode="livesum")
            for name, help_ in _LIVE_GAUGES.items()
        } | {
            name: Counter(f"quintet_live_{name}", help_, registry=self.registry)
            for name, help_ in _LIVE_COUNTERS.items()
        }
        self._live_before: dict[str, int] = {}
        self.events = Counter(
            "quintet_events_total", "Durable events written to rooms", registry=self.registry
        )
        self._observers: dict[tuple[str, str, int], Any] = {}

    def take_live(self, figures: dict[str, int]) -> None:
        """Take over the live connection's figures, which are too busy to be counted here one by one."""
        for name, metric in self._live.items():
            if isinstance(metric, Gauge):
                metric.set(figures[name])
            else:
                metric.inc(figures[name] - self._live_before.get(name, 0))
        self._live_before = figures

    def rendered(self) -> bytes:
        """All figures for Prometheus: those of this process, or of all that serve together."""
        registry = self.registry
        if PROCESS_FIGURES in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        observer = self._observers.get((method, route, status))
        if observer is None:
            observer = self.requests.labels(method, route, str(status))
            self._observers[method, route, status] = observer
        observer.observe(seconds)
