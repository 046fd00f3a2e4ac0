"""Notifications: what somebody is told of others, folded into few."""

from typing import Any
from uuid import UUID, uuid4

from tests.world import Person, World

from quintet.domains.notifications import notify, withdraw


async def do(person: Person, recipient: Person, kind: str = "post_liked", **given: Any) -> None:
    """Somebody does something that concerns somebody else."""

    async def act(tx: Any) -> None:
        await notify(tx, kind=kind, user_id=UUID(recipient.id), actor_id=UUID(person.id), **given)

    await person.world.kernel.database.transact(act)


async def undo(person: Person, recipient: Person, kind: str = "post_liked", **given: Any) -> None:
    async def act(tx: Any) -> None:
        await withdraw(tx, kind=kind, user_id=UUID(recipient.id), actor_id=UUID(person.id), **given)

    await person.world.kernel.database.transact(act)


async def test_sketch(world: World) -> None:
    ada, *fans = [await world.person() for _ in range(5)]
    post = uuid4()
    for fan in fans:
        await do(fan, ada, object_id=post, post_text="la")
    print(world.sql("select * from notifications.listed where user_id = %s", ada.id))
    await undo(fans[0], ada, object_id=post)
    print(
        world.sql(
            "select *, notifications.newest_actors(id) from notifications.listed where user_id = %s", ada.id
        )
    )
    for fan in fans:
        await undo(fan, ada, object_id=post)
    print(world.sql("select * from notifications.listed where user_id = %s", ada.id))
    print(
        world.sql(
            "select type, body from (select body->>'type' as type, body from kernel.room_events where room = %s order by seq) x",
            f"user:{ada.id}",
        )
    )
