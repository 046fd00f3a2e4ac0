"""What operators and tools ask: health, figures, public keys. Exempt from rate limits."""

import hmac
import ipaddress
from typing import Any

import msgspec

from quintet.kernel.actor import Access
from quintet.kernel.http.answer import Answer
from quintet.kernel.http.call import Call
from quintet.kernel.http.routes import get
from quintet.kernel.live.work import figures_of
from quintet.kernel.migrations import known_migrations
from quintet.kernel.refusals import NotFound, Unavailable

_TAG = "Operations"


class Health(msgspec.Struct, frozen=True):
    """How the server is."""

    status: str


@get("/health/live", access=Access.PUBLIC, tag=_TAG, limited=False, summary="Whether the process is alive",
     reads_token=False, example={"status": "alive"})  # fmt: skip
async def live() -> Answer[Health]:
    """Answer as long as the process can answer anything."""
    return Answer(Health("alive"))


@get("/health/ready", access=Access.PUBLIC, tag=_TAG, limited=False, summary="Whether to send it requests",
     reads_token=False, refusals=(Unavailable,), example={"status": "ready"})  # fmt: skip
async def ready(request: Call) -> Answer[Health]:
    """Answer 200 while the database is reachable, its migrations are current and no stop is under way."""
    kernel = request.kernel
    if kernel.draining:
        raise Unavailable("the server is stopping", retry_after_seconds=30)
    async with kernel.database.statement() as tx:
        applied = await tx.value("select count(*) from kernel.migrations")
    if applied != len(known_migrations()):
        raise Unavailable("the database's migrations are not this version's: run quintet migrate")
    return Answer(Health("ready"))


@get("/metrics", access=Access.PUBLIC, tag=_TAG, limited=False, summary="Figures for Prometheus",
     reads_token=False, in_schema=False)  # fmt: skip
async def metrics(request: Call) -> Answer[bytes]:
    """Answer the figures to this machine, or to a bearer of the metrics token; to others there is nothing."""
    token = request.kernel.settings.metrics_token
    offered = request.headers.get("authorization", "").removeprefix("Bearer ")
    bearer = bool(token) and hmac.compare_digest(offered.encode(), token.encode())
    if not bearer and not _is_loopback(request.call_state.address):
        raise NotFound
    request.kernel.metrics.take_live(figures_of(request.kernel))
    figures = request.kernel.metrics.rendered()
    return Answer(figures, secret=True, content_type="text/plain; version=0.0.4; charset=utf-8")


@get("/.well-known/jwks.json", access=Access.PUBLIC, tag="Accounts", limited=False, reads_token=False,
     summary="The public keys that verify access tokens (RFC 7517)")  # fmt: skip
async def jwks(request: Call) -> Answer[dict[str, Any]]:
    """Answer the keys in force; two while a rotation is under way."""
    return Answer(request.kernel.tokens.jwks(), max_age_seconds=300)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("/")[0]).is_loopback
    except ValueError:
        return False


OPERATIONS = (live, ready, metrics, jwks)
