"""What people do with posts, as it happens: durable events, counts a few times a second, playback."""

import asyncio
from typing import Any
from urllib.parse import quote

from tests.apps.sidechain.cast import block, follow, items, make_private, open_channel, people, post
from tests.sockets import connected
from tests.world import World

POSTS = "/api/v1/posts"


async def test_followers_hear_posts_outside_channels_in_their_feed(live: World) -> None:
    ada, ben, cleo, dan = await people(live, "ada", "ben", "cleo", "dan")
    await follow(ben, ada)
    await follow(dan, ada)
    await make_private(ada)
    async with (
        connected(ben) as bens,
        connected(cleo) as cleos,
        connected(dan) as dans,
        connected(ada) as own,
    ):
        for socket in (bens, cleos, dans, own):
            await socket.ask("subscribe", room="feed")
        made = await post(ada, "hello")
        told = await bens.until("new_post")
        assert (told["room"], told["post_id"]) == ("feed", made)
        assert (await items(ben, "/api/v1/feed"))[0] == told["post"] == told["payload"]["post"]
        assert (await own.until("new_post"))["room"] == f"user:{ada.id}"
        await dans.until("new_post")
        await block(ada, dan)
        await dan.get("/api/v1/feed")
        second = await post(ada, "second")
        await ada.delete(f"{POSTS}/{second}")
        assert (await bens.until("post_deleted"))["post_id"] == second
        hidden = await open_channel(ada, private=True)
        await post(ada, "secret", channel_id=hidden)
        last = await post(ada, "last")
        assert (await bens.until(lambda m: m.get("post_id") == last))["post"]["text"] == "last"
        assert "secret" not in str(bens.heard)
        assert not [one for one in await cleos.settle() if one["type"] == "new_post"]
        assert [one["post"]["text"] for one in dans.heard if one["type"] == "new_post"] == ["hello"]


async def test_a_posts_author_hears_what_is_done_with_it(live: World) -> None:
    ada, ben = await people(live, "ada", "ben")
    made = await post(ada)
    async with connected(ada) as adas, connected(ben) as bens:
        await ben.put(f"{POSTS}/{made}/like")
        await ben.put(f"{POSTS}/{made}/reactions/{quote('🔥')}")
        await ben.post(f"{POSTS}/{made}/comments", json={"text": "lovely"})
        await ben.delete(f"{POSTS}/{made}/reactions/{quote('🔥')}")
        await ben.delete(f"{POSTS}/{made}/like")
        kinds = ["post_liked", "new_reaction", "new_comment", "reaction_removed", "post_unliked"]
        for kind in kinds:
            event = await adas.until(kind)
            assert (event["room"], event["post_id"], event["user_id"]) == (f"user:{ada.id}", made, ben.id)
            assert (await bens.until(kind))["room"] == f"user:{ben.id}"  # the doer's other tabs
        for again in (
            ben.delete(f"{POSTS}/{made}/like"),
            ben.delete(f"{POSTS}/{made}/reactions/{quote('🔥')}"),
        ):
            await again
        assert not [one for one in await adas.settle() if one["type"] in kinds]


async def test_counts_come_a_few_times_a_second_and_the_last_is_right(live: World) -> None:
    ada, ben, *fans = await people(live, "ada", "ben", *["fan"] * 20)
    await follow(ben, ada)
    made = await post(ada)
    async with connected(ada) as adas, connected(ben) as bens:
        await bens.ask("subscribe", room="feed")
        await asyncio.gather(*(fan.put(f"{POSTS}/{made}/like") for fan in fans))
        heard: list[dict[str, Any]] = []
        for socket, room in ((adas, f"user:{ada.id}"), (bens, "feed")):
            last = await socket.until(
                lambda m: m["type"] == "like_count_update" and m["like_count"] == len(fans)
            )
            assert last["payload"] == {"post_id": made, "like_count": len(fans)}
            assert last["room"] == room
            heard += [one for one in socket.heard if one["type"] == "like_count_update"]
        print(f"{len(fans)} likes at once: {len(heard)} counts told to two people")
        assert len(heard) < len(fans)


async def test_playback_is_heard_by_those_around(live: World) -> None:
    ada, ben, cleo, dan = await people(live, "ada", "ben", "cleo", "dan")
    channel = await open_channel(ada, ben, private=True)
    inside, outside = await post(ada, channel_id=channel), await post(ada)
    await follow(cleo, ben)  # and sees Ada's posts
    await follow(dan, ben)
    await block(dan, ada)  # and does not
    async with connected(ada) as adas, connected(cleo) as cleos, connected(dan) as dans:
        await adas.ask("subscribe", room=f"channel:{channel}")
        for socket in (cleos, dans):
            await socket.ask("subscribe", room="feed")
        await ben.post(f"{POSTS}/{inside}/play")
        told = await adas.until("playback_started")
        assert (told["post_id"], told["user_id"]) == (inside, ben.id)
        assert told["payload"]["username"] == ben.username
        assert "seq" not in told
        await ben.post(f"{POSTS}/{outside}/play", headers={"Idempotency-Key": "play"})
        await ben.post(f"{POSTS}/{outside}/play", headers={"Idempotency-Key": "play"})
        await ben.post(f"{POSTS}/{outside}/stop")
        assert (await cleos.until("playback_stopped"))["post_id"] == outside
        assert [one["post_id"] for one in cleos.heard if one["type"] == "playback_started"] == [outside]
        assert not [one for one in await dans.settle() if one["type"].startswith("playback")]
