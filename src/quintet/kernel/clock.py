"""The time, as everything here uses it: UTC, to the millisecond, and injected so that tests own it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Instant(datetime):
    """A datetime that JSON shows as RFC 3339 UTC with exactly three decimals.

    A subclass because msgspec writes plain datetimes itself, with six decimals or none.
    """

    @classmethod
    def at(cls, moment: datetime) -> "Instant":
        """The same moment in UTC, cut to the millisecond."""
        utc = moment.astimezone(UTC)
        return cls.combine(utc.date(), utc.timetz().replace(microsecond=utc.microsecond // 1000 * 1000))

    def __str__(self) -> str:
        return self.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock(Protocol):
    """Whatever tells the time."""

    def now(self) -> Instant:
        """The present moment."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow, for measuring how long ago something was."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """The present moment."""
        return Instant.at(datetime.now(UTC))

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()
