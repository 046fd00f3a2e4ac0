"""The words of error tracking: reports, rows, groups, statistics, and what can be refused.

Invariant: what is here of a report's message and context was masked before; nothing keeps them as they came.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, NewType, get_args
from uuid import UUID

import msgspec
from msgspec import Meta

from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.refusals import BadRequest, NotFound, Refusal

ErrorId = NewType("ErrorId", UUID)
ErrorGroupId = NewType("ErrorGroupId", UUID)
Source = Literal["Network", "Audio", "UI"]
Severity = Literal["Info", "Warning", "Error", "Critical"]
SOURCES: Final[tuple[Source, ...]] = get_args(Source)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

MOST_ENTRIES: Final = 100
MOST_SAMPLES: Final = 5
# What a plugin counts between two batches; sums of such counts stay far from what JSON can hold exactly.
MOST_OCCURRENCES: Final = 1_000_000
# As long as a stack trace gets; what is kept of it is shorter.
LONGEST_MESSAGE: Final = 65_536
# Rows that one user's reports may open in a day: a hundred different errors in each hour are far fewer.
MOST_OPENED_A_DAY: Final = 10_000
# Of one user in 90 days; whoever names more is not telling releases.
MOST_RELEASES: Final = 100
# Unix seconds at the end of the year 9999.
_LAST_SECOND: Final = 253_402_300_799

Occurrences = Annotated[int, Meta(ge=1, le=MOST_OCCURRENCES)]
Timestamp = Annotated[datetime, Meta(tz=True)] | Annotated[float, Meta(ge=0, le=_LAST_SECOND)]


class NewError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a batch, as a plugin sends it; `timestamp` is its own clock's, and informs only."""

    source: Source
    severity: Severity
    message: Annotated[str, Meta(min_length=1, max_length=LONGEST_MESSAGE)]
    context: dict[str, Any] = {}
    timestamp: Timestamp | None = None
    occurrences: Occurrences = 1


class NewErrors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch."""

    errors: Annotated[list[NewError], Meta(min_length=1, max_length=MOST_ENTRIES)]


class Recorded(msgspec.Struct, frozen=True):
    """The answer to a batch: entries taken, and those of them that were added to a row that was there."""

    status: Literal["recorded"]
    recorded: int
    merged: int


class Resolution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it is to be resolved; without a body it is."""

    resolved: bool = True


class Sample(msgspec.Struct, frozen=True):
    """One report as it came, but for secrets; `timestamp` is the plugin's clock, `seen_at` the server's."""

    message: str
    context: dict[str, Any]
    timestamp: str | None
    seen_at: Instant


class ErrorRow(msgspec.Struct, frozen=True):
    """One user's reports of one error with less than an hour between them; samples are its first."""

    id: ErrorId
    user_id: UserId
    source: Source
    severity: Severity
    message: str
    context: dict[str, Any]
    samples: list[dict[str, Any]]
    occurrences: int
    first_seen: Instant
    last_seen: Instant
    is_resolved: bool
    reopened_at: Instant | None
    created_at: Instant


class ErrorGroup(msgspec.Struct, frozen=True):
    """One error, whoever reported it; `pattern` is the message with everything changeable folded."""

    id: ErrorGroupId
    source: Source
    severity: Severity
    message: str
    pattern: str
    users: int
    occurrences: int
    first_seen: Instant
    last_seen: Instant
    first_release: str | None
    is_resolved: bool
    reopened_at: Instant | None


class Tally(msgspec.Struct, frozen=True):
    """Rows with at least one occurrence in the time asked for, and these occurrences."""

    rows: int
    occurrences: int


class TopMessage(msgspec.Struct, frozen=True):
    """What was reported most, whatever its numbers, ids and quotes."""

    message: str
    occurrences: int


class Hour(msgspec.Struct, frozen=True):
    """What was recorded in the hour that begins then."""

    hour: Instant
    occurrences: int


class Statistics(msgspec.Struct, frozen=True):
    """The last hours, this one included; `new_since_release` is null where no report names a release."""

    by_severity: dict[Severity, Tally]
    by_source: dict[Source, Tally]
    top_messages: list[TopMessage]
    hourly: list[Hour]
    affected_users: int
    new_since_release: int | None


class ErrorNotFound(NotFound):
    """There is no such error report."""

    code = "not_found"


class MalformedGzip(BadRequest):
    """The body is not one complete gzip stream."""


class TooManyNewErrors(Refusal):
    """Your reports have opened 10,000 rows today: until tomorrow (UTC) only known errors are counted."""

    status = 429
