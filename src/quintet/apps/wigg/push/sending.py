"""Sending messages to browsers: the way from `wigg.pushes` to the push services.

Invariant: nothing is sent inside a transaction. A message is claimed for half a minute, sent, then deleted or
postponed; so a node that dies in between sends at most the same message again.
"""

import asyncio
from datetime import timedelta
from typing import Any, Final

import httpx2

from quintet.apps.wigg.push import queries
from quintet.apps.wigg.push.encryption import authorization, encrypted, vapid_key
from quintet.apps.wigg.push.endpoints import ForbiddenEndpoint, target_of
from quintet.apps.wigg.push.queries import Push
from quintet.kernel.asking import new_client
from quintet.kernel.clock import Instant
from quintet.kernel.http.call import Kernel
from quintet.kernel.telemetry import get_logger

SEND_SECONDS: Final = 10
MOST_ATTEMPTS: Final = 4
_MOST_AT_ONCE: Final = 20
_CLAIMED: Final = timedelta(seconds=30)
_FARTHEST: Final = timedelta(minutes=5)
_LONGEST_SLEEP_SECONDS: Final = 1.0


async def keep_pushing(kernel: Kernel) -> None:
    """Send what is due, for as long as the server runs."""
    limits = httpx2.Limits(max_connections=_MOST_AT_ONCE, max_keepalive_connections=0)
    async with new_client(timeout=SEND_SECONDS, limits=limits) as http:
        while True:
            async with kernel.database.statement() as tx:
                due, now = await queries.next_due(tx), tx.now
            wait = _LONGEST_SLEEP_SECONDS if due is None else (due - now).total_seconds()
            if wait <= 0:
                wait = 0.02 if await send_due(kernel, http) == 0 else 0
            await asyncio.sleep(min(wait, _LONGEST_SLEEP_SECONDS))


async def send_due(kernel: Kernel, http: httpx2.AsyncClient) -> int:
    """Send the messages that are due, a bounded part of them; how many."""
    async with kernel.database.statement() as tx:
        pushes = await queries.claim_pushes(tx, tx.now + _CLAIMED, _MOST_AT_ONCE)
    await asyncio.gather(*(_send(kernel, http, push) for push in pushes))
    return len(pushes)


async def _send(kernel: Kernel, http: httpx2.AsyncClient, push: Push) -> None:
    now = kernel.clock.now()
    lives_seconds = int((push.expires_at - now).total_seconds())
    if lives_seconds <= 0:
        await _finish(kernel, push, "late")
        return
    try:
        async with asyncio.timeout(SEND_SECONDS):
            status, told = await _post(kernel, http, push, lives_seconds, now)
    except ForbiddenEndpoint:
        await _finish(kernel, push, "forbidden")
    except (OSError, TimeoutError, httpx2.HTTPError) as error:
        await _try_later(kernel, push, type(error).__name__, None)
    else:
        if 200 <= status < 300:
            await _finish(kernel, push, "sent")
        elif status in {404, 410}:
            await _finish(kernel, push, "gone", forget=True)
        elif status == 429 or status >= 500:
            await _try_later(kernel, push, str(status), told)
        else:
            await _finish(kernel, push, f"refused {status}")


async def _post(
    kernel: Kernel, http: httpx2.AsyncClient, push: Push, lives_seconds: int, now: Instant
) -> tuple[int, str | None]:
    """Post a message to its push service: the status, and how long it asks to wait."""
    settings = kernel.settings
    target = await target_of(push.endpoint, private=settings.push_allow_private == "yes")
    headers = {
        "Host": target.host,
        "Authorization": authorization(vapid_key(kernel.secrets), push.endpoint, settings.issuer, now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(lives_seconds),
        "Urgency": "normal",
    }
    body = encrypted(push.message.encode(), push.p256dh, push.auth)
    extensions: dict[str, Any] = {"sni_hostname": target.sni}
    # Streamed and never read: a push service's answer is its status, however much it sends.
    async with http.stream(
        "POST", target.url, content=body, headers=headers, extensions=extensions
    ) as answer:
        return answer.status_code, answer.headers.get("retry-after")


async def _try_later(kernel: Kernel, push: Push, why: str, retry_after: str | None) -> None:
    """Try again, later each time and not before the push service asks for it; in the end give up."""
    wait = timedelta(seconds=2.0**push.attempts)
    if retry_after is not None and retry_after.isascii() and retry_after.isdecimal():
        wait = max(wait, timedelta(seconds=min(int(retry_after[:9]), _FARTHEST.total_seconds())))
    due_at = kernel.clock.now() + min(wait, _FARTHEST)
    if push.attempts >= MOST_ATTEMPTS or due_at >= push.expires_at:
        await _finish(kernel, push, f"given up: {why}")
        return
    async with kernel.database.statement() as tx:
        await queries.postpone_push(tx, push.id, due_at)


async def _finish(kernel: Kernel, push: Push, outcome: str, *, forget: bool = False) -> None:
    get_logger().debug("push", outcome=outcome, subscription_id=str(push.subscription_id))
    async with kernel.database.statement() as tx:
        if forget:
            await queries.delete_subscription(tx, push.subscription_id)
        else:
            await queries.delete_push(tx, push.id)
