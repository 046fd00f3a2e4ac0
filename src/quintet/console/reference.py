"""The reference of the HTTP interface: for tools at /openapi.json, for people at /docs."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar

from quintet import __version__
from quintet.kernel import json
from quintet.kernel.actor import Access
from quintet.kernel.http import Answer, Call, get
from quintet.kernel.http.openapi import document

_TAG = "Operations"
# No scripts at all, styles from the page itself, and nothing from anywhere else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@get("/openapi.json", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False,
     summary="This interface, for tools (OpenAPI 3.1)")  # fmt: skip
async def read_openapi(request: Call) -> Answer[dict[str, Any]]:
    """Answer the description that typed clients are generated from."""
    body, _ = _rendered(request.app, request.kernel.settings.issuer)
    return Answer(body, max_age_seconds=60)  # pyright: ignore[reportReturnType]


@get("/docs", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False, in_schema=False,
     summary="This interface, for people")  # fmt: skip
async def read_docs(request: Call) -> Answer[bytes]:
    """Answer a page that needs no script and no other host."""
    _, page = _rendered(request.app, request.kernel.settings.issuer)
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return Answer(page, content_type="text/html; charset=utf-8", headers=headers, max_age_seconds=60)


@cache
def _rendered(app: Litestar, server: str) -> tuple[bytes, bytes]:
    described = document(app.routes, title="Quintet", version=__version__, server=server)
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in sorted(described["paths"].items()):
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    page = _pages.get_template("docs.html").render(
        by_tag=dict(sorted(by_tag.items())),
        schemas=described["components"]["schemas"],
        info=described["info"],
    )
    return json.encode(described), page.encode()


ROUTES = (read_openapi, read_docs)
