"""The bounds of a list, and the order of its rows. Pure."""

from collections import Counter
from typing import Final

import msgspec

from quintet.apps.marquee.rankings.importing.model import ListRow
from quintet.apps.marquee.rankings.model import Tier
from quintet.kernel.refusals import invalid

MOST_ROWS: Final = 20_000
_MOST_BRACKETS: Final = 10 * MOST_ROWS


def check_count(rows: int) -> None:
    """Raise `too_many` for a list that is too long; asked while it is read, so that it costs little."""
    if rows > MOST_ROWS:
        raise invalid("too_many", f"a list has at most {MOST_ROWS:,} rows", pointer="/file")


def check_brackets(text: str) -> None:
    """Raise `too_many` for JSON that would unpack to far more than an honest list does: `{},{},{}`."""
    if text.count("{") + text.count("[") > _MOST_BRACKETS:
        raise invalid("too_many", f"a list has at most {MOST_ROWS:,} rows", pointer="/file")


def counted(rows: list[ListRow]) -> list[ListRow]:
    """The rows, each with how many of its tier come after it."""
    left: Counter[Tier] = Counter(row.tier for row in rows)
    told: list[ListRow] = []
    for row in rows:
        left[row.tier] -= 1
        told.append(msgspec.structs.replace(row, to_come=left[row.tier]))
    return told
