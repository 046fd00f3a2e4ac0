"""WIGG's edge for titles: works of the shared catalogue, in WIGG's words."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.apps.wigg import t2g, t2g_queries
from quintet.apps.wigg.capture.actions import replan_title
from quintet.apps.wigg.model import Title, TitleStats
from quintet.domains.catalogue import (
    KINDS,
    Kind,
    NewWork,
    NotYourWork,
    Work,
    WorkChange,
    WorkChanged,
    WorkExists,
    WorkId,
    WorkNotFound,
    change_work,
    enter_work,
    newest_works,
    search_works,
    work_to_change,
    work_to_see,
    works_with,
)
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, get, patch, post
from quintet.kernel.http.paging import cut
from quintet.kernel.refusals import InvalidCursor, StaleVersion

TAG = "WIGG"
_TITLE = {"title": "Heat", "kind": "film", "total_length_seconds": 10200, "year": 1995, "genres": ["crime"]}


@get("/api/titles", access=Access.PUBLIC, tag=TAG, refusals=(InvalidCursor,),
     summary="The catalogue, newest first, or what resembles `query`")  # fmt: skip
async def list_titles(
    request: Call,
    words: Annotated[
        str | None, QueryParameter(name="query", max_length=200, description="Words to search titles for.")
    ] = None,
    kind: FromQuery[Kind | None] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Answer[Page[Title]]:
    """Answer titles; misspelt queries find theirs, too."""
    filters = (words, kind)
    behind = request.read_cursor(cursor, *filters)
    async with request.kernel.database.statement() as tx:
        if words and words.strip():
            place = (behind[0], behind[1], behind[2]) if behind else None
            kinds = KINDS if kind is None else (kind,)
            found = await search_works(tx, words.strip(), kinds, behind=place, most=limit + 1)
            hits, place = cut(found.hits, limit, lambda hit: list(hit.place))
            works = await works_with(tx, [hit.id for hit in hits])
        else:
            before = (datetime.fromisoformat(behind[0]), WorkId(behind[1])) if behind else None
            newest = await newest_works(tx, kind, before, limit + 1)
            works, place = cut(newest, limit, lambda work: [work.created_at.isoformat(), work.id])
    page = Page([_title(work) for work in works], request.next_cursor(place, *filters))
    return Answer(page, max_age_seconds=1)


@post("/api/titles", access=Access.SIGNED_IN, tag=TAG, refusals=(WorkExists,), example=_TITLE,
      summary="Enter a title into the catalogue")  # fmt: skip
async def enter_title(request: Call, data: JSONBody[NewWork]) -> Answer[Title]:
    """Enter a title; without an id the server makes one."""

    async def act(tx: Tx) -> Answer[Title]:
        work = await enter_work(tx, request.actor, data)
        return Answer(_title(work), location=f"/api/titles/{work.id}", etag=str(work.version))

    return await request.write(act)


@get("/api/titles/{title_id:str}", access=Access.PUBLIC, tag=TAG, refusals=(WorkNotFound,),
     summary="One title, with its time to good in short")  # fmt: skip
async def read_title(request: Call, title_id: FromPath[str]) -> Answer[Title]:
    """Answer a title, its headline and how much was said of it."""
    async with request.read() as tx:
        work = await work_to_see(tx, title_id)
        told, row = await t2g.t2g_of(tx, work.id)
    stats = TitleStats(row.wiggs_count, row.users_count)
    title = msgspec.structs.replace(_title(work), t2g=t2g.headline(told), stats=stats)
    return Answer(
        title,
        etag=f"{work.version}.{row.room_seq}.{told.revision}",
        headers={"Room-Seq": request.room_seq(row.room_seq)},
    )


@patch("/api/titles/{title_id:str}", access=Access.SIGNED_IN, tag=TAG,
       refusals=(WorkNotFound, NotYourWork, StaleVersion), example={"year": 1995},
       summary="Change a title one has entered, or any as a moderator")  # fmt: skip
async def change_title(request: Call, title_id: FromPath[str], data: JSONBody[WorkChange]) -> Answer[Title]:
    """Change what is given; the title's room hears of it."""

    async def act(tx: Tx) -> Answer[Title]:
        work = await work_to_change(tx, request.actor, title_id)
        request.check_version(work.version)
        changed = await change_work(tx, work, data)
        return Answer(_title(changed), etag=str(changed.version))

    return await request.write(act)


async def follow_change(tx: Tx, change: WorkChanged) -> None:
    """A title's length, kind and genres bear on its time to good and on its captures."""
    await t2g_queries.make_due(tx, change.work_id)
    await replan_title(tx, change.work_id)


def _title(work: Work) -> Title:
    created_by: UUID | None = work.created_by
    return Title(
        id=work.id,
        title=work.title,
        kind=work.kind,
        total_length_seconds=work.total_length_seconds,
        year=work.year,
        genres=work.genres,
        attributes=work.attributes,
        created_by=created_by,
        version=work.version,
        created_at=work.created_at,
        updated_at=work.updated_at,
    )


TITLE_ROUTES = (list_titles, enter_title, read_title, change_title)
