"""The room `feed`: one name, and for everybody their own stream behind it."""

import asyncio
from typing import Any

import pytest
from tests.sockets import connected
from tests.waiting import look_again
from tests.world import Person, World

from quintet.kernel.live.hub import RoomKind
from quintet.kernel.live.log import Event


class Sung(Event):
    """Somebody sang."""

    words: str


async def sing(world: World, listener: Person, words: str) -> None:
    """Put something into somebody's stream."""

    async def act(tx: Any) -> None:
        tx.emit(f"feed:{listener.id}", Sung(words=words))

    await world.kernel.database.transact(act)


@pytest.fixture(autouse=True)
def open_to_all(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def anybody(*_: Any) -> None:
        return

    monkeypatch.setitem(live.kernel.hub._kinds, "feed", RoomKind(anybody, shows_presence=False))


async def test_everybody_hears_their_own_feed_under_its_one_name(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    async with connected(ada) as hers, connected(ben) as his:
        for socket in (hers, his):
            joined = await socket.ask("subscribe", room="feed")
            assert (joined["type"], joined["room"], joined["seq"]) == ("subscribed", "feed", 0)
        await sing(live, ada, "la")
        heard = await hers.events_up_to(1, "feed")
        assert [(one["room"], one["words"]) for one in heard] == [("feed", "la")]
        assert not [one for one in await his.settle() if one.get("words")]


async def test_a_feed_is_left_and_come_back_to(live: World) -> None:
    ada = await live.person("ada")
    async with connected(ada) as socket:
        await socket.ask("subscribe", room="feed")
        assert (await socket.ask("unsubscribe", room="feed"))["type"] == "unsubscribed"
        assert (await socket.ask("unsubscribe", room="feed"))["code"] == "not_subscribed"
        for words in ("do", "re"):
            await sing(live, ada, words)
        await socket.say("subscribe", id=5, room="feed", since=0, epoch=live.kernel.epoch)
        missed = await socket.events_up_to(2, "feed")
        assert [one["words"] for one in missed] == ["do", "re"]
        joined = await socket.until(lambda m: m.get("id") == 5)
        assert (joined["room"], joined["seq"]) == ("feed", 2)
        await socket.say("subscribe", id=6, room="feed", since=9, epoch=live.kernel.epoch)
        assert (await socket.until("reset"))["room"] == "feed"


async def test_nobody_hears_anothers_feed(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    async with connected(ben) as socket:
        for room in (f"feed:{ada.id}", f"feed:{ben.id}", "feed:"):
            assert (await socket.ask("subscribe", room=room))["code"] == "not_found"


async def test_presence_said_in_a_feed_leaves_nothing_behind(live: World) -> None:
    ada = await live.person("ada")
    async with connected(ada) as socket:
        await socket.ask("subscribe", room="feed")
        await socket.say("presence", room="feed", status="in_studio", mode="x")
        await socket.settle()
    presence: Any = live.kernel.presence
    async with asyncio.timeout(10):
        while presence._said:
            await look_again()
