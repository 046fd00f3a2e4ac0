"""The arithmetic of paintings and of taking back, against slow, obvious twins (Hypothesis)."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid5

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.apps.graph_model import EDGES, PARTS, GraphModel, Record, segment_places

from quintet.apps.wigg.editing import records as kept
from quintet.apps.wigg.editing.model import Absent, Gap, Painted
from quintet.apps.wigg.editing.painting import (
    changes_between,
    mean_over,
    moved,
    newest_over,
    over,
    repaint,
    rows_between,
    united,
)
from quintet.apps.wigg.editing.reversal import MOST_MARKS, Reversal
from quintet.apps.wigg.model import ActionId, Wigg, WiggId
from quintet.apps.wigg.rules import MILLION, WHOLE, boundaries
from quintet.kernel import json
from quintet.kernel.clock import Instant

NOW = Instant(2026, 1, 1)
NAMES = UUID(int=7)
grids = st.sampled_from(range(12, 41))


def action(number: int) -> ActionId:
    return ActionId(uuid5(NAMES, f"action {number}"))


def wigg_id(number: int) -> WiggId:
    return WiggId(uuid5(NAMES, f"wigg {number}"))


@st.composite
def segments(draw: st.DrawFn) -> tuple[int, int, int]:
    """Some segment of some grid: where it starts and ends, and its score."""
    n = draw(grids)
    index = draw(st.integers(0, n - 1))
    return boundaries(n)[index], boundaries(n)[index + 1], draw(st.sampled_from((0, MILLION, 4 * MILLION)))


def painted(strokes: list[tuple[int, int, int]]) -> list[Painted]:
    painting: list[Painted] = []
    for number, (starts, ends, score) in enumerate(strokes):
        painting = repaint(painting, [Painted(starts, ends, score, number + 1, action(number), NOW)])
    return painting


def spelled(painting: list[Painted]) -> list[tuple[Any, ...] | None]:
    """What is painted at every place."""
    told: list[tuple[Any, ...] | None] = [None] * len(PARTS)
    for piece in painting:
        for place, (starts, ends) in enumerate(PARTS):
            if piece.starts <= starts and ends <= piece.ends:
                assert told[place] is None, "pieces do not overlap"
                told[place] = (piece.score, piece.version, piece.action_id)
    assert sum(p.ends - p.starts for p in painting) == sum(
        ends - starts for (starts, ends), one in zip(PARTS, told, strict=True) if one
    ), "every piece stands on boundaries"
    return told


def test_all_grids_together_have_490_parts() -> None:
    assert len(PARTS) == 490
    assert (EDGES[0], EDGES[-1]) == (0, WHOLE)


@given(st.lists(segments(), max_size=12))
def test_the_last_stroke_is_on_top(strokes: list[tuple[int, int, int]]) -> None:
    expected: list[tuple[Any, ...] | None] = [None] * len(PARTS)
    for number, (starts, ends, score) in enumerate(strokes):
        for place, part in enumerate(PARTS):
            if starts <= part[0] and part[1] <= ends:
                expected[place] = (score, number + 1, action(number))
    painting = painted(strokes)
    assert spelled(painting) == expected
    assert painting == sorted(painting, key=lambda piece: piece.starts)
    for one, other in pairwise(painting):
        alike = (one.score, one.action_id) == (other.score, other.action_id)
        assert one.ends < other.starts or not alike, "neighbours alike are one piece"


@given(st.lists(segments(), max_size=8), st.integers(0, WHOLE), st.integers(0, WHOLE))
@example([(0, 5 * MILLION, 0)], 5 * MILLION, 5 * MILLION)
@example([(0, 5 * MILLION, 0)], MILLION, MILLION)
def test_what_covers_an_interval(strokes: list[tuple[int, int, int]], one: int, other: int) -> None:
    starts, ends = sorted((one, other))
    painting = painted(strokes)
    covering = over(painting, starts, ends)
    assert [s.starts for s in covering] + [ends] == [starts, *(s.ends for s in covering)]
    assert all(s.starts < s.ends for s in covering)
    for stretch in covering:
        under = [p for p in painting if p.starts < stretch.ends and p.ends > stretch.starts]
        if isinstance(stretch, Gap):
            assert under == []
        else:
            assert [p.action_id for p in under] == [stretch.action_id]
    total = sum((s.ends - s.starts) * s.score for s in covering if isinstance(s, Painted))
    length = sum(s.ends - s.starts for s in covering if isinstance(s, Painted))
    mean = mean_over(painting, starts, ends)
    assert mean == (int(Fraction(total, length) + Fraction(1, 2)) if length else None)
    newest = newest_over(painting, starts, ends)
    versions = [s.version for s in covering if isinstance(s, Painted)]
    assert (newest.version if newest else None) == max(versions, default=None)


@given(st.lists(segments(), max_size=8), st.lists(segments(), max_size=8))
def test_rows_make_one_painting_of_another(
    before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]
) -> None:
    was, now = painted(before), painted(before[:2] + after)
    gone, written = rows_between(was, now)
    rows = {piece.starts: piece for piece in was if piece.starts not in gone}
    assert set(gone).isdisjoint(piece.starts for piece in written)
    rows |= {piece.starts: piece for piece in written}
    assert sorted(rows.values(), key=lambda piece: piece.starts) == now
    # What changed, as a record, makes one of the other, too.
    changes = changes_between(was, now)
    identities = [one and one[2] for one in spelled(repaint(was, [c.after for c in changes]))]
    assert identities == [one and one[2] for one in spelled(now)]


@given(
    st.none() | st.integers(0, 4 * MILLION),
    st.integers(0, 4 * MILLION),
    st.floats(0, 1, exclude_min=True, allow_subnormal=True),
)
@example(0, 4 * MILLION, 5e-324)
@example(4 * MILLION, 0, 1.0)
@example(1, 2, 0.5)
def test_a_finger_moves_a_score(previous: int | None, score: int, weight: float) -> None:
    there = moved(previous, score, weight)
    if previous is None:
        assert there == score
        return
    exact = previous + Fraction(Decimal(repr(weight))) * (score - previous)
    assert there == int(exact + Fraction(1, 2)) or abs(exact + Fraction(1, 2) - there) < Fraction(1, 10**15)
    assert min(previous, score) <= there <= max(previous, score)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda p: (min(p), max(p)))))
def test_united_intervals_are_the_same_places(intervals: list[tuple[int, int]]) -> None:
    merged = united(intervals)
    assert all(one[1] < other[0] for one, other in pairwise(merged))
    for tenth in range(210):
        inside = any(s <= tenth / 10 <= e for s, e in intervals)
        assert inside == any(s <= tenth / 10 <= e for s, e in merged)


def wigg(number: int, identity: ActionId, position: int) -> Wigg:
    return Wigg(
        id=wigg_id(number),
        position=position,
        rating=None,
        note=None,
        session_id=None,
        action_id=identity,
        marked_at=NOW,
        client_created_at=None,
        created_at=NOW,
        updated_at=NOW,
    )


class Graph:
    """A user's marks and painting by our rules, with a twin that is slow and obvious."""

    def __init__(self) -> None:
        self.wiggs: dict[WiggId, Wigg] = {}
        self.painting: list[Painted] = []
        self.removed: dict[WiggId, ActionId] = {}
        self.twin = GraphModel()
        self.done: list[tuple[kept.Record, Record]] = []
        self.number = 0

    def paint(self, starts: int, ends: int, score: int, places: range) -> None:
        self.number += 1
        identity = action(self.number)
        after = repaint(self.painting, [Painted(starts, ends, score, self.number, identity, NOW)])
        record = kept.Record([], changes_between(self.painting, after))
        self.painting = after
        self.done.append((record, self.twin.do(self.number, dict.fromkeys(places, score))))

    def mark(self, which: int, position: int | None) -> None:
        self.number += 1
        identity, name = action(self.number), wigg_id(which)
        gone_by = self.removed.get(name)
        before = self.wiggs.get(name) or Absent(name, gone_by)
        if (isinstance(before, Absent) and position is None) or (gone_by is not None):
            return  # nobody removes what is gone, and a removed mark's id never comes again
        after = Absent(name, identity) if position is None else wigg(which, identity, position)
        self._set([after])
        record = kept.Record([kept.MarkChange(before, after)])
        self.done.append((record, self.twin.do(self.number, {str(name): position})))

    def _set(self, states: list[Wigg | Absent]) -> None:
        for state in states:
            self.wiggs.pop(state.id, None)
            self.removed.pop(state.id, None)
            if isinstance(state, Wigg):
                self.wiggs[state.id] = state
            elif state.action_id is not None:
                self.removed[state.id] = state.action_id

    def take_back(self, *which: int) -> None:
        """Undo or redo what was done, by number; what that did can be taken back, too."""
        reversal = Reversal(self.wiggs.values(), self.painting)
        ours = [as_kept(self.done[one][0]) for one in which]
        absent = [Absent(name, self.removed[name]) for name in reversal.unknown(ours) if name in self.removed]
        reversal.learn(absent)
        for record in ours:
            reversal.take_back(record)
        net = reversal.net()
        twin, outcome, newer = self.twin.take_back([self.done[one][1] for one in which])
        assert reversal.outcome == outcome
        places = {str(name) for name in reversal.skipped_marks}
        for starts, ends in reversal.skipped_parts:
            places |= {p for p, part in enumerate(PARTS) if starts <= part[0] and part[1] <= ends}
        assert places == newer
        self._set([change.after for change in net.marks])
        self.painting = [
            msgspec.structs.replace(piece, version=piece.version or 99) for piece in reversal.painting(net)
        ]
        self.done.append((kept.turned(kept.turned(net)), twin))

    def check(self) -> None:
        names = {action(number): number for number in range(self.number + 1)}
        told = [one and (names[one[2]], one[0]) for one in spelled(self.painting)]
        assert told == [
            None if (state := self.twin.at(place))[0] is None else state for place in range(len(PARTS))
        ]
        states = {str(w.id): (names[w.action_id], w.position) for w in self.wiggs.values()}
        states |= {str(name): (names[by], None) for name, by in self.removed.items()}
        twins = {k: v for k, v in self.twin.states.items() if isinstance(k, str) and v[0] is not None}
        assert states == twins


