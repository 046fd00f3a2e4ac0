"""What a channel may be called. Pure."""

import unicodedata

from quintet.apps.sidechain.channels.model import MOST_NAME
from quintet.kernel.refusals import invalid


def name_of(text: str) -> str:
    """The name without the space around it, its spaces single; raises `invalid_request`."""
    name = " ".join(text.split())
    if not name:
        raise invalid("missing", "a name", pointer="/name")
    if len(name) > MOST_NAME:
        raise invalid("too_long", f"at most {MOST_NAME} characters", pointer="/name")
    # Controls and what turns the text around it: a name stands in lists among others.
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} or letter in _TURNING for letter in name):
        raise invalid("invalid_text", "letters, signs and spaces only", pointer="/name")
    return name


_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def pattern_of(part: str | None) -> str | None:
    r"""The pattern (SQL's `like`, escaped by `\`) that finds a part of a name in any case; None for any."""
    if part is None or not part.strip():
        return None
    folded = part.strip().lower()
    for sign in "\\%_":
        folded = folded.replace(sign, f"\\{sign}")
    return f"%{folded}%"
