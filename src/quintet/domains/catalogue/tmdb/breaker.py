"""When TMDB is left alone: one state in the database, shared by all nodes. Pure.

Invariant: only what TMDB does to us makes it rest; that we hang up or wait too long for a slot does not.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from quintet.domains.catalogue.tmdb.model import Busy, Failed, Refused, TmdbTrouble

REFUSED_REST: Final = timedelta(minutes=5)
FAILED_REST: Final = timedelta(seconds=30)
MOST_FAILURES: Final = 3


class Breaker(msgspec.Struct, frozen=True):
    """How often in a row TMDB has failed, and until when it rests."""

    failures: int
    rests_until: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether nobody is to ask."""
        return self.rests_until is not None and now < self.rests_until

    def after(self, trouble: TmdbTrouble | None, now: datetime) -> "Breaker":
        """What follows from an answer (None) or from trouble; a rest that is longer already stays."""
        if trouble is None:
            return Breaker(0, self.rests_until)
        failures, rest = self.failures, None
        if isinstance(trouble, Refused):
            rest = REFUSED_REST
        elif isinstance(trouble, Busy):
            rest = trouble.retry_after
        elif isinstance(trouble, Failed):
            failures += 1
            rest = FAILED_REST if failures >= MOST_FAILURES else None
        if rest is None or (self.rests_until is not None and self.rests_until > now + rest):
            return Breaker(failures, self.rests_until)
        return Breaker(failures, now + rest)
