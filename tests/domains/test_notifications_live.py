"""What somebody hears of their notifications while they look, in every tab."""

import asyncio
from typing import Any

from tests.domains.notifying import PATH, do, listed, read, undo
from tests.domains.test_notifications_folding import play
from tests.sockets import Socket, connected
from tests.world import World

APART_SECONDS = 0.25


async def counted(socket: Socket, unread: int) -> dict[str, Any]:
    return await socket.until(lambda told: told["type"] == "notification_count" and told["unread"] == unread)


async def test_all_tabs_hear_all_of_it(live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    async with connected(ada) as tab, connected(ada) as other:
        await do(ben, ada, object_id="p")
        told = await tab.until("notification")
        assert told["room"] == f"user:{ada.id}"
        assert [told["payload"]] == await listed(ada)
        assert {name: told[name] for name in told["payload"]} == told["payload"]
        count = await counted(tab, 1)
        assert count == {
            "type": "notification_count", "room": f"user:{ada.id}", "unread": 1, "payload": {"unread": 1},
        }  # fmt: skip
        await do(cleo, ada, object_id="p")
        await undo(cleo, ada, object_id="p")
        changed = await tab.until("notification_changed")
        assert [changed["payload"]] == await listed(ada)
        item = await read(ada, told)
        heard = await other.until("notification_read")
        fields = {"notification_ids": [item["id"]], "all": False, "read_at": item["read_at"]}
        assert {name: heard[name] for name in fields} == heard["payload"] == fields
        await counted(other, 0)
        await undo(ben, ada, object_id="p")
        assert (await other.until("notification_withdrawn"))["id"] == item["id"]
        await do(ben, ada, "mention")
        await ada.put(f"{PATH}/read-all")
        assert (await other.until("notification_read"))["all"]
        await counted(other, 0)


async def test_who_was_away_catches_up(live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    await do(ben, ada, object_id="p")
    answer = await ada.get(PATH)
    epoch, _, seq = answer.headers["room-seq"].partition(":")
    shown = {item["id"]: item for item in answer.json()["items"]}
    await do(cleo, ada, object_id="p")
    await ada.put(f"{PATH}/read-all")
    await do(ben, ada, "mention")
    await undo(cleo, ada, object_id="p")
    async with connected(ada) as socket:
        room = f"user:{ada.id}"
        joined = await socket.ask("subscribe", room=room, since=int(seq), epoch=epoch)
        for event in socket.heard:
            if event.get("seq", 0) > int(seq) and event["type"].startswith("notification"):
                play(shown, event)
        assert joined["seq"] == int(seq) + 4
    assert shown == {item["id"]: item for item in await listed(ada)}


async def test_a_storm_of_likes_is_counted_now_and_then_and_ends_right(live: World) -> None:
    ada, *fans = [await live.person() for _ in range(11)]
    async with connected(ada) as socket:
        begun = asyncio.get_running_loop().time()
        for post in range(20):
            await asyncio.gather(*(do(fan, ada, object_id=str(post)) for fan in fans))
        await counted(socket, 20)
        seconds = asyncio.get_running_loop().time() - begun
        told = [one["unread"] for one in socket.heard if one["type"] == "notification_count"]
        assert told == sorted(told)
        assert len(told) <= seconds / APART_SECONDS + 1
        print(f"200 likes of 20 posts in {seconds:.2f} s: the bell said {told}")
