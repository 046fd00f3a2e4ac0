"""WIGG's edge for Web Push."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from quintet.apps.wigg.push import actions
from quintet.apps.wigg.push.encryption import point_of, text_of, vapid_key
from quintet.apps.wigg.push.model import (
    NewSubscription,
    PushKey,
    Subscribed,
    SubscriptionNotFound,
    TooManySubscriptions,
)
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, delete, get, post

TAG = "WIGG"
_EXAMPLE = {
    "endpoint": "https://push.example.com/send/f1R3f0x",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}


@get("/api/v1/push/key", access=Access.PUBLIC, tag=TAG, summary="The key that browsers subscribe with")
async def read_push_key(request: Call) -> Answer[PushKey]:
    """Answer the public VAPID key: a browser's `applicationServerKey`."""
    key = text_of(point_of(vapid_key(request.kernel.secrets).public_key()))
    return Answer(PushKey(key), max_age_seconds=300)


@post("/api/v1/push/subscriptions", access=Access.SIGNED_IN, tag=TAG, refusals=(TooManySubscriptions,),
      example=_EXAMPLE, summary="Have milestones pushed to a browser")  # fmt: skip
async def subscribe(request: Call, data: JSONBody[NewSubscription]) -> Answer[Subscribed]:
    """Take what the browser's `PushSubscription.toJSON()` says; again, the same id."""

    async def act(tx: Tx) -> Answer[Subscribed]:
        private = request.kernel.settings.push_allow_private == "yes"
        subscription_id, new = await actions.subscribe(tx, request.actor, data, private=private)
        return Answer(Subscribed(subscription_id), status=201 if new else 200)

    return await request.write(act)


@delete("/api/v1/push/subscriptions/{subscription_id:uuid}", access=Access.SIGNED_IN, tag=TAG,
        refusals=(SubscriptionNotFound,), summary="Push nothing more to a browser")  # fmt: skip
async def unsubscribe(request: Call, subscription_id: FromPath[UUID]) -> Answer[None]:
    """End a subscription."""

    async def act(tx: Tx) -> Answer[None]:
        await actions.unsubscribe(tx, request.actor, subscription_id)
        return Answer(None)

    return await request.write(act)


PUSH_ROUTES = (read_push_key, subscribe, unsubscribe)
