"""What many people do with one post or channel at the same time, on two nodes: every count is exact."""

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import replace
from urllib.parse import quote

import pytest
from tests.apps.sidechain.cast import CHANNELS, open_channel, people, post
from tests.conftest import serving, settings_for_tests
from tests.world import Person, World

POSTS = "/api/v1/posts"
FANS = 50


@pytest.fixture(scope="module")
async def other_node(dsn: str) -> AsyncGenerator[World]:
    """A second server on the same database."""
    async with serving(settings_for_tests(), dsn) as made:
        yield made


async def crowd(world: World, other: World, number: int) -> list[Person]:
    """People, every second one of whom calls the other node."""
    fans = await people(world, *["fan"] * number)
    return [fan if nth % 2 else replace(fan, world=other) for nth, fan in enumerate(fans)]


async def test_fifty_like_at_once_on_two_nodes(world: World, other_node: World) -> None:
    (ada,) = await people(world, "ada")
    fans = await crowd(world, other_node, FANS)
    made = await post(ada)
    chance = random.Random(5)
    path = f"{POSTS}/{made}"
    likes = await asyncio.gather(*(fan.put(f"{path}/like") for fan in fans))
    assert sorted(one.json()["like_count"] for one in likes) == list(range(1, FANS + 1))
    calls = [
        *((fan, "DELETE", "like", None) for fan in fans[:20]),
        *((fan, "PUT", "like", None) for fan in fans[10:40]),
        *((fan, "PUT", f"reactions/{quote(chance.choice('🔥👍🎹'))}", None) for fan in fans * 2),
        *((fan, "DELETE", f"reactions/{quote('🔥')}", None) for fan in fans[:25]),
        *((fan, "POST", "comments", {"text": "hm"}) for fan in fans),
        *((fan, "POST", "play", None) for fan in fans),
    ]
    chance.shuffle(calls)
    answers = await asyncio.gather(
        *(
            fan.call(method, f"{path}/{what}", **({"json": body} if body else {}))
            for fan, method, what, body in calls
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 204}
    [kept] = world.sql(
        "select likes, comments, reactions, plays from sidechain.post_counts where post_id = %s", made
    )
    rows = world.sql(
        "select (select count(*) from sidechain.likes where post_id = p.id),"
        " (select count(*) from sidechain.comments where post_id = p.id),"
        " (select count(*) from sidechain.reactions where post_id = p.id),"
        " (select count(*) from sidechain.plays where post_id = p.id)"
        " from sidechain.posts p where id = %s",
        made,
    )
    assert rows == [kept]
    assert kept[1] == kept[3] == FANS
    emoji = (
        "select emoji, count(*)::integer from sidechain.reactions where post_id = %s group by 1 order by 1"
    )
    counted = "select emoji, count from sidechain.reaction_counts where post_id = %s order by 1"
    assert world.sql(emoji, made) == world.sql(counted, made)
    told = world.sql(
        "select body ->> 'like_count', row_number() over (order by seq) from kernel.room_events"
        " where room = %s and body ->> 'type' = 'post_liked' order by seq limit %s",
        f"user:{ada.id}", FANS,
    )  # fmt: skip
    assert [int(count) for count, _ in told] == list(range(1, FANS + 1)), (
        "events are in the order of their counts"
    )
    print(f"{len(likes) + len(calls)} deeds of {FANS} people at once on two nodes: counts {kept}, all exact")


async def test_different_emoji_at_once_keep_their_bounds(
    world: World, other_node: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quintet.apps.sidechain.posts.deeds.MOST_EMOJI_OF_POST", 6)
    monkeypatch.setattr("quintet.apps.sidechain.posts.deeds.MOST_EMOJI", 3)
    (ada,) = await people(world, "ada")
    one, two, three = await crowd(world, other_node, 3)
    path = f"{POSTS}/{await post(ada)}/reactions"
    emoji = "🔥👍🎹🎸🥁🎷🎺🎻🪕🎤🎧📻"
    mine = await asyncio.gather(*(one.put(f"{path}/{quote(each)}") for each in emoji))
    assert sorted(answer.status_code for answer in mine) == [200] * 3 + [409] * 9
    theirs = await asyncio.gather(
        *(
            who.put(f"{path}/{quote(each)}")
            for each in emoji
            for who in (two, replace(three, world=other_node))
        )
    )
    assert {answer.status_code for answer in theirs} == {200, 409}
    shown = (await ada.get(path.removesuffix("/reactions"))).json()
    assert len(shown["reactions"]) <= 6
    assert shown["reaction_count"] == sum(each["count"] for each in shown["reactions"]) <= 9


async def test_who_posts_while_a_channel_closes_posts_behind_its_door(
    world: World, other_node: World
) -> None:
    ada, ben = await people(world, "ada", "ben")
    channel = await open_channel(ada, ben)
    bens = [ben, replace(ben, world=other_node)]
    for is_private in (True, False) * 4:
        calls = [who.post(POSTS, json={"text": "x", "channel_id": channel}) for who in bens * 6]
        calls.insert(6, ada.patch(f"{CHANNELS}/{channel}", json={"private": is_private}))
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {200, 201}
        wrong = world.sql(
            "select 1 from sidechain.posts where channel_id = %s and is_open = %s", channel, is_private
        )
        assert wrong == []


async def test_a_channel_filled_by_many_at_once_keeps_its_bounds(
    world: World, other_node: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quintet.apps.sidechain.channels.actions.MOST_MEMBERS", 10)
    monkeypatch.setattr("quintet.apps.sidechain.channels.actions.MOST_CHANNELS", 3)
    (ada,) = await people(world, "ada")
    fans = await crowd(world, other_node, 20)
    channel = await open_channel(ada)
    joined = await asyncio.gather(*(fan.post(f"{CHANNELS}/{channel}/join") for fan in fans))
    codes = [answer.status_code for answer in joined]
    assert (codes.count(200), codes.count(409)) == (9, 11)
    assert (await ada.get(f"{CHANNELS}/{channel}")).json()["members"] == 10
    eager = fans[-1]
    opened = await asyncio.gather(*(eager.post(CHANNELS, json={"name": f"n{n}"}) for n in range(8)))
    assert [one.status_code for one in opened].count(201) <= 3
    [(memberships,)] = world.sql("select count(*) from sidechain.members where user_id = %s", eager.id)
    assert memberships == 3


async def test_joining_leaving_adding_and_handing_over_at_once(world: World, other_node: World) -> None:
    chance = random.Random(7)
    ada, *others = await people(world, "ada", *["member"] * 5)
    channel = await open_channel(ada, *others)
    everybody = [ada, *others]
    path = f"{CHANNELS}/{channel}"
    codes: dict[int, int] = {}

    async def act(person: Person, verb: str, other: Person) -> None:
        who = person if chance.random() < 0.5 else replace(person, world=other_node)
        call = {
            "join": ("POST", f"{path}/join", None),
            "leave": ("POST", f"{path}/leave", None),
            "add": ("PUT", f"{path}/members/{other.id}", None),
            "remove": ("DELETE", f"{path}/members/{other.id}", None),
            "hand": ("PATCH", path, {"owner_id": other.id}),
            "post": ("POST", POSTS, {"text": "x", "channel_id": channel}),
            "close": ("PATCH", path, {"private": True}),
            "open": ("PATCH", path, {"private": False}),
        }[verb]
        answer = await who.call(call[0], call[1], **({"json": call[2]} if call[2] else {}))
        codes[answer.status_code] = codes.get(answer.status_code, 0) + 1

    verbs = ("join", "join", "leave", "add", "remove", "hand", "post", "close", "open")
    for _ in range(5):
        await asyncio.gather(
            *(
                act(chance.choice(everybody), chance.choice(verbs), chance.choice(everybody))
                for _ in range(30)
            )
        )
        [(members, owner, is_private)] = world.sql(
            "select members, owner_id::text, is_private from sidechain.channels where id = %s", channel
        )
        inside = {one for (one,) in world.sql(
            "select user_id::text from sidechain.members where channel_id = %s", channel)}  # fmt: skip
        assert members == len(inside)
        if not inside:
            break
        assert owner in inside
        wrong = world.sql(
            "select 1 from sidechain.posts where channel_id = %s and is_open = %s", channel, is_private
        )
        assert wrong == [], "posts follow whether the channel is private"
    print(f"150 changes of one channel at once on two nodes: {dict(sorted(codes.items()))}, one owner inside")
    assert set(codes) <= {200, 201, 204, 403, 404, 409}
