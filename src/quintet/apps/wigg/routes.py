"""WIGG's edge for marks and curves."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.apps.wigg import access, actions, queries, t2g, t2g_queries
from quintet.apps.wigg.access import title_id_of
from quintet.apps.wigg.editing.model import SessionEnded, SessionNotFound
from quintet.apps.wigg.model import (
    Cell,
    ChangedWigg,
    NewWigg,
    OptimisticIdReused,
    OwnWiggs,
    PlacedBatch,
    PlacedWigg,
    Progress,
    T2g,
    T2gThen,
    TooClose,
    UndoToken,
    WiggBatch,
    WiggChange,
    WiggNotFound,
)
from quintet.apps.wigg.queries import CurveRow
from quintet.apps.wigg.reading import curve_on_grid, drawn, own_voices, progress_of
from quintet.apps.wigg.rules import GRIDS, LEAST_SEGMENTS, MOST_SEGMENTS, USUAL_SEGMENTS
from quintet.domains.catalogue import WorkId, WorkNotFound, title_room, work_to_see
from quintet.kernel import json
from quintet.kernel.actor import Access
from quintet.kernel.cache import HotAnswer
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, delete, get, patch, post
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.live.streams import Moment, Stream, listener_of
from quintet.kernel.refusals import TooManyConnections

TAG = "WIGG"
Segments = Annotated[
    int, QueryParameter(ge=LEAST_SEGMENTS, le=MOST_SEGMENTS, description="How many equal parts.")
]
_MARK = {"position_pct": 37.5, "rating": 2, "note": "the heist begins"}


@get("/api/titles/{title_id:str}/progress", access=Access.PUBLIC, tag=TAG, refusals=(WorkNotFound,),
     summary="The pacing curve of a title in N segments")  # fmt: skip
async def read_progress(
    request: Call, title_id: FromPath[str], segments: Segments = USUAL_SEGMENTS
) -> Answer[Progress]:
    """Answer the mean score of every segment, and the caller's own where signed in."""
    work_id, viewer = title_id_of(title_id), request.viewer
    if segments not in GRIDS:
        return await _progress_on_any_grid(request, work_id, segments)

    async def read() -> HotAnswer:
        # The anonymous curve is one statement; with own scores there are several, in one snapshot.
        source = request.kernel.database.statement() if viewer is None else request.read()
        async with source as tx:
            progress, seq = await progress_of(tx, viewer, work_id, segments)
        whose = "" if viewer is None else f"-{viewer.id.hex[-12:]}"
        return HotAnswer(json.encode(progress), f"{progress.version}-{segments}{whose}-{seq}", seq)

    key = f"progress {segments} {viewer.id if viewer else ''}"
    return await request.hot(title_room(work_id), key, read)


async def _progress_on_any_grid(request: Call, work_id: WorkId, segments: int) -> Answer[Progress]:
    """A grid that no write keeps ready is computed from every voice: once for all, at most once a second."""

    async def read() -> HotAnswer:
        async with request.kernel.database.statement() as tx:
            row = await curve_on_grid(tx, work_id, segments)
        return HotAnswer(json.encode(row), "", row.seq)

    hot = await request.kernel.hot.get(title_room(work_id), f"grid {segments}", read, hold_seconds=1)
    row = json.decode(hot.body, CurveRow)
    own: dict[int, int] = {}
    if request.viewer is not None:
        async with request.read() as tx:
            own = await own_voices(tx, request.viewer, work_id, segments)
    room_seq = {"Room-Seq": request.room_seq(row.seq)}
    return Answer(drawn(work_id, row, segments, own), headers=room_seq)


@get("/api/titles/{title_id:str}/t2g", access=Access.PUBLIC, tag=TAG, refusals=(WorkNotFound,),
     summary="How long until it gets good")  # fmt: skip
async def read_t2g(request: Call, title_id: FromPath[str]) -> Answer[T2g]:
    """Answer the time to good with its confidence; under three users, that of titles like this one."""
    work_id = title_id_of(title_id)
    return request.answer_hot(await t2g.hot_t2g(request.kernel, work_id))


@get("/api/titles/{title_id:str}/t2g/stream", access=Access.PUBLIC, tag=TAG, streams=True,
     refusals=(WorkNotFound, TooManyConnections),
     summary="The time to good now, and every time it changes")  # fmt: skip
async def stream_t2g(request: Call, title_id: FromPath[str], ticket: FromQuery[str | None] = None) -> Stream:
    """Answer events `t2g_updated` with the whole object; their id is the revision."""
    work_id = title_id_of(title_id)
    listener = await listener_of(request, ticket)
    await t2g.hot_t2g(request.kernel, work_id)  # what is not there is refused before anything is streamed

    async def read() -> Moment:
        hot = await t2g.hot_t2g(request.kernel, work_id)
        return Moment("t2g_updated", hot.etag, hot.body)

    return Stream([title_room(work_id), t2g.ESTIMATES_ROOM], listener, read)


@get("/api/titles/{title_id:str}/t2g/history", access=Access.PUBLIC, tag=TAG, refusals=(WorkNotFound,),
     summary="What the time to good was, newest first")  # fmt: skip
