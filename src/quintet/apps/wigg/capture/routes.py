"""WIGG's edge for live capture."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar.params import FromPath, JSONBody

from quintet.apps.wigg.capture import actions, queries
from quintet.apps.wigg.capture.model import (
    Capture,
    CaptureNotFound,
    CapturePosition,
    Captures,
    CaptureStopped,
    MarkNow,
    NewCapture,
    NoActiveCapture,
    ShownCapture,
)
from quintet.apps.wigg.editing.model import SessionEnded, SessionNotFound
from quintet.apps.wigg.milestones.model import LengthUnknown
from quintet.apps.wigg.model import OptimisticIdReused, PlacedWigg
from quintet.domains.catalogue import WorkNotFound
from quintet.kernel.actor import Access, Actor
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, get, post, put
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.live.names import user_room
from quintet.kernel.refusals import InvalidCursor

TAG = "WIGG"
CAPTURE = "/api/live-capture/{capture_id:uuid}"
CHANGES = (CaptureNotFound, CaptureStopped)


@get("/api/live-capture", access=Access.SIGNED_IN, tag=TAG, refusals=(InvalidCursor,),
     summary="What one captures, active ones first")  # fmt: skip
async def read_captures(request: Call, limit: Limit = 20, cursor: Cursor = None) -> Answer[Captures]:
    """Answer one's captures where they stand now, at the top the newest active one."""
    behind: Any = request.read_cursor(cursor)
    if behind is not None:
        behind = (behind[0], Instant.fromisoformat(behind[1]), UUID(behind[2]))
    async with request.read() as tx:
        found = await queries.own_captures(tx, request.actor.id, behind, limit + 1)
        newest = found if behind is None else await queries.own_captures(tx, request.actor.id, None, 1)
        page, place = cut(found, limit, lambda c: [c.stopped_at is None, str(c.started_at), str(c.id)])
        items = [actions.shown(one, tx.now) for one in page]
        seq = await room_seq(tx, user_room(request.actor.id))
        top = [actions.shown(one, tx.now) for one in newest[:1] if one.stopped_at is None]
    pct, paused = (top[0].current_pct, top[0].is_paused) if top else (None, False)
    captures = Captures(pct, bool(top), paused, items, request.next_cursor(place))
    return Answer(captures, headers={"Room-Seq": request.room_seq(seq)})


@post("/api/live-capture/start", access=Access.SIGNED_IN, tag=TAG, refusals=(WorkNotFound, LengthUnknown),
      example={"title_id": "heat-1995", "mode": "timed"}, summary="Start capturing a title")  # fmt: skip
async def start_capture(request: Call, data: JSONBody[NewCapture]) -> Answer[ShownCapture]:
    """Start a capture; what one captures of the title already is answered as it is, with 200."""

    async def act(tx: Tx) -> Answer[ShownCapture]:
        capture, new = await actions.start_capture(tx, request.actor, data)
        return Answer(actions.shown(capture, tx.now), status=201 if new else 200)

    return await request.write(act)


@put(f"{CAPTURE}/position", access=Access.SIGNED_IN, tag=TAG, refusals=CHANGES,
     example={"current_pct": 37.5}, summary="Say where one is")  # fmt: skip
async def put_position(
    request: Call, capture_id: FromPath[UUID], data: JSONBody[CapturePosition]
) -> Answer[ShownCapture]:
    """Move a capture; a timed one goes on from there."""
    return await _change(request, lambda tx, me: actions.seek(tx, me, capture_id, data.current_pct))


@post(f"{CAPTURE}/pause", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=CHANGES,
      summary="Pause a capture")  # fmt: skip
async def pause_capture(request: Call, capture_id: FromPath[UUID]) -> Answer[ShownCapture]:
    """Let a capture stand still; again changes nothing."""
    return await _change(request, lambda tx, me: actions.pause(tx, me, capture_id))


@post(f"{CAPTURE}/resume", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=CHANGES,
      summary="Resume a capture")  # fmt: skip
async def resume_capture(request: Call, capture_id: FromPath[UUID]) -> Answer[ShownCapture]:
    """Let a capture go on; again changes nothing."""
    return await _change(request, lambda tx, me: actions.resume(tx, me, capture_id))


@post(f"{CAPTURE}/stop", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=CHANGES,
      summary="Stop a capture")  # fmt: skip
async def stop_capture(request: Call, capture_id: FromPath[UUID]) -> Answer[ShownCapture]:
    """End a capture for good."""
    return await _change(request, lambda tx, me: actions.stop(tx, me, capture_id))


@post("/api/live-capture/mark-wigg", access=Access.SIGNED_IN, tag=TAG, limits=("place",),
      refusals=(WorkNotFound, CaptureNotFound, CaptureStopped, NoActiveCapture, SessionNotFound,
                SessionEnded, OptimisticIdReused),
      example={"title_id": "heat-1995", "rating": 3}, secret=True,
      summary="Mark where a capture is now")  # fmt: skip
async def mark_wigg(request: Call, data: JSONBody[MarkNow]) -> Answer[PlacedWigg]:
    """Place a mark at the capture's position, or at `pct`; answers as placing does."""

    async def act(tx: Tx) -> Answer[PlacedWigg]:
        placed = await actions.mark_now(tx, request.actor, request.kernel.secrets, data)
        return Answer(placed, status=200 if placed.outcome == "known" else 201)

    return await request.write(act)


async def _change(request: Call, change: Callable[[Tx, Actor], Awaitable[Capture]]) -> Answer[ShownCapture]:
    async def act(tx: Tx) -> Answer[ShownCapture]:
        return Answer(actions.shown(await change(tx, request.actor), tx.now))

    return await request.write(act)


CAPTURE_ROUTES = (
    read_captures, start_capture, put_position, pause_capture, resume_capture, stop_capture, mark_wigg,
)  # fmt: skip
