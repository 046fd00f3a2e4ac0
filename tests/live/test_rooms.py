"""Rooms: joining, hearing, leaving."""

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
