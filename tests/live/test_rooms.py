"""Rooms: joining, hearing, leaving."""

from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import reachable, serving, settings_for_tests
from tests.sockets import Message, Socket, connected
from tests.world import World, mark, new_title

from quintet.kernel.live.hub import RoomKind
from quintet.kernel.refusals import NotFound, Unavailable


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
        assert events[0].keys() >= {"type", "room", "seq", "at"}
        assert "payload" not in events[0]


async def test_many_rooms_are_answered_one_by_one(live: World) -> None:
    ada = await live.person()
    titles = [f"title:{await new_title(ada)}" for _ in range(3)]
    async with connected(ada) as socket:
        rooms = [{"room": titles[0]}, {"room": "title:no-such"}, {"room": titles[1], "since": 0}]
        rooms += [{"room": titles[2], "since": 0, "epoch": live.kernel.epoch, "unknown": 1}]
        await socket.say("subscribe", id="many", rooms=rooms)
        told = [await socket.until(lambda m: m.get("id") == "many") for _ in rooms]
        assert [(one["type"], one["room"]) for one in told] == [
            ("subscribed", titles[0]),
            ("error", "title:no-such"),
            ("error", titles[1]),
            ("subscribed", titles[2]),
        ]
        assert [told[1]["code"], told[2]["code"]] == ["not_found", "epoch_required"]
        assert told[1]["payload"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("title:no-such", "not_found"),
        ("title:", "not_found"),
        ("title", "not_found"),
        ("", "not_found"),
        (":", "not_found"),
        ("nonsense:x", "not_found"),
        ("Title:x", "not_found"),
        ("title:a:b", "not_found"),
        ("title:" + "x" * 300, "not_found"),
        ("user:me", "forbidden"),
        ("user:00000000-0000-7000-8000-000000000000", "forbidden"),
    ],
)
async def test_rooms_one_may_not_hear(live: World, room: str, code: str) -> None:
    async with connected(await live.person()) as socket:
        refused = await socket.ask("subscribe", room=room)
        assert (refused["type"], refused["code"], refused["retryable"]) == ("error", code, False)
        assert (await socket.ask("unsubscribe", room=room))["code"] == "not_subscribed"
    assert room not in live.kernel.hub.rooms


async def test_a_connection_hears_a_hundred_rooms_at_most(live: World, monkeypatch: Any) -> None:
    async def anybody(*_: Any) -> None:
        return

    monkeypatch.setitem(live.kernel.hub._kinds, "lab", RoomKind(anybody, shows_presence=False))
    async with connected(await live.person()) as socket:
        await socket.say("subscribe", id=1, rooms=[{"room": f"lab:{n}"} for n in range(101)])
        told = [await socket.until(lambda m: m.get("id") == 1) for _ in range(101)]
        assert [one["type"] for one in told] == ["subscribed"] * 100 + ["error"]
        assert (told[100]["code"], told[100]["room"]) == ("too_many_rooms", "lab:100")
        assert (await socket.ask("subscribe", room="lab:3"))["type"] == "subscribed"  # it is inside already
        assert (await socket.ask("subscribe", room="lab:100"))["code"] == "too_many_rooms"
        assert (await socket.ask("unsubscribe", room="lab:7"))["type"] == "unsubscribed"
        assert (await socket.ask("subscribe", room="lab:100"))["type"] == "subscribed"


