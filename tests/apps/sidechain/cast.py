"""What tests of Sidechain do again and again, through the front door."""

from typing import Any

from tests.world import Person, World

CHANNELS = "/api/v1/channels"


async def open_channel(owner: Person, *members: Person, name: str = "Mixes", private: bool = False) -> str:
    """A new channel of the owner's, and others in it; its id."""
    answer = await owner.post(CHANNELS, json={"name": name, "private": private})
    assert answer.status_code == 201, answer.text
    channel_id = answer.json()["id"]
    assert answer.headers["location"] == f"{CHANNELS}/{channel_id}"
    for member in members:
        added = await owner.put(f"{CHANNELS}/{channel_id}/members/{member.id}")
        assert added.status_code == 200, added.text
    return channel_id


async def items(person: Person, path: str) -> list[dict[str, Any]]:
    """A list as somebody sees it, its first hundred."""
    answer = await person.get(path + ("&" if "?" in path else "?") + "limit=100")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def all_pages(person: Person, path: str, limit: int) -> list[dict[str, Any]]:
    """A whole list, a page at a time."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = ("&" if "?" in path else "?") + f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        answer = await person.get(path + query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def members_of(person: Person, channel_id: str) -> set[str]:
    return {one["user"]["id"] for one in await items(person, f"{CHANNELS}/{channel_id}/members")}


async def block(blocker: Person, other: Person) -> None:
    assert (await blocker.put(f"/api/v1/users/{other.username}/block")).status_code == 204


async def make_private(person: Person) -> None:
    assert (await person.patch("/social/me", json={"private": True})).status_code == 200


async def follow(follower: Person, followee: Person) -> None:
    answer = await follower.post(f"/social/follow/{followee.id}")
    assert answer.json() == {"status": "following"}, answer.text


def account(person: Person) -> dict[str, str]:
    return {"id": person.id, "username": person.username, "display_name": person.username}


async def people(world: World, *names: str) -> list[Person]:
    return [await world.person(name) for name in names]


async def post(author: Person, text: str = "First sketch", **given: Any) -> str:
    """A new post; its id."""
    answer = await author.post("/api/v1/posts", json={"text": text, **given})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/posts/{answer.json()['id']}"
    return answer.json()["id"]


async def ids(person: Person, path: str) -> list[str]:
    return [one["id"] for one in await items(person, path)]
