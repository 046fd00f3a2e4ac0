"""WIGG's edge for Edit Graph Mode: sessions, painting, undo and redo."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.apps.wigg import access
from quintet.apps.wigg.editing import queries as editing_queries
from quintet.apps.wigg.editing import sessions as editing
from quintet.apps.wigg.editing import strokes, undoing
from quintet.apps.wigg.editing.model import (
    EditSession,
    NewScore,
    NotYourPainting,
    OpenSession,
    PaintedSegment,
    PaintedStroke,
    Redone,
    SessionEnded,
    SessionNotFound,
    ShownAction,
    ShownSession,
    StaleSegment,
    Stroke,
    TokenExpired,
    TokenNotFound,
    TokenUsed,
    Undone,
)
from quintet.apps.wigg.editing.queries import ListedAction
from quintet.apps.wigg.editing.telling import shown_states
from quintet.apps.wigg.rules import LEAST_SEGMENTS, MOST_SEGMENTS, USUAL_SEGMENTS
from quintet.domains.catalogue import WorkNotFound, work_to_see
from quintet.kernel.actor import Access
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, get, patch, post
from quintet.kernel.http.paging import cut
from quintet.kernel.refusals import InvalidCursor

TAG = "WIGG"
Segments = Annotated[
    int, QueryParameter(ge=LEAST_SEGMENTS, le=MOST_SEGMENTS, description="How many equal parts.")
]
_SESSION = "/api/titles/{title_id:str}/edit-sessions/{session_id:uuid}"
_MOST_SHOWN = 100


@post("/api/titles/{title_id:str}/edit-sessions", access=Access.SIGNED_IN, tag=TAG,
      refusals=(WorkNotFound,), summary="Start an edit session")  # fmt: skip
async def start_edit_session(request: Call, title_id: FromPath[str]) -> Answer[OpenSession]:
    """Begin to edit a title's graph; the 21st open session of a user ends the oldest."""

    async def act(tx: Tx) -> Answer[OpenSession]:
        idle_seconds = request.kernel.settings.edit_session_seconds
        session = await editing.start_session(tx, request.actor, title_id, idle_seconds)
        return Answer(session, location=f"/api/titles/{title_id}/edit-sessions/{session.id}")

    return await request.write(act)


@get(_SESSION, access=Access.SIGNED_IN, tag=TAG, refusals=(WorkNotFound, SessionNotFound),
     summary="One's own edit session and what was done in it")  # fmt: skip
async def read_edit_session(
    request: Call, title_id: FromPath[str], session_id: FromPath[UUID]
) -> Answer[ShownSession]:
    """Answer the session's state and its newest actions: what a page needs after a refresh."""
    async with request.read() as tx:
        session = await access.session_to_see(tx, request.actor, title_id, session_id)
        listed = await editing_queries.actions(
            tx, request.actor.id, session.title_id, session.id, None, _MOST_SHOWN
        )
        now = tx.now
    return Answer(
        ShownSession(
            id=session.id,
            title_id=session.title_id,
            started_at=session.started_at,
            expires_at=session.expires_at,
            ended_at=access.ended_at(session, now),
            actions_count=session.actions_count,
            actions=[_shown(request, one, now) for one in listed],
        )
    )


@post(f"{_SESSION}/heartbeat", access=Access.SIGNED_IN, tag=TAG, status=200,
      refusals=(WorkNotFound, SessionNotFound, SessionEnded),
      summary="Keep an edit session open")  # fmt: skip
async def keep_edit_session(
    request: Call, title_id: FromPath[str], session_id: FromPath[UUID]
) -> Answer[OpenSession]:
    """Let the session last anew from now."""

    async def act(tx: Tx) -> Answer[OpenSession]:
        return Answer(await editing.prolong_session(tx, request.actor, title_id, session_id))

    return await request.write(act)


@post(f"{_SESSION}/end", access=Access.SIGNED_IN, tag=TAG, status=200,
      refusals=(WorkNotFound, SessionNotFound, SessionEnded), summary="End an edit session")  # fmt: skip
async def end_edit_session(
    request: Call, title_id: FromPath[str], session_id: FromPath[UUID]
) -> Answer[EditSession]:
    """End the session; for a day it can still be undone as a whole."""

    async def act(tx: Tx) -> Answer[EditSession]:
        return Answer(await editing.end_session(tx, request.actor, title_id, session_id))

    return await request.write(act)


@patch("/api/titles/{title_id:str}/segments/{segment_index:int}/score", access=Access.SIGNED_IN, tag=TAG,
       limits=("paint",), secret=True, example={"score": 3.5},
       refusals=(WorkNotFound, SessionNotFound, SessionEnded, StaleSegment, NotYourPainting),
       summary="Paint one segment")  # fmt: skip
async def paint_segment(
    request: Call,
    title_id: FromPath[str],
    segment_index: FromPath[int],
    data: JSONBody[NewScore],
    segments: Segments = USUAL_SEGMENTS,
) -> Answer[PaintedSegment]:
    """Give a segment one's own score, in place of what one has painted there on any grid."""

    async def act(tx: Tx) -> Answer[PaintedSegment]:
        secrets = request.kernel.secrets
        return Answer(
            await strokes.paint_segment(tx, request.actor, secrets, title_id, segment_index, segments, data)
        )

    return await request.write(act)


