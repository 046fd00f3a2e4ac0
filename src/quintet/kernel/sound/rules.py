"""How a waveform is made of what was measured."""

from collections.abc import Sequence
from itertools import pairwise


def fold(peaks: Sequence[float], parts: int) -> list[float]:
    """The loudest of each of `parts` equal parts of `peaks`, which are not empty.

    Part i is made of the peaks from ⌊i·n/parts⌋ to before ⌊(i+1)·n/parts⌋, of one at least: where there are
    fewer peaks than parts, some stand there twice.
    """
    bounds = [part * len(peaks) // parts for part in range(parts + 1)]
    return [max(peaks[start : max(stop, start + 1)]) for start, stop in pairwise(bounds)]
