"""The verbs of Web Push: subscribe a browser, and end it."""

from typing import Final
from uuid import UUID

from quintet.apps.wigg.push import queries
from quintet.apps.wigg.push.encryption import bytes_of, is_point
from quintet.apps.wigg.push.endpoints import ForbiddenEndpoint, parts_of
from quintet.apps.wigg.push.model import NewSubscription, SubscriptionNotFound, TooManySubscriptions
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.refusals import invalid

MOST_SUBSCRIPTIONS: Final = 20


async def subscribe(tx: Tx, actor: Actor, new: NewSubscription, *, private: bool) -> tuple[UUID, bool]:
    """Subscribe a browser; the id, and whether it is new.

    A browser belongs to whoever subscribed it last: two people who share it must not read each other's.
    """
    try:
        parts_of(new.endpoint, private=private)
    except ForbiddenEndpoint as error:
        raise invalid("out_of_range", str(error), pointer="/endpoint") from error
    p256dh, auth = bytes_of(new.keys.p256dh), bytes_of(new.keys.auth)
    if p256dh is None or not is_point(p256dh):
        raise invalid("out_of_range", "a P-256 point of 65 bytes in base64url", pointer="/keys/p256dh")
    if auth is None or len(auth) != 16:
        raise invalid("out_of_range", "16 bytes in base64url", pointer="/keys/auth")
    await queries.lock_subscriptions(tx, actor.id)
    known = await queries.subscription_of(tx, new.endpoint)
    if known is not None and known.user_id == actor.id:
        await queries.update_keys(tx, known.id, p256dh, auth)
        return known.id, False
    if await queries.count_subscriptions(tx, actor.id) >= MOST_SUBSCRIPTIONS:
        raise TooManySubscriptions
    if known is not None:
        await queries.delete_subscription(tx, known.id)
    subscription = queries.new_subscription(actor.id, new.endpoint, p256dh, auth)
    await queries.insert_subscription(tx, subscription)
    return subscription.id, True


async def unsubscribe(tx: Tx, actor: Actor, subscription_id: UUID) -> None:
    """End a subscription; raises SubscriptionNotFound."""
    if not await queries.delete_own_subscription(tx, actor.id, subscription_id):
        raise SubscriptionNotFound
