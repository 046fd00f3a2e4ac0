"""Reading a list that somebody sends in: which kind it is, and what each row says. Pure.

Invariant: a row that cannot be read is skipped with its line and the reason; only a file that is none of the
kinds known, or has too many rows, is refused.
"""

from typing import Final

import msgspec

from quintet.apps.marquee.rankings.importing.letterboxd import read_letterboxd
from quintet.apps.marquee.rankings.importing.marquee_list import read_marquee_list
from quintet.apps.marquee.rankings.importing.model import ReadList
from quintet.apps.marquee.rankings.importing.rules import check_brackets, counted
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
        check_brackets(text)
        found = read_marquee_list(text)
    else:
        found = read_letterboxd(text)
    return msgspec.structs.replace(found, rows=counted(found.rows))
