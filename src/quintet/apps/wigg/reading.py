"""Reading a title's curve: the progress of N segments, for anybody and for a signed-in caller."""

from quintet.apps.wigg import queries
from quintet.apps.wigg.access import title_room
from quintet.apps.wigg.model import Progress, Segment
from quintet.apps.wigg.placing import marks_of
from quintet.apps.wigg.queries import CurveRow
from quintet.apps.wigg.rules import (
    GRIDS,
    MILLION,
    Contribution,
    boundaries,
    grid_slice,
    pct_of,
    rounded_quotient,
    shown_mean,
    voices,
)
from quintet.domains.catalogue import WorkId, WorkNotFound
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


async def progress_of(tx: Tx, viewer: Actor | None, title_id: WorkId, segments: int) -> tuple[Progress, int]:
    """The curve of a title in N segments and its room's seq; raises WorkNotFound.

    With a viewer, `tx` is a snapshot of several statements, so that curve and own scores belong together.
    """
    room = title_room(title_id)
    if segments in GRIDS:
        row = await queries.curve(tx, title_id, room, *grid_slice(segments))
    else:
        row = await queries.curve_on_grid(tx, title_id, room, list(boundaries(segments)[:-1]))
    if row is None:
        raise WorkNotFound
    own: dict[int, int] = {}
    if viewer is not None:
        marks = marks_of(await queries.own_wiggs(tx, viewer.id, title_id)).marks
        painting = tuple(await queries.own_painting(tx, viewer.id, title_id))
        own = voices(Contribution(marks, painting), segments)
    return _drawn(title_id, row, segments, own), row.seq


def _drawn(title_id: WorkId, row: CurveRow, segments: int, own: dict[int, int]) -> Progress:
    edges = boundaries(segments)
    sums, counts = row.sums or [0] * segments, row.voices or [0] * segments
    drawn = [
        Segment(
            index=index,
            start_pct=pct_of(edges[index]),
            end_pct=pct_of(edges[index + 1]),
            mean_score=shown_mean(sums[index], counts[index]),
            user_score=_two_decimals(own.get(index)),
            sample_size=counts[index],
        )
        for index in range(segments)
    ]
    return Progress(title_id, row.total_length_seconds, row.version, drawn)


def _two_decimals(voice: int | None) -> float | None:
    return None if voice is None else rounded_quotient(voice, MILLION // 100) / 100
