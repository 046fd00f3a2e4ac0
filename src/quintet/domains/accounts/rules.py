"""What usernames, e-mail addresses and passwords may be: pure decisions.

Invariant: two usernames that differ only by case or by look-alike characters have one skeleton.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from quintet.kernel.refusals import Fault, InvalidRequest

PASSWORD_MIN, PASSWORD_MAX = 8, 256
EMAIL_MAX, DISPLAY_NAME_MAX = 254, 100
USERNAME_MIN, USERNAME_MAX = 3, 30

# ASCII letters only: a name stands in addresses, is typed after an @, and cannot mix scripts that look alike.
_USERNAME = re.compile(r"[A-Za-z0-9_-]+")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>(),;:\"\\]{1,64}@(?:[^@\s.<>(),;:\"\\]+\.)+[^@\s.<>(),;:\"\\]{2,}")
_LOCAL_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@localhost", re.IGNORECASE)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")  # controls that turn the text around them
# After folding, I is i: all of 1, I, i and l must become one. Pairs as in Unicode UTS 39's confusables.
_LOOK_ALIKES = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": "_"})

# Words that stand in a path where a username could stand, now or later.
_PATH_WORDS = """
    account accounts activity api assets auth avatar blog browse channel channels console create dashboard
    delete docs document documents download edit everyone explore favicon favorites feed featured
    follow followers following forgot-password health help home import index jwks live login logout
    marquee me media metrics notifications null oauth openapi playground popular privacy profile
    projects rankings register reports reset-password robots rooms search sessions settings
    sidechain sigma signin signout signup social static status storyboard tags terms ticket titles
    trending undefined unsubscribe upload upload-profile-picture user users verify-email well-known wigg
    workbook workbooks www ws
"""
# Words that would let somebody speak in the server's name; whoever runs the server may use them.
_OFFICE_WORDS = """
    abuse admin administrator moderator moderators official postmaster quintet root
    security staff support system webmaster
"""


def skeleton(username: str) -> str:
    """What is unique about a username: NFKC, folded case, look-alikes mapped to one (after UTS 39, 4)."""
    folded = unicodedata.normalize("NFKC", username).casefold().translate(_LOOK_ALIKES)
    return folded.replace("rn", "m").replace("vv", "w")


_PATH_SKELETONS = frozenset(map(skeleton, _PATH_WORDS.split()))
_OFFICE_SKELETONS = frozenset(map(skeleton, _OFFICE_WORDS.split()))


def fold_email(email: str) -> str:
    """What is unique about an e-mail address: NFC, lower case."""
    return unicodedata.normalize("NFC", email).lower()


def normalize_password(password: str) -> str:
    """The password in NFC (RFC 8265, 4.2): the same however a keyboard composed its accents."""
    return unicodedata.normalize("NFC", password)


@cache
def common_passwords() -> frozenset[str]:
    """Some thousand passwords everybody tries first (zxcvbn's list), folded; loaded at first use."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(one.casefold() for one in FREQUENCY_LISTS["passwords"] if len(one) >= PASSWORD_MIN)


def email_faults(email: str) -> list[Fault]:
    """What is wrong with an e-mail address; a plain check, since only sending to it could prove it."""
    if len(email) > EMAIL_MAX:
        return [Fault("too_long", f"at most {EMAIL_MAX} characters", pointer="/email")]
    if not email.isprintable() or not (_EMAIL.fullmatch(email) or _LOCAL_EMAIL.fullmatch(email)):
        return [Fault("invalid_text", "this is no e-mail address", pointer="/email")]
    return []


def username_faults(username: str, *, by_operator: bool = False) -> list[Fault]:
    """What is wrong with a username; an operator may take the words of offices, such as `admin`."""
    if len(username) > USERNAME_MAX:
        return [Fault("too_long", f"at most {USERNAME_MAX} characters", pointer="/username")]
    if len(username) < USERNAME_MIN:
        return [Fault("out_of_range", f"at least {USERNAME_MIN} characters", pointer="/username")]
    if not _USERNAME.fullmatch(username):
        return [Fault("invalid_text", "letters a to z, digits, _ and - only", pointer="/username")]
    if is_reserved(username, by_operator=by_operator):
        return [Fault("reserved", "this word is not free for usernames", pointer="/username")]
    return []


def is_reserved(username: str, *, by_operator: bool = False) -> bool:
    """Whether the name is, or looks like, a word that paths or offices use."""
    bare = skeleton(username)
    return bare in _PATH_SKELETONS or (bare in _OFFICE_SKELETONS and not by_operator)


def display_name_faults(display_name: str) -> list[Fault]:
    """What is wrong with a display name: 1 to 100 characters that show."""
    if len(display_name) > DISPLAY_NAME_MAX:
        return [Fault("too_long", f"at most {DISPLAY_NAME_MAX} characters", pointer="/display_name")]
    kinds = {unicodedata.category(one) for one in display_name}
    shows = any(kind[0] in "LNPS" for kind in kinds)
    if not shows or kinds & {"Cc", "Cs", "Zl", "Zp"} or _BIDI.search(display_name):
        return [Fault("invalid_text", "a name in characters that show", pointer="/display_name")]
    return []


def password_faults(password: str, names: Iterable[str | None], *, pointer: str = "/password") -> list[Fault]:
    """What is wrong with a normalized password of somebody who goes by `names`."""
    if len(password) < PASSWORD_MIN:
        return [Fault("out_of_range", f"at least {PASSWORD_MIN} characters", pointer=pointer)]
    if len(password) > PASSWORD_MAX:
        return [Fault("too_long", f"at most {PASSWORD_MAX} characters", pointer=pointer)]
    folded = password.casefold()
    if folded in common_passwords():
        return [Fault("guessable", "this is one of the passwords everybody tries first", pointer=pointer)]
    if any(name is not None and folded == name.casefold() for name in names):
        return [Fault("guessable", "a password must not be one's name or address", pointer=pointer)]
    return []


def check_faults(faults: list[Fault]) -> None:
    """Raise InvalidRequest where there are any."""
    if faults:
        told = (f"{(fault.pointer or '').strip('/')}: {fault.message}" for fault in faults)
        raise InvalidRequest("; ".join(told), errors=faults)


def username_candidates(name: str, suffixes: Iterable[str]) -> list[str]:
    """Valid usernames made of `name`, best first: bare, then with each suffix."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:22].rstrip("-_") or "user"
    candidates = [stem, *(f"{stem}-{suffix}" for suffix in suffixes)]
    return [one for one in candidates if not username_faults(one)]
