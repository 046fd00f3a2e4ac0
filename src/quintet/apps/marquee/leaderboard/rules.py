"""Which days a period has. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from quintet.apps.marquee.leaderboard.model import Days, Period

_DAYS: Final[dict[Period, int]] = {"week": 7, "month": 30}
# Older counters answer no question; some days more, since nodes' clocks differ.
DAYS_KEPT: Final = 40


def days_of(period: Period, now: datetime) -> Days:
    """The UTC days of a period that ends today; `all` has no bounds."""
    if period == "all":
        return Days()
    today = now.astimezone(UTC).date()
    return Days(today - timedelta(days=_DAYS[period] - 1), today)
