"""The verbs of painting: one segment, or a stroke over many.

Invariant: a user's painting is read under the user's own lock and written with the curve in one statement, so
that what the curve gains is what the painting did.
"""

from collections.abc import Iterable
from uuid import UUID

from quintet.apps.wigg import access
from quintet.apps.wigg.editing import queries as editing_queries
from quintet.apps.wigg.editing import sessions as editing
from quintet.apps.wigg.editing.model import (
    NewScore,
    NotYourPainting,
    Operation,
    Painted,
    PaintedCell,
    PaintedSegment,
    PaintedStroke,
    SegmentPainted,
    SegmentsPainted,
    StaleCell,
    StaleSegment,
    Stroke,
    ToldCell,
)
from quintet.apps.wigg.editing.painting import (
    changes_between,
    mean_over,
    moved,
    newest_over,
    repaint,
    rows_between,
)
from quintet.apps.wigg.editing.queries import PaintWriting
from quintet.apps.wigg.editing.records import Record, new_action, undo_token
from quintet.apps.wigg.model import ActionId
from quintet.apps.wigg.placing import said
from quintet.apps.wigg.queries import Own
from quintet.apps.wigg.rules import MILLION, boundaries, curve_change, millionths_of, pct_of
from quintet.domains.catalogue import title_room
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import invalid
from quintet.kernel.secrets import Secrets


async def paint_segment(
    tx: Tx, actor: Actor, secrets: Secrets, title_id: str, index: int, segments: int, new: NewScore
) -> PaintedSegment:
    """Paint one segment; `paint_session_id` names the edit session it is done in."""
    if new.user_id is not None and new.user_id != actor.id:
        raise NotYourPainting
    if not 0 <= index < segments:
        raise invalid("out_of_range", f"0..{segments - 1}", parameter="segment_index")
    own = await access.own_to_change(tx, actor, title_id, [new.paint_session_id])
    access.check_session(own, new.paint_session_id, tx.now)
    check_not_stale(own.painting, [index], segments, new.base_version)
    score = millionths_of(new.score)
    was = mean_over(own.painting, *_edges(index, segments))
    action_id = ActionId(new_id())
    session_id = new.paint_session_id
    version = await _paint(
        tx, actor, secrets, own, {index: score}, segments, action_id, session_id, "paint_segment"
    )
    event = SegmentPainted(
        user_id=actor.id,
        title_id=own.title_id,
        segment_index=index,
        new_score=score / MILLION,
        segments=segments,
        version=version,
    )
    tx.emit(title_room(own.title_id), event)
    token = undo_token(secrets, action_id)
    return PaintedSegment(index, score / MILLION, _shown(was), version, token)


async def paint_stroke(
    tx: Tx, actor: Actor, secrets: Secrets, title_id: str, segments: int, stroke: Stroke
) -> PaintedStroke:
    """Apply a stroke's operations in order, all or none."""
    for place, operation in enumerate(stroke.operations):
        if operation.segment_index >= segments:
            pointer = f"/operations/{place}/segment_index"
            raise invalid("out_of_range", f"0..{segments - 1}", pointer=pointer)
    own = await access.own_to_change(tx, actor, title_id, [stroke.session_id])
    access.check_session(own, stroke.session_id, tx.now)
    touched = sorted({operation.segment_index for operation in stroke.operations})
    check_not_stale(own.painting, touched, segments, stroke.base_version)
    before = {index: mean_over(own.painting, *_edges(index, segments)) for index in touched}
    after = drawn_over(before, stroke.operations)
    action_id = ActionId(new_id())
    version = await _paint(
        tx, actor, secrets, own, after, segments, action_id, stroke.session_id, "paint_batch"
    )
    event = SegmentsPainted(
        user_id=actor.id,
        title_id=own.title_id,
        segments=segments,
        version=version,
        cells=[ToldCell(index, after[index] / MILLION) for index in touched],
    )
    tx.emit(title_room(own.title_id), event)
    cells = [PaintedCell(index, after[index] / MILLION, _shown(before[index]), version) for index in touched]
    return PaintedStroke(cells, version, undo_token(secrets, action_id))


def drawn_over(before: dict[int, int | None], operations: Iterable[Operation]) -> dict[int, int]:
    """The scores that operations leave, each moving what the ones before it left."""
    after: dict[int, int] = {}
    for one in operations:
        previous = after.get(one.segment_index, before[one.segment_index])
        after[one.segment_index] = moved(previous, millionths_of(one.score), one.weight)
    return after


def check_not_stale(
    painting: list[Painted], touched: Iterable[int], segments: int, base_version: int | None
) -> None:
    """Raise StaleSegment where the caller has painted, from another tab, after what this tab has seen."""
    if base_version is None:
        return
    for index in touched:
        starts, ends = _edges(index, segments)
        newest = newest_over(painting, starts, ends)
        if newest is not None and newest.version > base_version:
            cell = StaleCell(
                segment_index=index,
                start_pct=pct_of(starts),
                end_pct=pct_of(ends),
                score=(mean_over(painting, starts, ends) or 0) / MILLION,
                version=newest.version,
                painted_at=newest.painted_at,
                session_id=newest.session_id,
            )
            raise StaleSegment(members={"cell": cell})


async def _paint(
    tx: Tx,
    actor: Actor,
    secrets: Secrets,
    own: Own,
    scores: dict[int, int],
    segments: int,
    action_id: ActionId,
    session_id: UUID | None,
    action_type: str,
) -> int:
    """Write scores of segments, the record and the curve; the title's version after it."""
    new = [
        Painted(*_edges(index, segments), scores[index], 0, action_id, tx.now, session_id)
        for index in sorted(scores)
    ]
    painting = repaint(own.painting, new)
    record = Record([], changes_between(own.painting, painting))
    gone, pieces = rows_between(own.painting, painting)
    change = curve_change(said(own.wiggs, own.painting), said(own.wiggs, painting))
    action = new_action(secrets, action_id, action_type, record, session_id=session_id)
    await editing.count_actions(tx, actor, own, [session_id])
    writing = PaintWriting(gone, pieces, action, 0, change)
    return await editing_queries.write_painting(tx, actor.id, own.title_id, writing)


def _edges(index: int, segments: int) -> tuple[int, int]:
    edges = boundaries(segments)
    return edges[index], edges[index + 1]


def _shown(score: int | None) -> float | None:
    return None if score is None else score / MILLION
