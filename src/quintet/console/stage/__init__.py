"""The stage: pages on which somebody without a front end sees the products alive.

Invariant: a page needs this server alone, and holds neither script nor style of its own; what it runs is in
`static`, as it stands there, under an address that changes whenever any of it does.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.params import FromPath

from quintet.kernel.actor import Access
from quintet.kernel.http import Answer, get
from quintet.kernel.refusals import NotFound

_TAG = "Stage"
_FOLDER = Path(__file__).parent
_YEAR_SECONDS = 365 * 24 * 3600
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
# `ws:` is not named: in every browser of today 'self' covers the same origin's sockets.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_STATIC = _FOLDER / "static"
# The library for collaborative text is the one that everybody gets. The wheel puts it among the rest (pyproject).
_TEXT = _STATIC / "text" if (_STATIC / "text").is_dir() else _FOLDER.parents[3] / "clients/javascript/src"
# By folder and name: `shared/live.js`. The list is fixed when the server starts: no path of a request ever
# reaches the disk.
FILES: Final = {
    f"{'text' if path.parent == _TEXT else path.parent.name}/{path.name}": path.read_bytes()
    for path in sorted([*_STATIC.glob("*/*"), *_TEXT.glob("*")])
    if path.suffix in _TYPES
}
VERSION: Final = hashlib.blake2b(
    b"".join(name.encode() + b"\0" + body for name, body in FILES.items()), digest_size=8
).hexdigest()
_pages = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@get("/stage/wigg", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False, in_schema=False,
     summary="WIGG: find a title, or enter one")  # fmt: skip
async def show_titles() -> Answer[bytes]:
    """Answer the page of titles."""
    return _page("titles.html")


@get("/stage/wigg/{title_id:str}", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False,
     in_schema=False, summary="WIGG: one title's curve, to look at and to mark")  # fmt: skip
async def show_title(title_id: FromPath[str]) -> Answer[bytes]:
    """Answer the page of a title; whether there is one, its script finds out."""
    return _page("title.html", title_id=title_id)


@get("/stage/marquee", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False, in_schema=False,
     summary="Marquee: one's tiers, the friends' feed and the leaderboard")  # fmt: skip
async def show_marquee() -> Answer[bytes]:
    """Answer Marquee's page."""
    return _page("marquee.html")


@get("/stage/sidechain", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False, in_schema=False,
     summary="Sidechain: channels, their people, texts and posts")  # fmt: skip
async def show_sidechain() -> Answer[bytes]:
    """Answer Sidechain's page; which channel it shows stands behind the `#`, for its script alone."""
    return _page("sidechain.html", text=[name for name in FILES if name.startswith("text/")])


@get("/stage/sidechain/errors", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False,
     in_schema=False, summary="Sidechain: the errors of its clients, counted and grouped")  # fmt: skip
async def show_errors() -> Answer[bytes]:
    """Answer the dashboard of errors."""
    return _page("sidechain_errors.html")


@get("/stage/static/{version:str}/{folder:str}/{name:str}", access=Access.PUBLIC, tag=_TAG, limited=False,
     reads_token=False, in_schema=False, refusals=(NotFound,),
     summary="What the stage's pages are made of")  # fmt: skip
async def read_static(version: FromPath[str], folder: FromPath[str], name: FromPath[str]) -> Answer[bytes]:
    """Answer a script or a style; the one of this very version may be kept for a year."""
    body = FILES.get(f"{folder}/{name}")
    if body is None:
        raise NotFound
    # Modules name each other without a version, so all stand under the version of all. One that is not ours
    # is another release's, during a roll-out: it gets what we have, to be asked for again next time.
    kept = _YEAR_SECONDS if version == VERSION else 0
    headers = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
    return Answer(body, content_type=_TYPES[Path(name).suffix], headers=headers, max_age_seconds=kept)


def _page(template: str, **known: Any) -> Answer[bytes]:
    text = _pages.get_template(template).render(static=f"/stage/static/{VERSION}", **known)
    return Answer(text.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)


ROUTES = (show_titles, show_title, show_marquee, show_sidechain, show_errors, read_static)
