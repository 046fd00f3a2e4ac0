"""Reading a list that somebody sends in: which kind it is, and what each row says. Pure.

Invariant: a row that cannot be read is skipped with its line and the reason; only a file that is none of the
kinds known, or has too many rows, is refused.
"""

from collections import Counter
from typing import Final

import msgspec

from quintet.apps.marquee.rankings.importing.letterboxd import read_letterboxd
from quintet.apps.marquee.rankings.importing.marquee_list import read_marquee_list
from quintet.apps.marquee.rankings.importing.model import MOST_ROWS, ListRow, ReadList
from quintet.apps.marquee.rankings.model import Tier
from quintet.kernel import json
from quintet.kernel.refusals import invalid

_BOM: Final = "\ufeff"


def read_list(content: bytes) -> ReadList:
    """What a file says, its rows in the order in which they are to be ranked.

    Raises InvalidRequest (`malformed_file`, `too_many`), or TooDeep.
    """
    try:
        text = content.decode().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise invalid("malformed_file", "the file is not UTF-8: save it so", pointer="/file") from error
    if text.lstrip()[:1] in {"[", "{"}:
        json.check_depth(content)
        found = read_marquee_list(text)
    else:
        found = read_letterboxd(text)
    if len(found.rows) + len(found.skips) > MOST_ROWS:
        raise invalid("too_many", f"a list has at most {MOST_ROWS:,} rows", pointer="/file")
    return msgspec.structs.replace(found, rows=_counted(found.rows))


def _counted(rows: list[ListRow]) -> list[ListRow]:
    """The rows, each with how many of its tier come after it."""
    left: Counter[Tier] = Counter(row.tier for row in rows)
    counted: list[ListRow] = []
    for row in rows:
        left[row.tier] -= 1
        counted.append(msgspec.structs.replace(row, to_come=left[row.tier]))
    return counted
