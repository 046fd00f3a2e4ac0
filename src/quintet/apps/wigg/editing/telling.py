"""How records are told: to their author in answers and lists, and to a title's room. Notes are never told."""

from collections.abc import Iterable

from quintet.apps.wigg.editing.model import (
    Painted,
    RestoredPart,
    RestoredWigg,
    SkippedPart,
    SkippedWigg,
    Stretch,
    ToldPart,
    ToldWigg,
    WiggState,
)
from quintet.apps.wigg.editing.records import Record
from quintet.apps.wigg.editing.reversal import Reversal
from quintet.apps.wigg.model import Wigg
from quintet.apps.wigg.rules import MILLION, pct_of


def seen(record: Record) -> Record:
    """What anybody could see of a change: not that a mark that is gone is gone otherwise."""
    marks = [c for c in record.marks if isinstance(c.before, Wigg) or isinstance(c.after, Wigg)]
    return Record(marks, record.painting)


def told_wiggs(states: Iterable[WiggState]) -> list[ToldWigg]:
    """Marks as anybody may know them."""
    return [
        ToldWigg(state.id, pct_of(state.position), state.rating, removed=False)
        if isinstance(state, Wigg)
        else ToldWigg(state.id, None, None, removed=True)
        for state in states
    ]


def told_parts(stretches: Iterable[Stretch]) -> list[ToldPart]:
    """Parts of a painting as anybody may know them, those alike as one."""
    parts: list[tuple[int, int, int | None]] = []
    for one in stretches:
        score = one.score if isinstance(one, Painted) else None
        if parts and parts[-1][1:] == (one.starts, score):
            parts[-1] = (parts[-1][0], one.ends, score)
        else:
            parts.append((one.starts, one.ends, score))
    return [
        ToldPart(pct_of(starts), pct_of(ends), None if score is None else score / MILLION)
        for starts, ends, score in parts
    ]


def shown_states(
    wiggs: Iterable[WiggState], painting: Iterable[Stretch]
) -> list[RestoredWigg | RestoredPart]:
    """Marks and parts of a painting in one list."""
    marks = [RestoredWigg(w.wigg_id, w.position_pct, w.rating, w.removed) for w in told_wiggs(wiggs)]
    return [*marks, *(RestoredPart(p.start_pct, p.end_pct, p.score) for p in told_parts(painting))]


def skipped(reversal: Reversal) -> list[SkippedWigg | SkippedPart]:
    """What a reversal has left alone."""
    marks = [SkippedWigg(wigg_id, reason) for wigg_id, reason in reversal.skipped_marks.items()]
    parts = [SkippedPart(pct_of(starts), pct_of(ends), "newer") for starts, ends in reversal.skipped_parts]
    return [*marks, *parts]