def as_kept(record: kept.Record) -> kept.Record:
    """The record as it comes back from the database, turned by nothing."""
    before = kept.States([c.before for c in record.marks], [c.before for c in record.painting])
    after = kept.States([c.after for c in record.marks], [c.after for c in record.painting])
    back = kept.record_of(*(json.decode(json.encode(side), Any) for side in (before, after)))
    assert back == record
    return back


steps = st.lists(
    st.one_of(
        st.tuples(st.just("paint"), grids, st.integers(0, 39), st.sampled_from((0, MILLION))),
        st.tuples(st.just("mark"), st.integers(0, 3), st.none() | st.integers(0, WHOLE)),
        st.tuples(st.just("take back"), st.integers(0, 30)),
        st.tuples(st.just("take back last"), st.integers(1, 6)),
    ),
    max_size=25,
)


@settings(max_examples=300)
@given(steps)
def test_taking_back_equals_the_twin(history: list[tuple[Any, ...]]) -> None:
    graph = Graph()
    for step in history:
        match step:
            case "paint", n, index, score:
                index %= n
                edges = boundaries(n)
                graph.paint(edges[index], edges[index + 1], score, segment_places(index, n))
            case "mark", which, position:
                graph.mark(which, position)
            case "take back", which if which < len(graph.done):
                graph.take_back(which)
            case "take back last", count if count <= len(graph.done):
                graph.take_back(*range(len(graph.done) - 1, len(graph.done) - 1 - count, -1))
            case _:
                pass
        graph.check()


