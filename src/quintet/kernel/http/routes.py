"""Routes: Litestar's handlers, each with its access, limits and refusals declared.

Invariant: no route without a declared access; the matrix of callers in the tests is made from these.
"""

from collections.abc import Callable
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from quintet.kernel.actor import Access
from quintet.kernel.http.call import Rules
from quintet.kernel.refusals import Refusal

_TAGS = {"auth": "Accounts", "titles": "WIGG", "media": "Marquee", "projects": "Storyboard"}


def _route(
    method: Method, default_status: int
) -> Callable[..., Callable[[Callable[..., Any]], HTTPRouteHandler]]:
    def declare(
        *paths: str,
        access: Access,
        tag: str,
        summary: str,
        refusals: tuple[type[Refusal], ...] = (),
        limits: tuple[str, ...] = (),
        status: int = default_status,
        example: Any = None,
        limited: bool = True,
        reads_token: bool = True,
        idempotent: bool = True,
        secret: bool = False,
        streams: bool = False,
        most_bytes: int = 1024 * 1024,
        in_schema: bool = True,
        takes_form: Any = None,
        takes_json: Any = None,
        answers: tuple[str, ...] = (),
    ) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
        rules = Rules(
            access=access,
            refusals=refusals,
            limits=limits,
            limited=limited,
            reads_token=reads_token,
            idempotent=idempotent,
            secret=secret,
            streams=streams,
            most_bytes=most_bytes,
            example=example,
            takes_form=takes_form,
            takes_json=takes_json,
            answers=answers,
        )
        return HTTPRouteHandler(
            list(paths),
            http_method=method,
            status_code=status,
            opt={"rules": rules},
            summary=summary,
            tags=[tag],
            include_in_schema=in_schema,
            request_max_body_size=None,  # Call.body keeps the limit, with our own error
        )

    return declare


get = _route("GET", 200)
post = _route("POST", 201)
put = _route("PUT", 200)
patch = _route("PATCH", 200)
delete = _route("DELETE", 204)