async def test_who_left_hears_nothing_and_others_rooms_are_not_heard(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    title, other = await new_title(ada), await new_title(ada)
    async with connected(ben) as leaver, connected(ben) as stayer:
        for socket in (leaver, stayer):
            await socket.ask("subscribe", room=f"title:{title}")
        left = await leaver.ask("unsubscribe", room=f"title:{title}")
        assert (left["type"], left["room"]) == ("unsubscribed", f"title:{title}")
        await mark(ada, other, 10)
        await mark(ada, title, 10)
        await stayer.events_up_to(1, f"title:{title}")
        heard = [*leaver.heard, *await leaver.settle()]
        assert not [one for one in heard if "seq" in one and one["type"] != "subscribed"]
        assert {one["room"] for one in stayer.heard if "seq" in one} == {f"title:{title}"}


async def test_fields_are_taken_from_payload_first_and_unknown_ones_ignored(live: World) -> None:
    ada = await live.person()
    title = f"title:{await new_title(ada)}"
    async with connected(ada) as socket:
        told = await socket.ask("subscribe", room="title:no-such", payload={"room": title, "x": 1}, more=[1])
        assert (told["type"], told["room"]) == ("subscribed", title)
        await socket.say("ping", payload={"id": "inside"})
        pong = await socket.until("pong")
        assert (pong["id"], pong["payload"]) == ("inside", {})
        assert (await socket.ask("ping", payload=[1]))["type"] == "pong"
        for id_ in ("seven", 7, 0, -1):
            assert (await socket.ask("ping", id_=id_))["id"] == id_  # type: ignore[arg-type]


async def own_event(socket: Socket, room: str) -> Message:
    return await socket.until(lambda one: one.get("room") == room and one["type"] == "wigg_placed")


async def test_the_cause_is_told_to_all_of_the_authors_tabs_and_to_nobody_else(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    title = await new_title(ada)
    room = f"title:{title}"
    key = f"key-{uuid4()}"
    async with (
        serving(settings_for_tests(), live.dsn) as other,
        reachable(other),
        connected(ada) as one,
        connected(ada) as two,
        connected(ada, other) as far,
        connected(ben) as stranger,
        connected(ben, other) as far_stranger,
    ):
        sockets = (one, two, far, stranger, far_stranger)
        for socket in sockets:
            joined = await socket.ask("subscribe", room=room)
        answer = await ada.post(
            f"/api/titles/{title}/wiggs", json={"position_pct": 5}, headers={"Idempotency-Key": key}
        )
        assert answer.status_code == 201
        for socket in sockets:
            told = await own_event(socket, room)
            assert told.get("cause") == (key if socket in (one, two, far) else None), told
        # And to who comes back.
        for world in (live, other):
            for person, cause in ((ada, key), (ben, None)):
                async with connected(person, world) as back:
                    await back.say("subscribe", room=room, since=joined["seq"], epoch=joined["epoch"])
                    assert (await own_event(back, room)).get("cause") == cause
        body = {"position_pct": 25, "optimistic_id": str(uuid4())}
        assert (await ada.post(f"/api/titles/{title}/wiggs", json=body)).status_code == 201
        assert (await own_event(two, room))["cause"] == body["optimistic_id"]
        assert "cause" not in await own_event(stranger, room)
        await mark(ben, title, 15)
        assert "cause" not in await own_event(stranger, room)


async def test_ones_own_room_is_joined_by_itself(live: World) -> None:
    ada = await live.person()
    room = f"user:{ada.id}"
    async with connected(ada) as socket:
        await socket.ask("ping")
        live.kernel.hub.say(room, b'{"type":"nudge"}')
        assert (await socket.until("nudge"))["type"] == "nudge"
        again = await socket.ask("subscribe", room=room)
        assert (again["type"], again["presence"], again["presence_total"]) == ("subscribed", [], 0)
        live.kernel.hub.say(room, b'{"type":"nudge"}')
        assert [one["type"] for one in await socket.settle()] == ["nudge"]  # joined twice, heard once


async def test_losing_the_right_ends_the_membership(live: World, monkeypatch: Any) -> None:
    ada = await live.person()
    title = await new_title(ada)
    room = f"title:{title}"
    async with connected(ada) as socket:
        await socket.ask("subscribe", room=room)

        async def nobody(*_: Any) -> None:
            raise NotFound

        with monkeypatch.context() as patch:
            patch.setitem(live.kernel.hub._kinds, "title", RoomKind(nobody))
            await socket.say("subscribe", id=5, room=room)
            ended = await socket.until("unsubscribed")
            assert (ended["room"], ended["reason"]) == (room, "not_found")
            assert (await socket.until("error"))["id"] == 5
        await mark(ada, title, 50)
        assert not [one for one in await socket.settle() if one.get("room") == room]


async def test_a_replay_that_breaks_off_leaves_nobody_deaf_inside(live: World, monkeypatch: Any) -> None:
    ada = await live.person()
    title = await new_title(ada)
    room = f"title:{title}"
    async with connected(ada) as socket:
        joined = await socket.ask("subscribe", room=room)

        async def away(*_: Any) -> None:
            raise Unavailable

        with monkeypatch.context() as patch:
            patch.setattr(live.kernel.hub, "missed", away)
            await socket.say("subscribe", id=5, room=room, since=0, epoch=joined["epoch"])
            assert (await socket.until("unsubscribed"))["reason"] == "unavailable"
            told = await socket.until("error")
            assert (told["id"], told["code"], told["retryable"]) == (5, "unavailable", True)
        await mark(ada, title, 50)
        await socket.say("subscribe", id=6, room=room, since=joined["seq"], epoch=joined["epoch"])
        assert (await own_event(socket, room))["seq"] == joined["seq"] + 1


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
