"""The statements that bring deeds into followers' feeds."""

from datetime import datetime
from uuid import UUID

import msgspec

from quintet.kernel.database import Tx, array

_TURN = 7_301_530_118  # names the lock of whoever passes on; any number that nobody else uses


class Telling(msgspec.Struct, frozen=True):
    """Something that was done, waiting to be passed on."""

    id: int
    author_id: UUID
    body: str


class Listener(msgspec.Struct, frozen=True):
    """A follower who is to hear of it."""

    telling_id: int
    follower_id: UUID


async def add_listener(tx: Tx, user_id: UUID, now: datetime) -> None:
    """Write this feed from now on."""
    await tx.run(
        "insert into social.feed_listeners (user_id, since) values ($1, $2) on conflict do nothing",
        user_id,
        now,
    )


async def add_telling(tx: Tx, author_id: UUID, body: str, now: datetime) -> None:
    """Let it be passed on; nothing is written where nobody follows."""
    await tx.send(
        """
        insert into social.tellings (author_id, body, at)
        select $1, $2, $3 where exists (select from social.follows where followee_id = $1)
        """,
        author_id,
        body,
        now,
    )


async def is_anything_waiting(tx: Tx) -> bool:
    """Whether anything is to be passed on; by the index, which passes what was removed faster than a scan."""
    return await tx.value("select min(id) is not null from social.tellings")


async def take_turn(tx: Tx) -> bool:
    """Whether nobody else passes on until this transaction ends."""
    return await tx.value("select pg_try_advisory_xact_lock($1)", _TURN)


async def oldest_tellings(tx: Tx) -> list[Telling]:
    """What has waited longest, oldest first."""
    return await tx.all(
        Telling, "select id, author_id, body::text from social.tellings order by id limit 100"
    )


async def followers_to_tell(tx: Tx, telling_ids: list[int], most: int) -> list[Listener]:
    """Who is to hear of these and has not yet, by telling and follower."""
    return await tx.all(
        Listener,
        """
        select t.id, f.follower_id
        from social.tellings t
        join social.follows f on f.followee_id = t.author_id
        join social.feed_listeners l on l.user_id = f.follower_id
        where t.id = any($1::bigint[]) and (t.told_up_to is null or f.follower_id > t.told_up_to)
        order by t.id, f.follower_id
        limit $2
        """,
        array(telling_ids),
        most,
    )


async def note_told(tx: Tx, telling_id: int, follower_id: UUID) -> None:
    """Go on behind this follower next time."""
    await tx.send("update social.tellings set told_up_to = $2 where id = $1", telling_id, follower_id)


async def remove_tellings(tx: Tx, telling_ids: list[int]) -> None:
    """Everybody was told of these."""
    await tx.send("delete from social.tellings where id = any($1::bigint[])", array(telling_ids))
