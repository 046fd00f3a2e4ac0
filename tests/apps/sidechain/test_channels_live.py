"""A channel's room: what it tells is how the channel is, and who may not read it hears nothing of it."""

from typing import Any
from urllib.parse import quote

from tests.apps.sidechain.cast import CHANNELS, account, block, items, open_channel, people, post
from tests.sockets import Socket, connected
from tests.world import Person, World

POSTS = "/api/v1/posts"


async def state(person: Person, channel_id: str) -> dict[str, Any]:
    """All that somebody can read of a channel, but for what is theirs alone."""
    channel = (await person.get(f"{CHANNELS}/{channel_id}")).json()
    posts = {one["id"]: one for one in await items(person, f"{CHANNELS}/{channel_id}/posts")}
    for one in posts.values():
        one["comments"] = {c["id"]: c["text"] for c in await items(person, f"{POSTS}/{one['id']}/comments")}
        one["reactions"] = {r["emoji"]: r["count"] for r in one["reactions"]}
        del one["liked"], one["play_count"]
    del channel["role"]
    members = {one["user"]["id"] for one in await items(person, f"{CHANNELS}/{channel_id}/members")}
    return {"channel": channel, "members": members, "posts": posts}


def apply(state: dict[str, Any], event: dict[str, Any]) -> None:
    """What a client does with an event."""
    channel, posts, kind = state["channel"], state["posts"], event["type"]
    if kind == "channel_changed":
        channel |= {name: event[name] for name in ("name", "private", "owner", "updated_at")}
    elif kind in {"member_joined", "member_left"}:
        channel["members"] = event["members"]
        if kind == "member_joined":
            state["members"].add(event["user"]["id"])
        else:
            state["members"].discard(event["user_id"])
    elif kind == "new_post":
        posts[event["post_id"]] = made = {**event["post"], "comments": {}, "reactions": {}}
        del made["liked"], made["play_count"]
    elif kind == "post_deleted":
        del posts[event["post_id"]]
    else:
        apply_deed(posts[event["post_id"]], event)


def apply_deed(post: dict[str, Any], event: dict[str, Any]) -> None:
    counts = {"like_count", "comment_count", "reaction_count"} & event.keys()
    assert len(counts) == 1, event
    post |= {name: event[name] for name in counts}
    match event["type"]:
        case "post_liked" | "post_unliked":
            pass
        case "new_reaction" | "reaction_removed":
            post["reactions"][event["emoji"]] = event["count"]
            if not event["count"]:
                del post["reactions"][event["emoji"]]
        case "new_comment":
            post["comments"][event["comment_id"]] = event["text"]
        case "comment_deleted":
            del post["comments"][event["comment_id"]]
        case other:
            raise AssertionError(other)


async def test_old_state_and_events_are_the_new_state(live: World) -> None:
    ada, ben, cleo = await people(live, "ada", "ben", "cleo")
    channel = await open_channel(ada, ben)
    path = f"{CHANNELS}/{channel}"
    kept = await post(ada, channel_id=channel)
    async with connected(ben) as socket:
        seq = (await socket.ask("subscribe", room=f"channel:{channel}"))["seq"]
        known = await state(ben, channel)
        gone = await post(ben, "second", channel_id=channel, tags=["x"], key="C")
        await ada.patch(path, json={"name": "Renamed"})
        await ada.put(f"{path}/members/{cleo.id}")
        for person in (ada, ben, cleo):
            for one in (kept, gone):
                await person.put(f"{POSTS}/{one}/like")
                await person.put(f"{POSTS}/{one}/reactions/{quote('🔥')}")
                await person.post(f"{POSTS}/{one}/comments", json={"text": "hm"})
        await cleo.put(f"{POSTS}/{kept}/reactions/{quote('❤')}")
        await cleo.delete(f"{POSTS}/{kept}/reactions/{quote('❤')}")
        await ben.delete(f"{POSTS}/{kept}/reactions/{quote('🔥')}")
        await ben.delete(f"{POSTS}/{kept}/like")
        comment = (await items(ben, f"{POSTS}/{kept}/comments"))[1]["id"]
        await ada.delete(f"/api/v1/comments/{comment}")
        await ada.delete(f"{POSTS}/{gone}")
        await ada.patch(path, json={"owner_id": ben.id})
        await cleo.post(f"{path}/leave")
        fresh = await state(ben, channel)
        end = int((await ben.get(path)).headers["room-seq"].split(":")[1])
        events = await socket.events_up_to(end, f"channel:{channel}")
        assert [one["seq"] for one in events] == list(range(seq + 1, end + 1))
        for event in events:
            apply(known, event)
        assert known == fresh
    print(f"{len(events)} events of a channel on the old state give the new one")


