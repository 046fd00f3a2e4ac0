"""Error tracking's statements that read rows and groups.

Invariant: lists are told latest first, and go on behind a pair of `last_seen` and id.
"""

from typing import Any
from uuid import UUID

import msgspec

from quintet.apps.sidechain.errors.model import (
    ErrorGroup,
    ErrorGroupId,
    ErrorId,
    ErrorRow,
    Severity,
    Source,
)
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx

Behind = tuple[str, UUID] | tuple[None, None]


class Filters(msgspec.Struct, frozen=True):
    """Which rows are wanted; `pattern` is for ILIKE."""

    severity: Severity | None = None
    source: Source | None = None
    resolved: bool | None = None
    since: Instant | None = None
    pattern: str | None = None


async def error(tx: Tx, error_id: ErrorId) -> ErrorRow | None:
    """The row of that id, whosever it is."""
    return await tx.maybe(
        ErrorRow,
        """
        select e.id, e.user_id, e.source, e.severity, m.message, e.context, e.samples,
               e.occurrences, e.first_seen, e.last_seen, e.resolved_at is not null, e.reopened_at,
               e.first_seen
        from sidechain.errors e join sidechain.error_messages m on m.error_id = e.id
        where e.id = $1
        """,
        error_id,
    )


async def own_errors(tx: Tx, user_id: UserId, filters: Filters, behind: Behind, most: int) -> list[ErrorRow]:
    """One user's rows, latest first."""
    return await tx.all(
        ErrorRow,
        """
        select e.id, e.user_id, e.source, e.severity, m.message, e.context, e.samples,
               e.occurrences, e.first_seen, e.last_seen, e.resolved_at is not null, e.reopened_at,
               e.first_seen
        from sidechain.errors e join sidechain.error_messages m on m.error_id = e.id
        where e.user_id = $1
          and (e.last_seen, e.id) < (coalesce($2::timestamptz, 'infinity'),
                                     coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
          and ($4::text is null or e.severity = $4)
          and ($5::text is null or e.source = $5)
          and ($6::boolean is null or (e.resolved_at is not null) = $6)
          and ($7::timestamptz is null or e.last_seen >= $7)
          and ($8::text is null or m.message ilike $8)
        order by e.last_seen desc, e.id desc
        limit $9
        """,
        user_id,
        *behind,
        *_values(filters),
        most,
    )


async def all_errors(tx: Tx, filters: Filters, behind: Behind, most: int) -> list[ErrorRow]:
    """Everybody's rows, latest first, whatever they say."""
    return await tx.all(
        ErrorRow,
        """
        select e.id, e.user_id, e.source, e.severity, m.message, e.context, e.samples,
               e.occurrences, e.first_seen, e.last_seen, e.resolved_at is not null, e.reopened_at,
               e.first_seen
        from sidechain.errors e join sidechain.error_messages m on m.error_id = e.id
        where (e.last_seen, e.id) < (coalesce($1::timestamptz, 'infinity'),
                                     coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
          and ($3::text is null or e.severity = $3)
          and ($4::text is null or e.source = $4)
          and ($5::boolean is null or (e.resolved_at is not null) = $5)
          and ($6::timestamptz is null or e.last_seen >= $6)
        order by e.last_seen desc, e.id desc
        limit $7
        """,
        *behind,
        *_values(filters)[:-1],
        most,
    )


async def all_errors_saying(tx: Tx, filters: Filters, behind: Behind, most: int) -> list[ErrorRow]:
    """Everybody's rows whose message is like the filters' pattern, latest first.

    A statement of its own: with the pattern left open, a plan kept for it could not use the messages' index.
    """
    return await tx.all(
        ErrorRow,
        """
        select e.id, e.user_id, e.source, e.severity, m.message, e.context, e.samples,
               e.occurrences, e.first_seen, e.last_seen, e.resolved_at is not null, e.reopened_at,
               e.first_seen
        from sidechain.errors e join sidechain.error_messages m on m.error_id = e.id
        where m.message ilike $7
          and (e.last_seen, e.id) < (coalesce($1::timestamptz, 'infinity'),
                                     coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
          and ($3::text is null or e.severity = $3)
          and ($4::text is null or e.source = $4)
          and ($5::boolean is null or (e.resolved_at is not null) = $5)
          and ($6::timestamptz is null or e.last_seen >= $6)
        order by e.last_seen desc, e.id desc
        limit $8
        """,
        *behind,
        *_values(filters),
        most,
    )


async def group(tx: Tx, group_id: ErrorGroupId) -> ErrorGroup | None:
    """The group of that id."""
    return await tx.maybe(
        ErrorGroup,
        """
        select id, source, severity, message, pattern, users, occurrences, first_seen, last_seen,
               first_release, resolved_at is not null, reopened_at
        from sidechain.error_groups
        where id = $1
        """,
        group_id,
    )


async def groups(tx: Tx, filters: Filters, behind: Behind, most: int) -> list[ErrorGroup]:
    """Groups, latest first; there are few in comparison with rows, so their words have no index."""
    return await tx.all(
        ErrorGroup,
        """
        select id, source, severity, message, pattern, users, occurrences, first_seen, last_seen,
               first_release, resolved_at is not null, reopened_at
        from sidechain.error_groups
        where (last_seen, id) < (coalesce($1::timestamptz, 'infinity'),
                                 coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
          and ($3::text is null or severity = $3)
          and ($4::text is null or source = $4)
          and ($5::boolean is null or (resolved_at is not null) = $5)
          and ($6::timestamptz is null or last_seen >= $6)
          and ($7::text is null or message ilike $7)
        order by last_seen desc, id desc
        limit $8
        """,
        *behind,
        *_values(filters),
        most,
    )


def _values(filters: Filters) -> tuple[Any, ...]:
    return (filters.severity, filters.source, filters.resolved, filters.since, filters.pattern)
