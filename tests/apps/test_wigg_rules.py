"""Curve mathematics against slow, obvious twins (Hypothesis)."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from quintet.apps.wigg.model import Piece
from quintet.apps.wigg.rules import (
    GRIDS,
    LEVELS,
    MILLION,
    WHOLE,
    Contribution,
    boundaries,
    curve_change,
    grid_slice,
    position_of,
    rounded_quotient,
    score_of,
    segment_of,
    shown_mean,
    spread,
    voices,
    whole_curve,
)

positions = st.integers(0, WHOLE)
grids = st.integers(12, 40)


@st.composite
def contributions(draw: st.DrawFn) -> Contribution:
    marks = draw(st.lists(st.tuples(positions, st.none() | st.integers(0, 3)), max_size=8))
    edges = sorted(set(draw(st.lists(positions, max_size=8))))
    pieces = [
        Piece(starts, ends, draw(st.integers(0, 4 * MILLION)))
        for starts, ends in zip(edges[::2], edges[1::2], strict=False)
    ]
    return Contribution(tuple(marks), tuple(pieces))


@given(grids)
def test_boundaries_are_rounded_half_up(n: int) -> None:
    exact = [Fraction(k * WHOLE, n) for k in range(n + 1)]
    assert list(boundaries(n)) == [int(edge + Fraction(1, 2)) for edge in exact]


@given(positions, grids)
@example(WHOLE, 12)
@example(0, 40)
def test_a_segment_is_the_last_boundary_at_or_before(position: int, n: int) -> None:
    slow = max(k for k in range(n) if boundaries(n)[k] <= position)
    assert segment_of(position, n) == slow


def test_no_rounding_moves_a_mark_that_stands_on_a_boundary() -> None:
    for n in range(12, 41):
        for k in range(n):
            shown = boundaries(n)[k] / MILLION  # what a client was told
            assert segment_of(position_of(shown), n) == k


@given(st.floats(0, 100))
@example(12.3456785)
@example(0.0000005)
def test_positions_are_rounded_half_up_as_written(pct: float) -> None:
    written = Fraction(Decimal(repr(pct))) * MILLION
    assert position_of(pct) == int(written + Fraction(1, 2))


def slow_voices(said: Contribution, n: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for k in range(n):
        low, high = boundaries(n)[k], boundaries(n)[k + 1]
        shares = [(min(p.ends, high) - max(p.starts, low), p.score) for p in said.painting]
        shares = [(length, score) for length, score in shares if length > 0]
        inside = [score_of(r) for at, r in said.marks if segment_of(at, n) == k]
        if shares:
            mean = Fraction(sum(length * s for length, s in shares), sum(length for length, _ in shares))
        elif inside:
            mean = Fraction(sum(inside) * MILLION, len(inside))
        else:
            continue
        found[k] = int(mean + Fraction(1, 2))
    return found


@given(contributions(), grids)
def test_voices_equal_the_definition(said: Contribution, n: int) -> None:
    assert voices(said, n) == slow_voices(said, n)


@given(st.integers(0, 4 * MILLION))
def test_a_voice_spreads_over_levels_without_loss(voice: int) -> None:
    shares = spread(voice)
    assert sum(weight for _, weight in shares) == MILLION
    assert sum(level * weight for level, weight in shares) == voice
    assert all(0 <= level < LEVELS for level, _ in shares)


@given(st.lists(st.tuples(contributions(), contributions()), max_size=4))
def test_changes_add_up_to_the_whole(people: list[tuple[Contribution, Contribution]]) -> None:
    """However a crowd changes its mind, the sums kept equal a brute-force pass over everybody."""
    sums, counts, levels, users = [0] * 102, [0] * 102, [0] * 100, 0
    for first, second in people:
        for before, after in ((Contribution(), first), (first, second)):
            change = curve_change(before, after)
            users += change.users
            for cell, total, count in zip(change.cells, change.sums, change.voices, strict=True):
                sums[cell - 1] += total
                counts[cell - 1] += count
            for cell, weight in zip(change.level_cells, change.levels, strict=True):
                levels[cell - 1] += weight
    for n in GRIDS:
        low, high = grid_slice(n)
        everyone = [slow_voices(second, n) for _, second in people]
        assert (sums[low - 1 : high], counts[low - 1 : high]) == whole_curve(everyone, n)
    assert users == sum(bool(second) for _, second in people)
    for k in range(20):
        assert sum(level * weight for level, weight in enumerate(levels[k * 5 : k * 5 + 5])) == sums[12 + k]
        assert sum(levels[k * 5 : k * 5 + 5]) == counts[12 + k] * MILLION


@given(st.integers(0, 10**15), st.integers(1, 10**9))
def test_quotients_are_rounded_half_up(dividend: int, divisor: int) -> None:
    assert rounded_quotient(dividend, divisor) == int(Fraction(dividend, divisor) + Fraction(1, 2))


def test_a_mean_shows_two_decimals_half_up() -> None:
    assert shown_mean(0, 0) is None
    assert shown_mean(2_005_000, 1) == 2.01
    assert shown_mean(8 * MILLION, 3) == 2.67