@settings(max_examples=100)
@given(steps.map(lambda history: [step for step in history if step[0] in {"paint", "mark"}]))
def test_undoing_all_and_redoing_all(history: list[tuple[Any, ...]]) -> None:
    graph = Graph()
    for step in history:
        if step[0] == "paint":
            _, n, index, score = step
            index %= n
            graph.paint(boundaries(n)[index], boundaries(n)[index + 1], score, segment_places(index, n))
        else:
            graph.mark(*step[1:])
    count = len(graph.done)
    states = dict(graph.twin.states)
    for one in reversed(range(count)):
        graph.take_back(one)
        graph.check()
    assert (graph.painting, graph.wiggs, graph.removed) == ([], {}, {})
    for one in range(count):
        graph.take_back(2 * count - 1 - one)
        graph.check()
    assert {k: v for k, v in graph.twin.states.items() if v[0] is not None} == states


def test_marks_that_come_back_are_bounded() -> None:
    wiggs = [wigg(number, action(0), number * 100_000) for number in range(MOST_MARKS)]
    reversal = Reversal(wiggs, [])
    gone = wigg(MOST_MARKS, action(1), 0)
    record = kept.Record([kept.MarkChange(gone, Absent(gone.id, action(2)))])
    reversal.learn([Absent(gone.id, action(2))])
    assert not reversal.take_back(record)
    assert (reversal.outcome, reversal.skipped_marks) == ("superseded", {gone.id: "full"})


def test_nobodys_absence_is_not_somebodys() -> None:
    """A mark removed once more stays removed, though the older removal is taken back."""
    mark = wigg(0, action(0), 5)
    older = kept.Record([kept.MarkChange(mark, Absent(mark.id, action(1)))])
    reversal = Reversal([], [])
    reversal.learn([Absent(mark.id, action(2))])
    assert not reversal.take_back(older)
    assert reversal.outcome == "superseded"


def test_tokens_name_their_action_and_nothing_else_does() -> None:
    for text in ("", "x", "é", "A" * 47, "A" * 44, "=" * 48, "A" * 5000, "%00"):
        assert kept.action_of_token(text) is None
    assert kept.action_of_token("A" * 48) == UUID(int=0)
