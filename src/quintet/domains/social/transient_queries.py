"""The statements behind what followers are told and nobody stores."""

from collections.abc import Iterable
from uuid import UUID

from quintet.kernel.database import Tx, array


async def followers_among(
    tx: Tx, user_ids: list[UUID], about_ids: list[UUID], listeners: Iterable[str]
) -> list[tuple[int, UUID]]:
    """Of these listeners those who follow a user and see whom it is about: its place from 1, and who."""
    return await tx.all(
        lambda nth, follower_id: (nth, follower_id),
        """
        select told.nth, f.follower_id
        from unnest($1::uuid[], $2::uuid[]) with ordinality as told(user_id, about_id, nth)
        join social.follows f on f.followee_id = told.user_id and f.follower_id = any($3::uuid[])
        where told.about_id = told.user_id or social.can_see(f.follower_id, told.about_id)
        order by told.nth
        """,
        array(user_ids),
        array(about_ids),
        array(listeners),
    )


async def note_here(tx: Tx, user_ids: Iterable[UUID]) -> list[tuple[UUID, str]]:
    """Of these people those who are here, otherwise than was told last, and how; it counts as told."""
    return await tx.all(
        lambda user_id, status: (user_id, status),
        """
        insert into social.statuses_told as told (user_id, status)
        select user_id, status from kernel.people_online where user_id = any($1::uuid[]) order by user_id
        on conflict (user_id) do update set status = excluded.status where told.status <> excluded.status
        returning told.user_id, told.status
        """,
        array(user_ids),
    )


async def note_gone(tx: Tx, user_ids: Iterable[UUID]) -> list[UUID]:
    """Of these people those who were told to be here and are not; it counts as told."""
    return await tx.all(
        lambda user_id: user_id,
        """
        delete from social.statuses_told told
        where user_id = any($1::uuid[]) and not exists (
            select from kernel.people_online o where o.user_id = told.user_id
        )
        returning user_id
        """,
        array(user_ids),
    )


async def who_is_otherwise(tx: Tx) -> list[UUID]:
    """Everybody who is otherwise than their followers were told."""
    return await tx.all(
        lambda user_id: user_id,
        """
        select coalesce(o.user_id, told.user_id)
        from kernel.people_online o full join social.statuses_told told on told.user_id = o.user_id
        where o.status is distinct from told.status
        """,
    )


async def followed_among(tx: Tx, user_ids: Iterable[UUID]) -> set[UUID]:
    """Of these people those whom anybody follows."""
    return set(
        await tx.all(
            lambda user_id: user_id,
            """
            select asked.id from unnest($1::uuid[]) as asked(id)
            where exists (select from social.follows f where f.followee_id = asked.id)
            """,
            array(user_ids),
        )
    )
