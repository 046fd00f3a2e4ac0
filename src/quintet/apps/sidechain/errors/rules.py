"""Fingerprints, which tell what messages say the same; and the hours that are counted by. Pure.

Invariant: folding takes time linear in the text: every repetition is bounded, or begins only where it cannot
have begun one character earlier. Whoever changes what is folded counts VERSION up, and starts new groups.
"""

import re
from datetime import timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from quintet.apps.sidechain.errors.model import ErrorGroupId, Severity, Source
from quintet.kernel.clock import Instant

VERSION: Final = 1
# What tells errors apart stands at the beginning; a stack trace behind it differs with every build.
FOLDED_CHARACTERS: Final = 1024

# The order decides: a UUID is no number, and an address in quotes is a quotation.
_FOLDED: Final = re.compile(
    r"""
    (?P<quoted> "[^"\n]*" | (?<!\w)'[^'\n]*'(?!\w) | `[^`\n]*` | “[^”\n]*” | «[^»\n]*» )
  | (?P<url>    (?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^\s"'<>]+ )
  | (?P<email>  (?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8} )
  | (?P<path>   (?<![\w.])(?:[A-Za-z]:[\\/] | ~[\\/] | \\\\
                  | /(?:Users|home|root|var|tmp|opt|usr|etc|mnt|media|dev|proc|private
                       |Library|Applications|Volumes|System)/)
                [^\s"'<>|?*,;)]* )
  | (?P<time>   (?<!\d)\d{4}-\d\d-\d\d
                (?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+\-]\d\d:?\d\d)?)?(?!\d)
              | (?<![\w:.])\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?![\w:]) )
  | (?P<id>     (?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])
                # Digits in two places, so that a long name with a number at its end is still a name.
              | (?<![0-9A-Za-z])(?=[A-Za-z]*+[0-9]++[A-Za-z]++[0-9])[0-9A-Za-z]{20,}+ )
  | (?P<host>   (?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])(?::\d{1,5})?
              | (?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w{1,16})?(?![\w:])
              | (?<![\w.\-])(?:[A-Za-z0-9\-]{1,63}\.){1,8}
                (?:com|net|org|io|dev|app|me|co|fm|de|uk|eu|cloud|live|music|audio|local|internal|lan)
                (?![\w\-])(?::\d{1,5})?
              | (?<![\w.\-])localhost(?![\w\-])(?::\d{1,5})? )
  | (?P<address> (?<![0-9A-Za-z])0[xX][0-9A-Fa-f]++ )
                # Hexadecimal ids count as numbers, since now and then one has no letter in it.
  | (?P<n>      (?<![0-9A-Za-z])(?=[0-9]*+[a-fA-F])(?=[a-fA-F]*+[0-9])[0-9a-fA-F]{8,}+(?![0-9A-Za-z])
              | (?:(?<![\w)\]])[+\-])?\d++(?:[.,]\d++)*+(?:[eE][+\-]?\d++(?!\w))? )
    """,
    re.VERBOSE,
)  # fmt: skip
_BLANKS: Final = re.compile(r"\s+")


def folded(message: str) -> str:
    """A message whose numbers, ids, addresses, paths, times and quotations are replaced by their kind.

    Looks at the first 1,024 characters.
    """
    text = _FOLDED.sub(lambda match: f"<{match.lastgroup}>", message[:FOLDED_CHARACTERS])
    return _BLANKS.sub(" ", text).strip()


def fingerprint_of(pattern: str) -> UUID:
    """The digest of a folded message."""
    return _digest(pattern)


def group_id_of(source: Source, severity: Severity, pattern: str) -> ErrorGroupId:
    """The id of the group: source, severity and folded message, the same on every node."""
    return ErrorGroupId(_digest(source, severity, pattern))


def _digest(*parts: str) -> UUID:
    # No part but the last can hold a NUL or vary in number, so different parts are different bytes.
    said = "\0".join((str(VERSION), *parts)).encode()
    return UUID(bytes=blake2b(said, digest_size=16, person=b"quintet-errors").digest())


def seconds_left_today(now: Instant) -> int:
    """Whole seconds until the next day begins, at least 1."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return max(1, round((midnight - now).total_seconds()))


def hours_until(now: Instant, count: int) -> list[Instant]:
    """The beginnings of the last `count` hours, oldest first; the last one runs now."""
    last = now.replace(minute=0, second=0, microsecond=0)
    return [Instant.at(last - timedelta(hours=ago)) for ago in reversed(range(count))]


def like_pattern(words: str) -> str:
    """What ILIKE takes for "contains these words", wildcards among them included."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
