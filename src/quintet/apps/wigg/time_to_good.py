"""The time to good, computed from a curve of 20 segments. Pure.

Invariant: deciding uses exact integers (sums of voices in millionths); only confidence is floating point.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from quintet.apps.wigg.model import Confidence, PctInterval
from quintet.apps.wigg.rules import LEVELS, MILLION, USUAL_SEGMENTS

THRESHOLD: Final = 2.0
_THRESHOLD: Final = 2 * MILLION
# "Good" stands for 1.5 to 2.5, so a title that all call good must count as steady.
STEADY: Final = 1.5
_STEADY: Final = 3 * MILLION // 2
PRIOR: Final = 0.2
LEAST_USERS: Final = 3
_SEGMENT_PCT: Final = 100 / USUAL_SEGMENTS


class Estimate(msgspec.Struct, frozen=True):
    """What a title's own curve says of its time to good."""

    estimate_pct: float | None = None
    steady_from_pct: float | None = None
    confidence: Confidence = "low"
    sample_size: int = 0
    segment_sample_size: int = 0
    interval: PctInterval | None = None


def estimate(sums: Sequence[int], voices: Sequence[int], levels: Sequence[int], users: int) -> Estimate:
    """The time to good of a curve: 20 sums (millionths), 20 counts, 100 level weights, and distinct users.

    The estimate is the start of the first segment whose unrounded mean is at least 2.0.
    """
    first = next(
        (k for k in range(USUAL_SEGMENTS) if voices[k] and sums[k] >= _THRESHOLD * voices[k]),
        None,
    )
    if first is None:
        return Estimate(steady_from_pct=_steady_from(sums, voices, users), sample_size=users)
    chances = {k: chance_of_good(levels[k * LEVELS : (k + 1) * LEVELS]) for k in range(20) if voices[k]}
    return Estimate(
        estimate_pct=first * _SEGMENT_PCT,
        steady_from_pct=_steady_from(sums, voices, users),
        confidence=_confidence(voices[first], chances[first]),
        sample_size=users,
        segment_sample_size=voices[first],
        interval=_interval(chances),
    )


def chance_of_good(levels: Sequence[int]) -> float:
    """The probability that a segment's true mean is at least 1.5.

    `levels` are weights in millionths of the levels 0..4. Their Dirichlet posterior with prior 0.2 each has
    mean mu and variance (E[k²] - mu²)/(A + 1) of the mean level; the normal approximation of that.
    """
    alpha = [PRIOR + weight / MILLION for weight in levels]
    total = sum(alpha)
    mean = sum(k * a for k, a in enumerate(alpha)) / total
    variance = (sum(k * k * a for k, a in enumerate(alpha)) / total - mean * mean) / (total + 1)
    return 0.5 * (1 + math.erf((mean - STEADY) / math.sqrt(2 * variance)))


def _confidence(users: int, chance: float) -> Confidence:
    if users >= 20 and chance >= 0.95:
        return "high"
    if users >= 5 and chance >= 0.8:
        return "medium"
    return "low"


def _steady_from(sums: Sequence[int], voices: Sequence[int], users: int) -> float | None:
    """Where it gets good and stays good: the start k with the largest sum from there on of n·(mean - 1.5).

    Only segments spoken of by at least max(3, 20 % of the title's users) count; the largest k among
    equals; None where no sum is positive.
    """
    best, start, running = 0, None, 0
    for k in reversed(range(USUAL_SEGMENTS)):
        if voices[k] < LEAST_USERS or 5 * voices[k] < users:
            continue
        running += sums[k] - _STEADY * voices[k]
        if running > best:
            best, start = running, k
    return None if start is None else start * _SEGMENT_PCT


def _interval(chances: dict[int, float]) -> PctInterval:
    """Where it gets good with four chances in five: segment k has weight q_k times all earlier (1 - q_j)."""
    weights: dict[int, float] = {}
    missed = 1.0
    for k, chance in sorted(chances.items()):
        weights[k] = chance * missed
        missed *= 1 - chance
    total = sum(weights.values())
    reached, low, high = 0.0, None, None
    for k, weight in weights.items():
        reached += weight / total
        if low is None and reached >= 0.1:
            low = k
        if high is None and reached >= 0.9 - 1e-12:
            high = k
    last = max(weights)
    return PctInterval(
        (low if low is not None else last) * _SEGMENT_PCT,
        ((high if high is not None else last) + 1) * _SEGMENT_PCT,
    )