async def read_t2g_history(
    request: Call, title_id: FromPath[str], limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[T2gThen]]:
    """Answer each change of estimate or confidence."""
    behind = request.read_cursor(cursor)
    async with request.read() as tx:
        work = await work_to_see(tx, title_id)
        rows = await t2g_queries.history(tx, work.id, behind[0] if behind else None, limit + 1)
    page, place = cut(rows, limit, lambda row: [row[0]])
    return Answer(Page([then for _, then in page], request.next_cursor(place)))


@get("/api/titles/{title_id:str}/wiggs", access=Access.SIGNED_IN, tag=TAG, refusals=(WorkNotFound,),
     summary="One's own marks of a title")  # fmt: skip
async def read_own_wiggs(request: Call, title_id: FromPath[str]) -> Answer[OwnWiggs]:
    """Answer every mark the caller has placed on the title."""
    async with request.read() as tx:
        told, row = await t2g.t2g_of(tx, title_id_of(title_id))
        own = await access.own_to_see(tx, request.actor, title_id)
    entries = [actions.shown(wigg) for wigg in own.wiggs]
    room_seq = {"Room-Seq": request.room_seq(row.room_seq)}
    return Answer(OwnWiggs(entries, told.t2g_estimate_pct), headers=room_seq)


@get("/api/titles/{title_id:str}/segments/cells", access=Access.SIGNED_IN, tag=TAG,
     refusals=(WorkNotFound,), summary="One's own painting of a title")  # fmt: skip
async def read_cells(request: Call, title_id: FromPath[str]) -> Answer[Page[Cell]]:
    """Answer the pieces of the caller's painting; at most 490, the parts between all grids' boundaries."""
    async with request.read() as tx:
        work = await work_to_see(tx, title_id)
        cells = await queries.own_cells(tx, request.actor.id, work.id)
        seq = await room_seq(tx, title_room(work.id))
    return Answer(Page(cells), headers={"Room-Seq": request.room_seq(seq)})


@post("/api/titles/{title_id:str}/wiggs", access=Access.SIGNED_IN, tag=TAG, limits=("place",),
      refusals=(WorkNotFound, SessionNotFound, SessionEnded, OptimisticIdReused), example=_MARK,
      secret=True, summary="Mark where a title gets good")  # fmt: skip
async def place_wigg(request: Call, title_id: FromPath[str], data: JSONBody[NewWigg]) -> Answer[PlacedWigg]:
    """Place a mark; one within 1 % of one's own is merged into it."""

    async def act(tx: Tx) -> Answer[PlacedWigg]:
        placed = await actions.place_wigg(tx, request.actor, request.kernel.secrets, title_id, data)
        return Answer(placed, status=200 if placed.outcome == "known" else 201)

    return await request.write(act)


@post("/api/titles/{title_id:str}/wiggs/batch", access=Access.SIGNED_IN, tag=TAG, limits=("place",),
      status=200, refusals=(WorkNotFound, SessionNotFound, SessionEnded, OptimisticIdReused),
      example={"wiggs": [_MARK]}, secret=True, summary="Place up to 100 marks, all or none")  # fmt: skip
async def place_batch(
    request: Call, title_id: FromPath[str], data: JSONBody[WiggBatch]
) -> Answer[PlacedBatch]:
    """Place marks in order; how clients that were offline catch up."""

    async def act(tx: Tx) -> Answer[PlacedBatch]:
        return Answer(await actions.place_batch(tx, request.actor, request.kernel.secrets, title_id, data))

    return await request.write(act)


@patch("/api/titles/{title_id:str}/wiggs/{wigg_id:uuid}", access=Access.SIGNED_IN, tag=TAG,
       refusals=(WorkNotFound, WiggNotFound, SessionNotFound, SessionEnded, TooClose), example={"rating": 3},
       secret=True, summary="Change one's own mark")  # fmt: skip
async def change_wigg(
    request: Call, title_id: FromPath[str], wigg_id: FromPath[UUID], data: JSONBody[WiggChange]
) -> Answer[ChangedWigg]:
    """Change position, note or rating; what is left out stays."""

    async def act(tx: Tx) -> Answer[ChangedWigg]:
        secrets = request.kernel.secrets
        return Answer(await actions.change_wigg(tx, request.actor, secrets, title_id, wigg_id, data))

    return await request.write(act)


@delete("/api/titles/{title_id:str}/wiggs/{wigg_id:uuid}", access=Access.SIGNED_IN, tag=TAG, status=200,
        refusals=(WorkNotFound, WiggNotFound, SessionNotFound, SessionEnded), secret=True,
        summary="Remove one's own mark")  # fmt: skip
async def remove_wigg(
    request: Call,
    title_id: FromPath[str],
    wigg_id: FromPath[UUID],
    session_id: FromQuery[UUID | None] = None,
) -> Answer[UndoToken]:
    """Remove a mark, in an edit session where one is named; the answer's token brings it back."""

    async def act(tx: Tx) -> Answer[UndoToken]:
        secrets = request.kernel.secrets
        return Answer(await actions.remove_wigg(tx, request.actor, secrets, title_id, wigg_id, session_id))

    return await request.write(act)


ROUTES = (
    read_progress, read_t2g, stream_t2g, read_t2g_history, read_own_wiggs, read_cells,
    place_wigg, place_batch, change_wigg, remove_wigg,
)  # fmt: skip
