"""Rooms: joining, hearing, leaving."""

from uuid import uuid4

from tests.sockets import connected
from tests.world import World, mark, new_title


async def test_what_happens_in_a_room_is_heard_in_order(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    title = await new_title(ada)
    async with connected(ben) as socket:
        joined = await socket.ask("subscribe", room=f"title:{title}")
        assert joined["type"] == "subscribed"
        assert joined["epoch"] == live.kernel.epoch
        for pct in (10, 20, 30):
            await mark(ada, title, pct)
        events = await socket.events_up_to(joined["seq"] + 3, f"title:{title}")
        assert [event["seq"] for event in events] == [joined["seq"] + n for n in (1, 2, 3)]
        assert [event["position_pct"] for event in events] == [10, 20, 30]


async def test_the_author_alone_hears_the_cause(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    title = await new_title(ada)
    room = f"title:{title}"
    own = str(uuid4())
    async with connected(ada) as tab, connected(ada) as other_tab, connected(ben) as stranger:
        for socket in (tab, other_tab, stranger):
            await socket.ask("subscribe", room=room)
        await mark(ada, title, 10, optimistic_id=own)
        answer = await ada.post(
            f"/api/titles/{title}/wiggs", json={"position_pct": 20}, headers={"Idempotency-Key": "second"}
        )
        assert answer.status_code == 201
        await mark(ben, title, 30)
        for socket in (tab, other_tab):
            heard = await socket.events_up_to(3, room)
            assert [event.get("cause") for event in heard] == [own, "second", None]
        assert [event.get("cause") for event in await stranger.events_up_to(3, room)] == [None] * 3
        again = await tab.ask("subscribe", id_=5, room=room, epoch=live.kernel.epoch, since=0)
        replayed = [m for m in tab.heard if m.get("room") == room and "at" in m and "seq" in m][3:]
        assert [event.get("cause") for event in replayed] == [own, "second", None]
        assert again["seq"] == 3
