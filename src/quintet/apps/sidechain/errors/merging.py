"""From the entries of one batch to what is written: masked, bounded, one report for each group. Pure.

Invariant: entries of one group become one report, whose occurrences are theirs; what is newest is the batch's
last. Reports come in the order of their groups' ids, in which every batch locks them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from quintet.apps.sidechain.errors.masking import masked, masked_text
from quintet.apps.sidechain.errors.model import (
    MOST_SAMPLES,
    ErrorGroupId,
    ErrorId,
    NewError,
    Sample,
    Severity,
    Source,
)
from quintet.apps.sidechain.errors.rules import FOLDED_CHARACTERS, fingerprint_of, folded, group_id_of
from quintet.kernel import json
from quintet.kernel.clock import Instant
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import invalid

LONGEST_KEPT: Final = 4096
CUT: Final = "…"
# A row holds six contexts, a page a hundred rows.
MOST_CONTEXT_BYTES: Final = 8192
MOST_CONTEXT_LEVELS: Final = 10
LONGEST_RELEASE: Final = 100


class Report(msgspec.Struct):
    """What one batch says of one group; `id` is that of the row it opens, if it does."""

    id: ErrorId
    group_id: ErrorGroupId
    fingerprint: UUID
    source: Source
    severity: Severity
    message: str
    shown: str
    pattern: str
    release: str | None
    context: msgspec.Raw
    samples: list[Sample]
    occurrences: int


def reports_of(entries: Iterable[NewError], now: Instant) -> list[Report]:
    """One report for each group that the entries name; raises InvalidRequest with the entry's pointer."""
    reports: dict[ErrorGroupId, Report] = {}
    for index, entry in enumerate(entries):
        message, context, written = _without_secrets(index, entry)
        pattern = folded(message)
        sample = Sample(message, context, _told_time(index, entry.timestamp), now)
        group_id = group_id_of(entry.source, entry.severity, pattern)
        report = reports.get(group_id)
        if report is None:
            report = reports[group_id] = Report(
                id=ErrorId(new_id()),
                group_id=group_id,
                fingerprint=fingerprint_of(pattern),
                source=entry.source,
                severity=entry.severity,
                message=message,
                shown=message[:FOLDED_CHARACTERS],
                pattern=pattern,
                release=None,
                context=written,
                samples=[],
                occurrences=0,
            )
        report.context = written
        if len(report.samples) < MOST_SAMPLES:
            report.samples.append(sample)
        report.occurrences += entry.occurrences
        report.release = report.release or release_of(context)
    return sorted(reports.values(), key=lambda report: report.group_id)


def _without_secrets(index: int, entry: NewError) -> tuple[str, dict[str, Any], msgspec.Raw]:
    # Masked before it is cut: half a secret is not known for one.
    message = masked_text(entry.message)
    if len(message) > LONGEST_KEPT:
        message = message[: LONGEST_KEPT - 1] + CUT
    pointer = f"/errors/{index}/context"
    if levels_of(entry.context) > MOST_CONTEXT_LEVELS:
        raise invalid("out_of_range", f"at most {MOST_CONTEXT_LEVELS} levels", pointer=pointer)
    context: dict[str, Any] = masked(entry.context)
    written = json.encode(context)
    if len(written) > MOST_CONTEXT_BYTES:
        raise invalid("too_long", f"at most {MOST_CONTEXT_BYTES} bytes as JSON", pointer=pointer)
    return message, context, msgspec.Raw(written)


def levels_of(value: Any) -> int:
    """How deep objects and lists are nested in plain JSON data; 0 for anything else."""
    if isinstance(value, dict):
        return 1 + max(map(levels_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(levels_of, value), default=0)
    return 0


def release_of(context: dict[str, Any]) -> str | None:
    """The release that a context names, where it names one that is a short text."""
    release = context.get("release")
    if not isinstance(release, str):
        return None
    return release.strip()[:LONGEST_RELEASE] or None


def _told_time(index: int, timestamp: datetime | float | None) -> str | None:
    if timestamp is None:
        return None
    try:
        moment = timestamp if isinstance(timestamp, datetime) else datetime.fromtimestamp(timestamp, UTC)
        return str(Instant.at(moment))
    except (OverflowError, ValueError) as error:  # before the year 1 or after 9999 in UTC
        pointer = f"/errors/{index}/timestamp"
        raise invalid("out_of_range", "years 1 to 9999 in UTC", pointer=pointer) from error