async def test_contract_events_stand_a_second_time_under_payload(live: World) -> None:
    ada, ben = await people(live, "ada", "ben")
    channel = await open_channel(ada, ben)
    made = await post(ada, channel_id=channel)
    async with connected(ben) as socket:
        await socket.ask("subscribe", room=f"channel:{channel}")
        liked = await ben.put(f"{POSTS}/{made}/like", headers={"Idempotency-Key": "my-like"})
        assert liked.status_code == 200
        in_room = await socket.until(lambda m: m["type"] == "post_liked" and m["room"].startswith("channel"))
        whole = {"post_id": made, "channel_id": channel, "user_id": ben.id, "username": ben.username,
                 "display_name": ben.username, "like_count": 1}  # fmt: skip
        assert in_room["payload"] == whole
        assert in_room["cause"] == "my-like"
        assert {name: in_room[name] for name in whole} == whole
        for kind, call in {
            "new_post": ada.post(POSTS, json={"text": "x", "channel_id": channel}),
            "post_unliked": ben.delete(f"{POSTS}/{made}/like"),
            "new_reaction": ben.put(f"{POSTS}/{made}/reactions/{quote('🔥')}"),
            "new_comment": ben.post(f"{POSTS}/{made}/comments", json={"text": "x"}),
        }.items():
            assert (await call).status_code < 300
            event = await socket.until(kind)
            assert event["payload"]
            assert {name: event[name] for name in event["payload"]} == event["payload"]


async def put_out(socket: Socket, room: str) -> str:
    return (await socket.until(lambda m: m["type"] == "unsubscribed" and m["room"] == room))["reason"]


async def test_who_may_not_read_a_channel_hears_nothing_of_it(live: World) -> None:
    ada, ben, cleo, dan, eve = await people(live, "ada", "ben", "cleo", "dan", "eve")
    channel = await open_channel(ada, ben, cleo, private=True)
    room = f"channel:{channel}"
    async with (
        connected(ben) as bens,
        connected(cleo) as cleos,
        connected(dan) as dans,
        connected(eve) as eves,
    ):
        for name in (room, f"channel:{channel.upper()}", "channel:x", "channel:"):
            assert (await dans.ask("subscribe", room=name))["code"] == "not_found"
        for socket in (bens, cleos):
            assert (await socket.ask("subscribe", room=room))["type"] == "subscribed"
        await ada.delete(f"{CHANNELS}/{channel}/members/{ben.id}")
        assert await put_out(bens, room) == "not_found"
        await ada.patch(f"{CHANNELS}/{channel}", json={"private": False})
        await block(eve, ada)
        assert (await eves.ask("subscribe", room=room))["code"] == "not_found"
        for socket in (bens, dans):
            assert (await socket.ask("subscribe", room=room))["type"] == "subscribed"
        await ada.patch(f"{CHANNELS}/{channel}", json={"private": True})
        for socket in (bens, dans):
            assert await put_out(socket, room) == "not_found"
        await post(ada, "for members", channel_id=channel)
        assert (await cleos.until("new_post"))["post"]["text"] == "for members"
        await ada.delete(f"{CHANNELS}/{channel}")
        await cleos.until("channel_deleted")
        assert await put_out(cleos, room) == "not_found"
        for socket in (bens, dans, eves):
            assert not [one for one in await socket.settle() if one["type"] == "new_post"]


