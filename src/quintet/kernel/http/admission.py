"""Admission: who calls, how often, and whether this route is for them. Runs before any body is read."""

from quintet.kernel.actor import Access, Actor
from quintet.kernel.http.call import Call, Rules
from quintet.kernel.limits import check_allowances
from quintet.kernel.refusals import Forbidden, NotSignedIn

_BEARER = "bearer "


async def admit(call: Call) -> None:
    """Authenticate, count against every limit that applies, authorize.

    Raises NotSignedIn, RateLimited or Forbidden. A wrong token counts against its address, so that
    guessing tokens is no cheaper than calling anonymously. Litestar calls it before each request (as a
    guard it would cost a copy of the handler's guards each time).
    """
    rules: Rules | None = call.route_handler.opt.get("rules")
    if rules is None:  # Litestar's own OPTIONS handlers
        return
    try:
        call.call_state.actor = await _actor(call, rules)
    except NotSignedIn:
        await _count(call, rules, None)
        raise
    viewer = call.viewer
    await _count(call, rules, viewer)
    if rules.access > Access.PUBLIC and viewer is None:
        raise NotSignedIn
    if viewer is not None and viewer.access < rules.access:
        raise Forbidden


async def _actor(call: Call, rules: Rules) -> Actor | None:
    header = call.headers.get("authorization", "")
    if not header or not rules.reads_token:
        return None
    if not header.lower().startswith(_BEARER):
        raise NotSignedIn("send the access token as: Authorization: Bearer …")
    return await call.kernel.authenticate(header[len(_BEARER) :].strip())


async def _count(call: Call, rules: Rules, viewer: Actor | None) -> None:
    if not rules.limited:
        return
    state, kernel = call.call_state, call.kernel
    own = ("signed_in", str(viewer.id)) if viewer is not None else ("anonymous", state.address)
    further = [(policy, state.address if policy == "auth" else own[1]) for policy in rules.limits]
    for policy, key in [own, *further]:
        allowance = await kernel.limits.take(policy, key, kernel.settings.limit(policy))
        state.allowances.append(allowance)
        if allowance.retry_after_seconds:
            kernel.metrics.rate_limited.labels(policy).inc()
            check_allowances(state.allowances)
