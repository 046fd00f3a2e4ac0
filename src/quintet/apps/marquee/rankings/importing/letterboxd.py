"""Letterboxd's `ratings.csv` and `diary.csv`. Pure.

Columns are found by name, so that new ones do no harm: `Name`, `Year`, `Rating`, and in a diary `Date` and
`Watched Date`. A better rating comes first, then whatever stands first in the file; of a diary the newest
rating of each name and year counts.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from quintet.apps.marquee.rankings.importing.model import ListedWork, ListRow, ReadList, Skip
from quintet.apps.marquee.rankings.importing.rules import check_count
from quintet.apps.marquee.rankings.model import TIERS, Tier
from quintet.kernel.json import check_text
from quintet.kernel.refusals import InvalidRequest, invalid

# The least rating of each tier; half a star is the least there is.
_LEAST: Final[tuple[tuple[float, Tier], ...]] = ((4.5, "S"), (3.5, "A"), (2.5, "B"), (1.5, "C"), (0.5, "D"))
_RATING: Final = re.compile(r"[0-5](?:\.\d{1,2})?", re.ASCII)
_YEAR: Final = re.compile(r"\d{1,4}", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LONGEST_TITLE: Final = 300


class _Rated(msgspec.Struct, frozen=True):
    line: int
    name: str
    year: int | None
    rating: float
    days: tuple[str, str]  # watched, written down


def read_letterboxd(text: str) -> ReadList:
    """The rows of a file of Letterboxd's; raises `malformed_file` where it is none."""
    rows = _rows(text)
    _, first = next(rows, (1, ""))
    if isinstance(first, str):
        raise invalid("malformed_file", f"neither JSON nor CSV: {first or 'it is empty'}", pointer="/file")
    header = [name.strip().lower() for name in first]
    missing = [name for name in ("Name", "Year", "Rating") if name.lower() not in header]
    if missing:
        raise invalid(
            "malformed_file",
            f"neither Letterboxd's ratings.csv or diary.csv nor JSON: no column {', no '.join(missing)}",
            pointer="/file",
        )
    is_diary = "watched date" in header
    skips: list[Skip] = []
    rated: list[_Rated] = []
    for line, row in rows:
        check_count(len(skips) + len(rated) + 1)
        read = row if isinstance(row, str) else _read(line, dict(zip(header, row, strict=False)))
        if isinstance(read, str):
            skips.append(Skip(line, read))
        else:
            rated.append(read)
    if is_diary:
        rated = _newest(rated, skips)
    rated.sort(key=lambda one: (-one.rating, one.line))
    rows = [ListRow(one.line, _tier(one.rating), ListedWork(one.name, one.year)) for one in rated]
    rows.sort(key=lambda row: TIERS.index(row.tier))
    return ReadList("letterboxd_diary" if is_diary else "letterboxd_ratings", rows, skips)


def _rows(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Rows with the number of their first line, or what is wrong: a quoted name may go on over several."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield line, f"not CSV: {error}"
            continue
        if row is None:
            return
        if any(row):
            yield line, row


def _read(line: int, row: dict[str, str]) -> _Rated | str:
    """What a row says, or why it is skipped."""
    name, rating = row.get("name", "").strip(), row.get("rating", "").strip()
    if not rating:
        return "not rated"
    if not _RATING.fullmatch(rating) or not _LEAST[-1][0] <= float(rating) <= 5:
        return "the rating is not from 0.5 to 5"
    if not name:
        return "no name"
    if len(name) > _LONGEST_TITLE:
        return f"the name is longer than {_LONGEST_TITLE} characters"
    try:
        check_text(name)
    except InvalidRequest as refusal:
        return str(refusal.detail)
    year = row.get("year", "").strip()
    days = tuple(_day(row.get(column, "")) for column in ("watched date", "date"))
    return _Rated(line, name, int(year) if _YEAR.fullmatch(year) else None, float(rating), (days[0], days[1]))


def _day(text: str) -> str:
    """A day whose text sorts as days do; the empty one comes before all."""
    return text.strip() if _DAY.fullmatch(text.strip()) else ""


def _newest(rated: list[_Rated], skips: list[Skip]) -> list[_Rated]:
    """The newest of each name and year; the others are skipped."""
    newest: dict[tuple[str, int | None], _Rated] = {}
    for one in rated:
        known = newest.get(key := (one.name.casefold(), one.year))
        if known is None or (one.days, one.line) > (known.days, known.line):
            newest[key] = one
    kept = {one.line for one in newest.values()}
    skips.extend(Skip(one.line, "rated anew since") for one in rated if one.line not in kept)
    skips.sort(key=lambda skip: skip.line)
    return list(newest.values())


def _tier(rating: float) -> Tier:
    return next(tier for least, tier in _LEAST if rating >= least)