async def test_a_block_hides_in_a_room_what_it_hides_in_reading(live: World) -> None:
    ada, ben, cleo = await people(live, "ada", "ben", "cleo")
    channel = await open_channel(ada, ben)
    room = f"channel:{channel}"
    await block(cleo, ben)
    await ada.put(f"{CHANNELS}/{channel}/members/{cleo.id}")
    made = await post(ada, channel_id=channel)
    async with connected(ada) as adas, connected(cleo) as cleos, connected(ben) as bens:
        for socket in (adas, bens, cleos):
            await socket.ask("subscribe", room=room)
        listed: list[set[str]] = [set()]
        while len(listed[0]) < 3:  # until it is known that all of them are there
            joined = [await one.ask("subscribe", room=room) for one in (adas, bens, cleos)]
            listed = [{one["user_id"] for one in told["presence"]} for told in joined]
        assert listed == [{ada.id, ben.id, cleo.id}, {ada.id, ben.id}, {ada.id, cleo.id}]
        seq = int((await ada.get(f"{CHANNELS}/{channel}")).headers["room-seq"].split(":")[1])
        await bens.say("presence", room=room, status="in_studio", mode="mixing")
        assert (await adas.until(lambda m: m.get("mode") == "mixing"))["user_id"] == ben.id
        await post(ben, "unseen", channel_id=channel)
        await ben.put(f"{POSTS}/{made}/like")
        await ben.post(f"{POSTS}/{made}/play")
        assert (await adas.until("playback_started"))["payload"]["user_id"] == ben.id
        await ada.delete(f"{CHANNELS}/{channel}/members/{ben.id}")
        await adas.until("member_left")
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1].get("seq", 0) < seq + 3:
            heard.append(await cleos.until(lambda m: m.get("room") == room and "seq" in m))
        assert [(one["type"], one["seq"]) for one in heard] == [("skip", seq + n) for n in (1, 2, 3)]
        assert ben.id not in str(cleos.heard)
    assert account(ben)["username"] not in str(cleos.heard)


async def test_a_block_by_the_owner_ends_hearing_a_public_channel(live: World) -> None:
    ada, ben, cleo = await people(live, "ada", "ben", "cleo")
    channel = await open_channel(ada, cleo)
    rooms = [f"channel:{channel}", f"document:channel:{channel}:notes"]
    async with connected(ben) as bens, connected(cleo) as cleos:
        for socket in (bens, cleos):
            for room in rooms:
                assert (await socket.ask("subscribe", room=room))["type"] == "subscribed"
        await block(ben, ada)
        await block(ada, cleo)
        for room in rooms:
            assert await put_out(bens, room) == "not_found"
        seq = int((await cleo.get(f"{CHANNELS}/{channel}")).headers["room-seq"].split(":")[1])
        await post(cleo, "still a member", channel_id=channel)
        assert (await cleos.events_up_to(seq + 1, rooms[0]))[-1]["type"] == "new_post"
        assert not [one for one in cleos.heard if one["type"] == "unsubscribed"]


async def test_who_joins_or_goes_hears_it_in_all_tabs(live: World) -> None:
    ada, ben = await people(live, "ada", "ben")
    async with connected(ben) as socket:
        channel = await open_channel(ada, ben, private=True)
        joined = await socket.until("member_joined")
        assert (joined["room"], joined["channel_id"]) == (f"user:{ben.id}", channel)
        assert joined["user"] == account(ben)
        await ada.delete(f"{CHANNELS}/{channel}/members/{ben.id}")
        assert (await socket.until("member_left"))["channel_id"] == channel
