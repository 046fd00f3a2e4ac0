"""The feed as it happens: what reading it gives is what its room tells."""

from typing import Any

from tests.sockets import Socket, connected
from tests.world import Person, World


async def new_film(person: Person, title: str) -> str:
    body = {"title": title, "media_type": "MOVIE", "confirm": True}
    answer = await person.post("/media/create_stub", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def item_told(socket: Socket) -> dict[str, Any]:
    return (await socket.until("feed_item"))["item"]


async def test_what_the_followed_do_is_told_as_the_item_that_reading_gives(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    film = await new_film(ada, "Heat")
    assert (await ben.post(f"/social/follow/{ada.id}")).json() == {"status": "following"}
    async with connected(ben) as socket:
        await socket.ask("subscribe", room="feed")
        placed = await ada.post("/rankings", json={"media_id": film, "tier": "A", "note": "that coffee"})
        ranking = f"/rankings/{placed.json()['id']}"
        told = [await item_told(socket)]
        for tier in ("S", "B"):
            assert (await ada.patch(f"{ranking}/move", json={"tier": tier})).status_code == 200
            told.append(await item_told(socket))
        assert (await ada.patch(ranking, json={"note": "and the bank"})).status_code == 200
        told.append(await item_told(socket))
        assert [one["kind"] for one in told] == ["ranked", "moved", "moved", "noted"]
        assert told[1]["id"] == told[2]["id"]
        assert (told[2]["from_tier"], told[2]["tier"], told[2]["count"]) == ("A", "B", 2)

        # Whoever upserts by id has what reading gives; only a note told earlier is as it was then.
        read = await ben.get("/social/feed")
        kept = {one["id"]: one | {"note": "and the bank"} for one in told}
        assert kept == {one["id"]: one for one in read.json()["items"]}
        assert read.headers["room-seq"] == f"{live.kernel.epoch}:4"


async def test_a_private_account_tells_its_followers_alone(live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    film = await new_film(ada, "Ronin")
    await ben.post(f"/social/follow/{ada.id}")
    assert (await ada.patch("/social/me", json={"private": True})).status_code == 200
    assert (await cleo.post(f"/social/follow/{ada.id}")).json() == {"status": "requested"}
    async with connected(ben) as his, connected(cleo) as hers:
        for socket in (his, hers):
            await socket.ask("subscribe", room="feed")
        await ada.post("/rankings", json={"media_id": film, "tier": "S"})
        assert (await item_told(his))["media"]["title"] == "Ronin"
        assert "feed_item" not in {one["type"] for one in await hers.settle()}
