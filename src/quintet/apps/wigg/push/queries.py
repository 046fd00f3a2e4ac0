"""The statements of Web Push: who wants messages, and which are on their way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.json import encode

MOST_WAITING: Final = 20


class Subscription(msgspec.Struct, frozen=True):
    """A browser that wants messages."""

    id: UUID
    user_id: UserId
    endpoint: str
    p256dh: bytes
    auth: bytes


class NewPush(msgspec.Struct, frozen=True):
    """A message for all browsers of a user."""

    user_id: UserId
    message: str


class Push(msgspec.Struct, frozen=True):
    """A message on its way to one browser."""

    id: UUID
    subscription_id: UUID
    message: str
    attempts: int
    expires_at: Instant
    endpoint: str
    p256dh: bytes
    auth: bytes


async def lock_subscriptions(tx: Tx, user_id: UserId) -> None:
    """Let nobody else subscribe for this user until the transaction ends."""
    await tx.send("select pg_advisory_xact_lock(hashtextextended('wigg push ' || $1, 0))", str(user_id))


async def subscription_of(tx: Tx, endpoint: str) -> Subscription | None:
    """Whoever has subscribed this endpoint."""
    return await tx.maybe(
        lambda id_, user_id, endpoint_, p256dh, auth: Subscription(
            id_, user_id, endpoint_, bytes(p256dh), bytes(auth)
        ),
        "select id, user_id, endpoint, p256dh, auth from wigg.push_subscriptions where endpoint = $1",
        endpoint,
    )


async def count_subscriptions(tx: Tx, user_id: UserId) -> int:
    """How many browsers a user has subscribed."""
    return await tx.value("select count(*) from wigg.push_subscriptions where user_id = $1", user_id)


async def insert_subscription(tx: Tx, subscription: Subscription) -> None:
    """Write a new subscription."""
    await tx.run(
        """
        insert into wigg.push_subscriptions (id, user_id, endpoint, p256dh, auth, created_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        subscription.id,
        subscription.user_id,
        subscription.endpoint,
        subscription.p256dh,
        subscription.auth,
        tx.now,
    )


async def update_keys(tx: Tx, subscription_id: UUID, p256dh: bytes, auth: bytes) -> None:
    """A browser has subscribed again, with new keys."""
    await tx.send(
        "update wigg.push_subscriptions set p256dh = $2, auth = $3 where id = $1",
        subscription_id,
        p256dh,
        auth,
    )


async def delete_subscription(tx: Tx, subscription_id: UUID) -> None:
    """Remove a subscription with what was on its way."""
    await tx.run("delete from wigg.push_subscriptions where id = $1", subscription_id)


async def delete_own_subscription(tx: Tx, user_id: UserId, subscription_id: UUID) -> bool:
    """Remove a subscription of this user's; False where there is none."""
    gone = await tx.run(
        "delete from wigg.push_subscriptions where id = $1 and user_id = $2", subscription_id, user_id
    )
    return gone == 1


async def queue_pushes(tx: Tx, messages: Sequence[NewPush], expires_at: Instant) -> None:
    """Send messages on their way to every browser of their users, as far as not too many wait for it."""
    await tx.send(
        """
        insert into wigg.pushes (id, subscription_id, message, due_at, expires_at)
        select gen_random_uuid(), subscription_id, message, $2, $3
        from (
            select s.id as subscription_id, m.message,
                   row_number() over (partition by s.id)
                   + (select count(*) from wigg.pushes p where p.subscription_id = s.id) as place
            from jsonb_to_recordset($1::jsonb) as m(user_id uuid, message text)
            join wigg.push_subscriptions s on s.user_id = m.user_id
        ) wanted
        where place <= $4
        """,
        encode(messages).decode(),
        tx.now,
        expires_at,
        MOST_WAITING,
    )


async def next_due(tx: Tx) -> Instant | None:
    """When the next message is due."""
    return await tx.value("select min(due_at) from wigg.pushes")


async def claim_pushes(tx: Tx, until: datetime, most: int) -> list[Push]:
    """Take messages that are due; nobody else takes them before `until`."""
    return await tx.all(
        lambda id_, subscription_id, message, attempts, expires_at, endpoint, p256dh, auth: Push(
            id_, subscription_id, message, attempts, expires_at, endpoint, bytes(p256dh), bytes(auth)
        ),
        """
        with due as materialized (
            select id from wigg.pushes where due_at <= $1 order by due_at limit $3 for update skip locked
        )
        update wigg.pushes p
        set due_at = $2, attempts = attempts + 1
        from wigg.push_subscriptions s
        where s.id = p.subscription_id and p.id in (select id from due)
        returning p.id, p.subscription_id, p.message, p.attempts, p.expires_at, s.endpoint, s.p256dh, s.auth
        """,
        tx.now,
        until,
        most,
    )


async def delete_push(tx: Tx, push_id: UUID) -> None:
    """A message has arrived, or never will."""
    await tx.run("delete from wigg.pushes where id = $1", push_id)


async def postpone_push(tx: Tx, push_id: UUID, due_at: datetime) -> None:
    """Try a message again later."""
    await tx.run("update wigg.pushes set due_at = $2 where id = $1", push_id, due_at)


def new_subscription(user_id: UserId, endpoint: str, p256dh: bytes, auth: bytes) -> Subscription:
    """A subscription with an id of its own."""
    return Subscription(new_id(), user_id, endpoint, p256dh, auth)
