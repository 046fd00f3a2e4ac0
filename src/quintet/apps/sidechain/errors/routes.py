"""The edge of error tracking: batches in, rows, groups and statistics out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, FromQuery, QueryParameter

from quintet.apps.sidechain.errors import access, actions, list_queries
from quintet.apps.sidechain.errors.list_queries import Behind, Filters
from quintet.apps.sidechain.errors.model import (
    ErrorGroup,
    ErrorNotFound,
    ErrorRow,
    MalformedGzip,
    NewErrors,
    Recorded,
    Resolution,
    Severity,
    Source,
    Statistics,
    TooManyNewErrors,
)
from quintet.apps.sidechain.errors.receiving import received
from quintet.apps.sidechain.errors.rules import like_pattern
from quintet.apps.sidechain.errors.statistics import all_statistics, own_statistics
from quintet.kernel.actor import Access
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, get, post, put
from quintet.kernel.http.paging import cut
from quintet.kernel.refusals import Forbidden, invalid

TAG = "Sidechain"
ERRORS = "/api/v1/errors"
GROUPS = f"{ERRORS}/groups"

Resolved = Annotated[bool | None, QueryParameter(description="Only those that are resolved, or are not.")]
Since = Annotated[datetime | None, QueryParameter(description="Last seen then or later.")]
Words = Annotated[
    str | None, QueryParameter(min_length=1, max_length=200, description="What the message contains.")
]
Scope = Annotated[
    Literal["me", "all"], QueryParameter(name="scope", description="One's own reports, or everybody's.")
]
Hours = Annotated[int, QueryParameter(ge=1, le=720, description="How many hours back, this one included.")]


@post(f"{ERRORS}/batch", access=Access.SIGNED_IN, tag=TAG, status=200,
      refusals=(MalformedGzip, TooManyNewErrors), takes_json=NewErrors,
      example={"errors": [{
          "source": "Network", "severity": "Error", "message": "Upload to 10.0.0.7 timed out after 3000 ms",
          "context": {"release": "2.4.1", "host": "Live 12"}, "timestamp": 1702569600, "occurrences": 3,
      }]},
      summary="Report errors, up to a hundred at once, packed by gzip or not")  # fmt: skip
async def record_errors(request: Call) -> Answer[Recorded]:
    """Record every entry or none; what says the same within an hour is one row. Secrets are masked."""
    entries, reports = await received(request)

    async def act(tx: Tx) -> Answer[Recorded]:
        opened = await actions.record_reports(tx, request.actor, reports)
        return Answer(Recorded("recorded", entries, entries - opened))

    return await request.write(act)


@get(ERRORS, access=Access.SIGNED_IN, tag=TAG,
     summary="Your error reports, latest first; moderators read everybody's")  # fmt: skip
async def read_errors(
    request: Call,
    severity: FromQuery[Severity | None] = None,
    source: FromQuery[Source | None] = None,
    resolved: Resolved = None,
    since: Since = None,
    q: Words = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Answer[Page[ErrorRow]]:
    """Answer rows; `since` is about the last report, `q` about the words of the first."""
    filters = Filters(severity, source, resolved, _instant(since), q and like_pattern(q))
    behind = _behind(request, cursor, filters)
    async with request.kernel.database.statement() as tx:
        if not access.can_see_all(request.actor):
            rows = await list_queries.own_errors(tx, request.actor.id, filters, behind, limit + 1)
        elif filters.pattern is None:
            rows = await list_queries.all_errors(tx, filters, behind, limit + 1)
        else:
            rows = await list_queries.all_errors_saying(tx, filters, behind, limit + 1)
    page, place = cut(rows, limit, _place)
    return Answer(Page(page, request.next_cursor(place, filters)))


@get(f"{ERRORS}/stats", access=Access.SIGNED_IN, tag=TAG, refusals=(Forbidden,),
     summary="What was reported in the last hours")  # fmt: skip
async def read_statistics(request: Call, hours: Hours = 24, scope_: Scope = "me") -> Answer[Statistics]:
    """Answer counts by severity, source and hour, zeros too; `all` is for moderators."""
    if scope_ == "all" and not access.can_see_all(request.actor):
        raise Forbidden
    async with request.read() as tx:
        if scope_ == "all":
            return Answer(await all_statistics(tx, hours))
        return Answer(await own_statistics(tx, request.actor.id, hours))


@get(f"{ERRORS}/{{error_id:uuid}}", access=Access.SIGNED_IN, tag=TAG, refusals=(ErrorNotFound,),
     summary="One error report")  # fmt: skip
async def read_error(request: Call, error_id: FromPath[UUID]) -> Answer[ErrorRow]:
    """Answer a row with its newest context and its first five reports."""
    async with request.kernel.database.statement() as tx:
        return Answer(await access.error_to_see(tx, request.actor, error_id))


@put(f"{ERRORS}/{{error_id:uuid}}/resolved", access=Access.SIGNED_IN, tag=TAG, refusals=(ErrorNotFound,),
     takes_json=Resolution, example={"resolved": True},
     summary="Resolve an error report, or reopen it")  # fmt: skip
async def resolve_error(request: Call, error_id: FromPath[UUID]) -> Answer[ErrorRow]:
    """Resolve a row, also without a body; the next report of the same reopens it."""
    asked = await _resolution(request)

    async def act(tx: Tx) -> Answer[ErrorRow]:
        return Answer(await actions.resolve_error(tx, request.actor, error_id, is_resolved=asked.resolved))

    return await request.write(act)


@get(GROUPS, access=Access.MODERATOR, tag=TAG, summary="Errors whoever reported them, latest first")
async def read_groups(
    request: Call,
    severity: FromQuery[Severity | None] = None,
    source: FromQuery[Source | None] = None,
    resolved: Resolved = None,
    since: Since = None,
    q: Words = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Answer[Page[ErrorGroup]]:
    """Answer groups with how many people they met, how often, and since which release."""
    filters = Filters(severity, source, resolved, _instant(since), q and like_pattern(q))
    behind = _behind(request, cursor, filters)
    async with request.kernel.database.statement() as tx:
        rows = await list_queries.groups(tx, filters, behind, limit + 1)
    page, place = cut(rows, limit, _place)
    return Answer(Page(page, request.next_cursor(place, filters)))


@put(f"{GROUPS}/{{group_id:uuid}}/resolved", access=Access.MODERATOR, tag=TAG, refusals=(ErrorNotFound,),
     takes_json=Resolution, example={"resolved": True}, summary="Resolve a group, or reopen it")  # fmt: skip
async def resolve_group(request: Call, group_id: FromPath[UUID]) -> Answer[ErrorGroup]:
    """Resolve a group, also without a body; the next report by anybody reopens it."""
    asked = await _resolution(request)

    async def act(tx: Tx) -> Answer[ErrorGroup]:
        return Answer(await actions.resolve_group(tx, request.actor, group_id, is_resolved=asked.resolved))

    return await request.write(act)


async def _resolution(request: Call) -> Resolution:
    return await request.json_as(Resolution) if await request.body() else Resolution()


def _instant(since: datetime | None) -> Instant | None:
    if since is None:
        return None
    try:
        if since.tzinfo is not None:
            return Instant.at(since)
    except OverflowError:  # before the year 1 in UTC
        pass
    raise invalid("out_of_range", "a time with its zone, as in RFC 3339", parameter="since")


def _place(row: ErrorRow | ErrorGroup) -> list[str]:
    return [row.last_seen.isoformat(), str(row.id)]


def _behind(request: Call, cursor: str | None, filters: Filters) -> Behind:
    read = request.read_cursor(cursor, filters)
    return (None, None) if read is None else (read[0], UUID(read[1]))


ERROR_ROUTES = (
    record_errors, read_errors, read_statistics, read_error, resolve_error, read_groups, resolve_group,
)  # fmt: skip
