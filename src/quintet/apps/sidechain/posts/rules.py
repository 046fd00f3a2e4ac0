"""What the words of a post come to: keys, tags, emoji, mentions. Pure."""

import re
import unicodedata
from functools import cache
from typing import Final

from quintet.apps.sidechain.posts.model import MOST_TAG, MOST_TAGS
from quintet.kernel.refusals import invalid

MOST_MENTIONS: Final = 10  # of one text; whoever names more notifies the first ten
_KEY: Final = re.compile(r"([A-Ga-g])\s*([#♯b♭]?)\s*(.*)", re.DOTALL)
_MODES: Final = {"": "major", "M": "major", "m": "minor"}
_MODE_WORDS: Final = {"maj": "major", "major": "major", "min": "minor", "minor": "minor"}
_TAG: Final = re.compile(r"[^\W_](?:[\w-]*\w)?")
_MENTION: Final = re.compile(r"(?<![\w@/.-])@([A-Za-z0-9_-]{3,30})(?![A-Za-z0-9_-])")
_EMOJI_VARIATION: Final = "\ufe0f"  # asks for the coloured picture; the same emoji with it and without


def text_of(text: str | None, *, pointer: str = "/text") -> str | None:
    """The text without blank ends; None where nothing is left. Raises `invalid_text` for controls."""
    if text is None or not (stripped := text.strip()):
        return None
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\r\t" for letter in stripped):
        raise invalid("invalid_text", "text without control characters", pointer=pointer)
    return stripped


def key_of(key: str | None) -> str | None:
    """A musical key in one spelling (`F# minor`, `Bb major`); raises `invalid_text` for what is none.

    A note from A to G, a sharp or a flat, and a mode, which is major where nothing is said.
    """
    if key is None:
        return None
    match = _KEY.fullmatch(key.strip())
    mode = _MODES.get(match[3]) or _MODE_WORDS.get(match[3].lower()) if match else None
    if match is None or mode is None:
        raise invalid("invalid_text", "a key such as C major, F# minor or Bbm", pointer="/key")
    sign = {"♯": "#", "♭": "b"}.get(match[2], match[2])
    return f"{match[1].upper()}{sign} {mode}"


def tags_of(tags: list[str]) -> list[str]:
    """Tags in one spelling: lower case, without `#`, words joined by `-`, each once, in their order.

    Raises `too_many`, `too_long` or `invalid_text`.
    """
    found: dict[str, None] = {}
    for index, given in enumerate(tags):
        tag = "-".join(unicodedata.normalize("NFKC", given).strip().removeprefix("#").casefold().split())
        if len(tag) > MOST_TAG:
            raise invalid("too_long", f"at most {MOST_TAG} characters", pointer=f"/tags/{index}")
        if not _TAG.fullmatch(tag):
            raise invalid("invalid_text", "letters, digits, _ and -", pointer=f"/tags/{index}")
        found[tag] = None
    if len(found) > MOST_TAGS:
        raise invalid("too_many", f"at most {MOST_TAGS} tags", pointer="/tags")
    return list(found)


def emoji_of(given: str) -> str:
    """The emoji as Unicode spells it in full, so that one is one; raises `invalid_text` for anything else.

    One emoji alone, by Unicode's list (UTS 51): neither two of them, nor a skin tone without a hand.
    """
    found = _emoji().get(given.replace(_EMOJI_VARIATION, "")) if len(given) <= _LONGEST_EMOJI else None
    if found is None:
        raise invalid("invalid_text", "one emoji", parameter="emoji")
    return found


_LONGEST_EMOJI: Final = 20  # characters; Unicode's longest has ten


@cache
def _emoji() -> dict[str, str]:
    """Every emoji without variation selectors, and how it is spelt in full; loaded at first use (5 MB)."""
    from emoji import EMOJI_DATA, STATUS

    full = [one for one, told in EMOJI_DATA.items() if told["status"] == STATUS["fully_qualified"]]
    return {one.replace(_EMOJI_VARIATION, ""): one for one in full}


def mentioned_in(text: str | None) -> list[str]:
    """The usernames that stand behind an `@`, each once, the first ten."""
    return list(dict.fromkeys(_MENTION.findall(text or "")))[:MOST_MENTIONS]