@post("/api/titles/{title_id:str}/paint-batch", access=Access.SIGNED_IN, tag=TAG, limits=("paint",),
      status=200, secret=True,
      example={"operations": [{"segment_index": 3, "score": 4, "weight": 0.5}]},
      refusals=(WorkNotFound, SessionNotFound, SessionEnded, StaleSegment),
      summary="Paint a stroke, all of it or nothing")  # fmt: skip
async def paint_stroke(
    request: Call, title_id: FromPath[str], data: JSONBody[Stroke], segments: Segments = USUAL_SEGMENTS
) -> Answer[PaintedStroke]:
    """Move segments towards scores, in order: the moving average of a finger passing again and again."""

    async def act(tx: Tx) -> Answer[PaintedStroke]:
        secrets = request.kernel.secrets
        return Answer(await strokes.paint_stroke(tx, request.actor, secrets, title_id, segments, data))

    return await request.write(act)


@post("/api/undo/{undo_token:str}", access=Access.SIGNED_IN, tag=TAG, status=200, secret=True,
      refusals=(TokenNotFound, TokenUsed, TokenExpired), summary="Undo one of one's own actions")  # fmt: skip
async def undo(request: Call, undo_token: FromPath[str]) -> Answer[Undone]:
    """Put back what was there, wherever the last write is still that action's; by its token or its id."""

    async def act(tx: Tx) -> Answer[Undone]:
        kernel = request.kernel
        seconds = kernel.settings.undo_seconds
        return Answer(await undoing.undo(tx, request.actor, kernel.secrets, undo_token, seconds))

    return await request.write(act)


@post("/api/redo/{redo_token:str}", access=Access.SIGNED_IN, tag=TAG, status=200, secret=True,
      refusals=(TokenNotFound, TokenUsed, TokenExpired), summary="Redo what one has undone")  # fmt: skip
async def redo(request: Call, redo_token: FromPath[str]) -> Answer[Redone]:
    """Return to the state just before an undo, wherever nothing newer has come."""

    async def act(tx: Tx) -> Answer[Redone]:
        kernel = request.kernel
        seconds = kernel.settings.undo_seconds
        return Answer(await undoing.redo(tx, request.actor, kernel.secrets, redo_token, seconds))

    return await request.write(act)


@post("/api/titles/{title_id:str}/undo-session/{session_id:uuid}", access=Access.SIGNED_IN, tag=TAG,
      status=200, secret=True, limits=("place",), refusals=(WorkNotFound, SessionNotFound, SessionEnded),
      summary="Undo all that still stands of an edit session")  # fmt: skip
async def undo_session(request: Call, title_id: FromPath[str], session_id: FromPath[UUID]) -> Answer[Undone]:
    """Take the session's actions back, newest first, at once; until a day after its end."""

    async def act(tx: Tx) -> Answer[Undone]:
        secrets = request.kernel.secrets
        return Answer(await undoing.undo_session(tx, request.actor, secrets, title_id, session_id))

    return await request.write(act)


@get("/api/titles/{title_id:str}/actions", access=Access.SIGNED_IN, tag=TAG,
     refusals=(WorkNotFound, InvalidCursor), summary="What one did on a title, newest first")  # fmt: skip
async def read_actions(
    request: Call,
    title_id: FromPath[str],
    session_id: FromQuery[UUID | None] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Answer[Page[ShownAction]]:
    """Answer the caller's own actions, all or those of one session, undoable or not."""
    behind = request.read_cursor(cursor, session_id)
    async with request.read() as tx:
        work = await work_to_see(tx, title_id)
        listed = await editing_queries.actions(
            tx, request.actor.id, work.id, session_id, behind[0] if behind else None, limit + 1
        )
        now = tx.now
    page, place = cut(listed, limit, lambda one: [one.number])
    items = [_shown(request, one, now) for one in page]
    return Answer(Page(items, request.next_cursor(place, session_id)))


def _shown(request: Call, one: ListedAction, now: Instant) -> ShownAction:
    since, lasts = one.usable_since, timedelta(seconds=request.kernel.settings.undo_seconds)
    record = one.record
    return ShownAction(
        action_id=one.id,
        action_type=one.action_type,
        session_id=one.session_id,
        batch_id=one.batch_id,
        created_at=one.created_at,
        undone_at=one.undone_at,
        undoable=one.undone_at is None and since is not None and now < since + lasts,
        before=shown_states([c.before for c in record.marks], [c.before for c in record.painting]),
        after=shown_states([c.after for c in record.marks], [c.after for c in record.painting]),
    )


EDITING_ROUTES = (
    start_edit_session, read_edit_session, keep_edit_session, end_edit_session, paint_segment, paint_stroke,
    undo, redo, undo_session, read_actions,
)  # fmt: skip
