"""Secrets in what plugins report: masked at the door. Pure.

Invariant: masking takes time linear in the text. A pattern that repeats begins where it cannot have begun one
character earlier, or is bounded in length.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

MASK: Final = "[masked]"
# Found anywhere in a name, in whatever way its words are joined.
_SECRET_PARTS: Final = (
    "token", "passw", "passphrase", "passcode", "secret", "authoriz", "authoris", "oauth", "cookie",
    "credential", "apikey", "accesskey", "privatekey", "signingkey", "encryptionkey", "licensekey",
    "licencekey", "sessionid", "sessionkey", "bearer", "csrf", "xsrf",
)  # fmt: skip
# Only as a word of the name, since they are also parts of harmless ones: `author`, `beside`.
_SECRET_WORDS: Final = frozenset(("auth", "pwd", "otp", "sid", "jwt", "ticket", "psk"))
# Only as the whole name: `low_pass`, `pin_count`. Signatures are left alone; most here are of time and key.
_SECRET_NAMES: Final = frozenset(("pass", "pin"))
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_JOINTS: Final = re.compile(r"[\W_]+")
_LONGEST_USUAL_NAME: Final = 100
# The members that hold what another member names, as in `{"name": "Cookie", "value": "…"}`.
_NAMING: Final = frozenset(("name", "key", "header", "field", "param", "parameter", "k"))
_NAMED: Final = frozenset(("value", "values", "val", "v", "content", "data", "text"))

# What stands between a name and its value: `name=`, `"name": `, `\"name\":`, `%22name%22%3a`, `<name>`.
_JOIN: Final = r"""[\w.\-\[\]]{0,40}+(?:\\{0,4}["']|%22|%27)?\s{0,4}+(?:=>|[=:>]|%3d|%3a)\s{0,4}+"""
# A quotation, or a scheme with its credentials, or all up to a blank, a quote or the next parameter.
_VALUE: Final = (
    r"""(\\{0,4}+"[^"\r\n]*+"?|\\{0,4}+'[^'\r\n]*+'?|digest\s[^\r\n]*+"""
    r"""|(?:(?:bearer|basic|token)\s{1,4}+)?[^\s"'&]++)"""
)
_NAMES_IN_TEXT: Final = (
    "token", "passw", "passphrase", "passcode", "secret", "authoriz", "authoris", "oauth", "cookie",
    "credential", "csrf", "xsrf", "bearer",
    *(
        rf"{first}[_\-. ]?key"
        for first in ("api", "access", "private", "signing", "encryption", "license", "licence", "session")
    ),
    r"session[_\-. ]?id",
    *(rf"{word}(?<![a-z0-9]{word})(?![a-z0-9])" for word in sorted(_SECRET_WORDS)),
    *(rf"{name}(?<![a-z0-9_\-. ]{name})(?![a-z0-9_\-. ])" for name in sorted(_SECRET_NAMES)),
)  # fmt: skip
# Each way begins with a letter or sign of its own, by which the engine passes over everything else quickly;
# so the text is lowered first, and what must not stand before is looked at afterwards. Each has one group:
# what is masked.
_IN_TEXT: Final = re.compile(
    "|".join(
        (
            # Of cookies the rest of the line, since their values have blanks.
            r"""cookie2?(?:\\{0,4}["'])?\s{0,4}+:\s{0,4}+([^\r\n]*+)""",
            *(name + _JOIN + _VALUE for name in _NAMES_IN_TEXT),
            # A scheme with its credentials, wherever it stands; after `basic` only what may be base64.
            r"""bearer(?<![a-z0-9]bearer)\s{1,4}+([^\s"'&]++)""",
            r"basic(?<![a-z0-9]basic)\s{1,4}+([a-z0-9+/]{8,}+={0,2})",
            # A user's name and password in an address.
            r"""://([^\s/?#@"'<>]++)@""",
            # A JSON Web Token begins with `{"` in base64.
            r"eyj(?<![\w\-]eyj)([\w\-]{8,}+(?:\.[\w\-]*+){1,4})",
            r"-----begin [a-z ]{0,40}private key-----((?:(?!-----end)[\s\S])*+)",
        )
    )
)
_LOWERED: Final = str.maketrans({upper: upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


def is_secret_name(name: str) -> bool:
    """Whether a value of this name is masked: tokens, passwords, authorization, cookies and their kin."""
    # Contexts name the same things over and over; names of any length would fill the memory.
    return _is_known_secret(name) if len(name) <= _LONGEST_USUAL_NAME else _is_secret(name)


@lru_cache(4096)
def _is_known_secret(name: str) -> bool:
    return _is_secret(name)


def _is_secret(name: str) -> bool:
    plain = unicodedata.normalize("NFKC", name)
    joined = _JOINTS.sub("", plain).lower()
    if joined in _SECRET_NAMES or any(part in joined for part in _SECRET_PARTS):
        return True
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(plain))


def masked_text(text: str) -> str:
    """The text without the secrets that names, schemes and forms in it give away."""
    # Letters of ASCII alone, so that every place stays where it is.
    found = [match.span(match.lastindex or 0) for match in _IN_TEXT.finditer(text.translate(_LOWERED))]
    if not found:
        return text
    ends = [0, *(end for _, end in found)]
    starts = [*(start for start, _ in found), len(text)]
    return MASK.join(text[end:start] for end, start in zip(ends, starts, strict=True))


def masked(value: Any) -> Any:
    """Plain JSON data without its secrets; what a secret name holds is masked whole, but for null and truths.

    Lists are looked at as headers often come: a secret name, followed by its value.
    """
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, dict):
        return _masked_object(value)
    if isinstance(value, list):
        return _masked_list(value)
    return value


def _masked_object(given: dict[str, Any]) -> dict[str, Any]:
    names_secret = any(name.lower() in _NAMING and _names_secret(value) for name, value in given.items())
    return {
        masked_text(name): _hidden(value)
        if is_secret_name(name) or (names_secret and name.lower() in _NAMED)
        else masked(value)
        for name, value in given.items()
    }


def _masked_list(given: list[Any]) -> list[Any]:
    shown: list[Any] = []
    after_name = False
    for value in given:
        shown.append(_hidden(value) if after_name else masked(value))
        after_name = not after_name and _names_secret(value)
    return shown


def _names_secret(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_USUAL_NAME and is_secret_name(value)


def _hidden(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else MASK
