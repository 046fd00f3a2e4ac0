"""How tests do things to each other, and look at what comes of it."""

from typing import Any
from uuid import UUID

from tests.world import Person, World

from quintet.domains.notifications import notify, withdraw, withdraw_object

PATH = "/api/v1/notifications"
LIKED = "post_liked"


async def do(person: Person, recipient: Person, kind: str = LIKED, **given: Any) -> None:
    """Somebody does something that concerns somebody else."""

    async def act(tx: Any) -> None:
        await notify(tx, kind=kind, user_id=UUID(recipient.id), actor_id=UUID(person.id), **given)

    await person.world.kernel.database.transact(act)


async def undo(person: Person, recipient: Person, kind: str = LIKED, **given: Any) -> None:
    """They take it back."""

    async def act(tx: Any) -> None:
        await withdraw(tx, kind=kind, user_id=UUID(recipient.id), actor_id=UUID(person.id), **given)

    await person.world.kernel.database.transact(act)


async def remove(world: World, object_id: UUID | str) -> None:
    """The object goes."""
    await world.kernel.database.transact(lambda tx: withdraw_object(tx, object_id))


async def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    """Everything in the person's list, page by page; checks that the count agrees, and the order."""
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await person.get(f"{PATH}?limit=7{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    counts = (await person.get(f"{PATH}/count")).json()
    assert counts["unread"] == sum(not item["read"] for item in items)
    if not query:
        assert counts["total"] == len(items)
    order = [(item["updated_at"], item["id"]) for item in items]
    assert order == sorted(order, reverse=True)
    return items


async def texts(person: Person, query: str = "") -> list[str]:
    """What the list says, newest first."""
    return [item["text"] for item in await listed(person, query)]


async def read(person: Person, item: dict[str, Any]) -> dict[str, Any]:
    """Read one; as it is then."""
    answer = await person.put(f"{PATH}/{item['id']}/read")
    assert answer.status_code == 200, answer.text
    return answer.json()
