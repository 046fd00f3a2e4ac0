"""Reading a title's curve: the progress of N segments, for anybody and for a signed-in caller."""

from quintet.apps.wigg import queries
from quintet.apps.wigg.access import own_to_see
from quintet.apps.wigg.model import Progress, Segment
from quintet.apps.wigg.placing import said
from quintet.apps.wigg.queries import CurveRow
from quintet.apps.wigg.rules import (
    MILLION,
    boundaries,
    grid_slice,
    pct_of,
    rounded_quotient,
    shown_mean,
    voices,
)
from quintet.domains.catalogue import WorkId, WorkNotFound, title_room
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


async def progress_of(tx: Tx, viewer: Actor | None, title_id: WorkId, segments: int) -> tuple[Progress, int]:
    """The curve of a title on a grid that is kept ready, and its room's seq; raises WorkNotFound.

    With a viewer, `tx` is a snapshot of several statements, so that curve and own scores belong together.
    """
    row = await queries.curve(tx, title_id, title_room(title_id), *grid_slice(segments))
    if row is None:
        raise WorkNotFound
    own = {} if viewer is None else await own_voices(tx, viewer, title_id, segments)
    return drawn(title_id, row, segments, own), row.seq


async def curve_on_grid(tx: Tx, title_id: WorkId, segments: int) -> CurveRow:
    """The curve of a title on any grid, from every voice; raises WorkNotFound."""
    row = await queries.curve_on_grid(tx, title_id, title_room(title_id), list(boundaries(segments)[:-1]))
    if row is None:
        raise WorkNotFound
    return row


async def own_voices(tx: Tx, viewer: Actor, title_id: WorkId, segments: int) -> dict[int, int]:
    """The viewer's own voice per segment."""
    own = await own_to_see(tx, viewer, title_id)
    return voices(said(own.wiggs, own.painting), segments)


def drawn(title_id: WorkId, row: CurveRow, segments: int, own: dict[int, int]) -> Progress:
    """The curve as callers see it, with the viewer's own scores."""
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
