"""A clock that tests can move."""

import time
from datetime import UTC, datetime, timedelta

from quintet.kernel.clock import Instant


class Stopwatch:
    """Runs with the machine's clock, plus whatever a test has added."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> Instant:
        return Instant.at(datetime.now(UTC) + self._ahead)

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    def go(self, **duration: float) -> None:
        """Let time pass: `clock.go(minutes=15)`."""
        self._ahead += timedelta(**duration)
