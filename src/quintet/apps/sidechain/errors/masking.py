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
_LONGEST_HEADER_NAME: Final = 100
# The members that hold what another member names, as in `{"name": "Cookie", "value": "…"}`.
_NAMING: Final = frozenset(("name", "key", "header", "field", "param", "parameter", "k"))
_NAMED: Final = frozenset(("value", "values", "val", "v", "content", "data", "text"))

# What stands between a name and its value: `name=`, `"name": `, `\"name\":`, `%22name%22%3A`, `<name>`.
_JOIN: Final = r"""[\w.\-\[\]]{0,40}+(?:\\{0,4}["']|%22|%27)?\s{0,4}+(?:=>|[=:>]|%3D|%3A)\s{0,4}+"""
# A quotation, or a scheme with its credentials, or all up to a blank, a quote or the next parameter.
_VALUE: Final = (
    r"""(?:\\{0,4}+"[^"\r\n]*+"?|\\{0,4}+'[^'\r\n]*+'?|digest\s[^\r\n]*+"""
    r"""|(?:(?:bearer|basic|token)\s{1,4}+)?[^\s"'&]++)"""
)
_IN_TEXT: Final = re.compile(
    # Of cookies the rest of the line, since their values have blanks.
    r"""(?P<line>cookie2?(?:\\{0,4}["'])?\s{0,4}+:\s{0,4}+)[^\r\n]*+"""
    r"|(?P<named>(?:token|passw|passphrase|passcode|secret|authori[sz]|oauth|cookie|credential"
    r"|(?:api|access|private|signing|encryption|licen[sc]e|session)[_\-. ]?key|session[_\-. ]?id|bearer"
    r"|[cx]srf"
    r"|(?<![a-z0-9])(?:auth|pwd|otp|sid|jwt|ticket|psk)(?![a-z0-9])|(?<![a-z0-9_\-. ])pass(?![a-z0-9_\-. ]))"
    + _JOIN + r")" + _VALUE
    # A scheme with its credentials, wherever it stands; of `basic` only what looks encoded.
    + r"""|(?P<scheme>(?<![a-z0-9])bearer\s{1,4}+)[^\s"'&]++"""
    r"|(?P<basic>(?<![a-z0-9])basic\s{1,4}+)(?=[a-z+/]{0,80}+[0-9=])[a-z0-9+/]{6,}+={0,2}"
    # A user's name and password in an address.
    r"""|(?P<userinfo>://)[^\s/?#@"'<>]++@"""
    # A JSON Web Token begins with `{"` in base64.
    r"|(?<![\w\-])eyJ[\w\-]{8,}+(?:\.[\w\-]*+){1,4}"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S])*+(?:-----END [A-Z ]{0,40}-----)?",
    re.IGNORECASE,
)  # fmt: skip
# Looked for first, in C: where none of these stands, nothing can match above.
_HINTS: Final = (
    "token", "pass", "secret", "auth", "cookie", "credential", "key", "session", "bearer", "basic", "srf",
    "pwd", "otp", "sid", "jwt", "ticket", "psk", "@", "eyj",
)  # fmt: skip


@lru_cache(4096)  # contexts name the same things over and over
def is_secret_name(name: str) -> bool:
    """Whether a value of this name is masked: tokens, passwords, authorization, cookies and their kin."""
    plain = unicodedata.normalize("NFKC", name)
    joined = _JOINTS.sub("", plain).lower()
    if joined in _SECRET_NAMES or any(part in joined for part in _SECRET_PARTS):
        return True
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(plain))


def masked_text(text: str) -> str:
    """The text without the secrets that names, schemes and forms in it give away."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    return _IN_TEXT.sub(_masked_match, text)


def _masked_match(match: re.Match[str]) -> str:
    if match["userinfo"]:
        return f"://{MASK}@"
    return (match["line"] or match["named"] or match["scheme"] or match["basic"] or "") + MASK


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
    return isinstance(value, str) and len(value) <= _LONGEST_HEADER_NAME and is_secret_name(value)


def _hidden(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else MASK
