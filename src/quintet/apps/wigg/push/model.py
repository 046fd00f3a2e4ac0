"""The words of Web Push: subscriptions, and what can be refused of them."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from quintet.kernel.refusals import Conflict, NotFound


class SubscriptionKeys(msgspec.Struct, frozen=True):
    """The keys of a browser's subscription, in base64url."""

    p256dh: Annotated[str, Meta(max_length=200)]
    auth: Annotated[str, Meta(max_length=100)]


class NewSubscription(msgspec.Struct, frozen=True):
    """What `PushSubscription.toJSON()` says in a browser.

    Its other members, such as `expirationTime`, are ignored: browsers add to them.
    """

    endpoint: Annotated[str, Meta(max_length=2000)]
    keys: SubscriptionKeys


class Subscribed(msgspec.Struct, frozen=True):
    """The answer to a subscription."""

    id: UUID


class PushKey(msgspec.Struct, frozen=True):
    """What a browser needs to subscribe: its `applicationServerKey`."""

    public_key: str


class SubscriptionNotFound(NotFound):
    """You have no such subscription."""

    code = "not_found"


class TooManySubscriptions(Conflict):
    """You have twenty browsers subscribed: remove one first."""
