"""The one table every bench prints, and the arithmetic behind its figures.

Invariant: a ratio is the median of the ratios of runs made one right after the other, so that what else the
machine does meanwhile weighs on both sides alike.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

RUNS = 5
_NOISY_LOAD = 1.0


@dataclass(frozen=True)
class Row:
    """One line: what was measured, against what, and what was wanted; None only informs."""

    name: str
    against: str
    rival: str
    ours: str
    ratio: float
    target: float | None
    at_most: bool = False
    detail: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the target is reached; a row without one always is."""
        if self.target is None:
            return True
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def paired_ratio(ours: Sequence[float], rival: Sequence[float]) -> float:
    """The median of ours / rival, run by run."""
    return statistics.median(a / b for a, b in zip(ours, rival, strict=True))


def rate(per_second: Sequence[float]) -> str:
    """The median of rates, as the table shows it."""
    return f"{statistics.median(per_second):,.0f}/s"


def growth_row(
    name: str, against: str, larger: Sequence[float], smaller: Sequence[float], limit: float | None
) -> Row:
    """What a thing takes where there is much, against where there is little; both in milliseconds."""
    rival, ours = (f"{statistics.median(took):.2f} ms" for took in (smaller, larger))
    return Row(name, against, rival, ours, paired_ratio(larger, smaller), limit, at_most=True)


def by_turns(*measures: Callable[[], float], runs: int = RUNS) -> list[list[float]]:
    """Run every measure `runs` times, by turns; the first round, which warms everything, does not count."""
    rounds = [[measure() for measure in measures] for _ in range(runs + 1)][1:]
    return [list(column) for column in zip(*rounds, strict=True)]


def show(title: str, rows: Sequence[Row], load_before: float, notes: Sequence[str] = ()) -> None:
    """Print the table; a missed target is printed like any other figure."""
    table = Table("name", "rival or limit", "its figure", "ours", "ratio", "target", "met?", title=title)
    for column in table.columns[2:6]:
        column.justify = "right"
    for row in rows:
        sign = "≤" if row.at_most else "≥"
        wanted = "" if row.target is None else f"{sign} {row.target:g}"
        met = "" if row.target is None else "yes" if row.is_met else "NO"
        table.add_row(row.name, row.against, row.rival, row.ours, f"{row.ratio:.2f}", wanted, met)
    console = Console(width=132, highlight=False)
    console.print(table)
    for row in rows:
        if row.detail:
            console.print(f"  {row.name}: {row.detail}")
    for note in notes:
        console.print(f"  {note}")
    noisy = " (others were busy: repeat in a quiet moment)" if load_before > _NOISY_LOAD else ""
    console.print(f"  medians of {RUNS} runs by turns; load of the machine before: {load_before:.1f}{noisy}")


def present_load() -> float:
    """How many cores' worth of work others do just now, looked at for half a second."""
    began, idle = time.monotonic(), _idle_seconds()
    time.sleep(0.5)
    passed = time.monotonic() - began
    return max(0.0, (os.cpu_count() or 1) - (_idle_seconds() - idle) / passed)


def _idle_seconds() -> float:
    with open("/proc/stat", encoding="ascii") as stat:  # noqa: PTH123 (a line, not a file)
        fields = stat.readline().split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")
