"""Posts, and what people do with them."""

import asyncio
import io
import wave
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from tests.apps.sidechain.cast import (
    CHANNELS,
    account,
    all_pages,
    block,
    follow,
    ids,
    items,
    make_private,
    open_channel,
    people,
    post,
)
from tests.apps.sidechain.uploading import kept, path_of
from tests.world import Person, World, code_of

from quintet.apps.sidechain.channels import clearing
from quintet.apps.sidechain.posts import deeds

POSTS = "/api/v1/posts"


async def read(person: Person, post_id: str) -> dict[str, Any]:
    answer = await person.get(f"{POSTS}/{post_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sees(person: Person, post_id: str) -> bool:
    answer = await person.get(f"{POSTS}/{post_id}")
    if answer.status_code == 404:
        assert code_of(answer) == (404, "not_found")
    return answer.status_code == 200


async def test_a_post(world: World) -> None:
    (ada,) = await people(world, "ada")
    answer = await ada.post(
        POSTS,
        json={"text": "  First sketch ", "bpm": 92.5, "key": "f♯m", "tags": ["#LoFi", "late night", "lofi"]},
    )
    made = answer.json()
    assert (answer.status_code, made) == (201, {
        "id": made["id"], "user": account(ada), "channel_id": None, "text": "First sketch", "audio": None,
        "bpm": 92.5, "key": "F# minor", "tags": ["lofi", "late-night"], "created_at": made["created_at"],
        "like_count": 0, "comment_count": 0, "reaction_count": 0, "play_count": 0, "liked": False,
        "reactions": [],
    })  # fmt: skip
    assert await read(ada, made["id"]) == made
    assert await ids(ada, "/api/v1/feed") == [made["id"]]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "missing", "/text"),
        ({"text": " \n"}, "missing", "/text"),
        ({"text": "x" * 5001}, "too_long", "/text"),
        ({"text": "a\x07"}, "invalid_text", "/text"),
        ({"text": "x", "bpm": 19}, "out_of_range", "/bpm"),
        ({"text": "x", "bpm": 1000}, "out_of_range", "/bpm"),
        ({"text": "x", "key": "H major"}, "invalid_text", "/key"),
        ({"text": "x", "tags": ["a b" * 20]}, "too_long", "/tags/0"),
        ({"text": "x", "tags": ["ok", "no!"]}, "invalid_text", "/tags/1"),
        ({"text": "x", "tags": [f"t{n}" for n in range(11)]}, "too_many", "/tags"),
        ({"text": "x", "like_count": 5}, "unknown_field", "/like_count"),
    ],
)
async def test_what_is_no_post(world: World, body: dict[str, Any], code: str, pointer: str) -> None:
    (ada,) = await people(world, "ada")
    answer = await ada.post(POSTS, json=body)
    assert code_of(answer) == (422, "invalid_request")
    assert (answer.json()["errors"][0]["code"], answer.json()["errors"][0]["pointer"]) == (code, pointer)
    assert await ids(ada, "/api/v1/feed") == []


async def test_who_posts_where(world: World) -> None:
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    public, private = await open_channel(ada, ben), await open_channel(ada, ben, private=True)
    for channel in (public, private):
        assert await sees(ada, await post(ben, channel_id=channel))
    body = {"text": "let me in"}
    assert code_of(await cleo.post(POSTS, json=body | {"channel_id": public})) == (403, "forbidden")
    for nowhere in (private, str(uuid4())):
        assert code_of(await cleo.post(POSTS, json=body | {"channel_id": nowhere})) == (404, "not_found")
    assert code_of(await ada.post(POSTS, json={"audio_id": str(uuid4())})) == (404, "not_found")


async def test_who_deletes(world: World) -> None:
    ada, ben, cleo, mo = await people(world, "ada", "ben", "cleo", "mo")
    world.sql("update accounts.users set role = 'moderator' where id = %s", mo.id)
    channel = await open_channel(ada, ben, private=True)
    inside, outside = [await post(ben, channel_id=channel) for _ in range(3)], await post(ben)
    await ada.put(f"{CHANNELS}/{channel}/members/{cleo.id}")
    assert code_of(await cleo.delete(f"{POSTS}/{inside[0]}")) == (403, "forbidden")
    assert code_of(await ada.delete(f"{POSTS}/{outside}")) == (403, "forbidden")
    for person, post_id in ((ada, inside[0]), (ben, inside[1]), (mo, inside[2]), (ben, outside)):
        assert (await person.delete(f"{POSTS}/{post_id}")).status_code == 204
        assert code_of(await person.delete(f"{POSTS}/{post_id}")) == (404, "not_found")
    assert await ids(ben, "/api/v1/feed") == []


async def test_likes(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    made = await post(ada)
    for _ in range(2):
        answer = await ben.put(f"{POSTS}/{made}/like")
        assert answer.json() == {"post_id": made, "liked": True, "like_count": 1}
    assert (await read(ben, made))["liked"]
    assert not (await read(ada, made))["liked"]
    for _ in range(2):
        answer = await ben.delete(f"{POSTS}/{made}/like")
        assert answer.json() == {"post_id": made, "liked": False, "like_count": 0}
    assert code_of(await ben.put(f"{POSTS}/{uuid4()}/like")) == (404, "not_found")


async def test_reactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, ben = await people(world, "ada", "ben")
    made = await post(ada)
    path = f"{POSTS}/{made}/reactions"
    for given in ("❤", "❤️"):  # one emoji, however it is spelt
        answer = await ben.put(f"{path}/{quote(given)}")
        assert answer.json() == {"emoji": "❤️", "count": 1, "own": True}
    assert (await ada.put(f"{path}/{quote('❤️')}")).json()["count"] == 2
    assert (await ada.put(f"{path}/{quote('👨‍👩‍👧')}")).status_code == 200
    shown = await read(ben, made)
    assert shown["reaction_count"] == 3
    assert shown["reactions"] == [
        {"emoji": "❤️", "count": 2, "own": True}, {"emoji": "👨‍👩‍👧", "count": 1, "own": False},
    ]  # fmt: skip
    for none in ("x", "❤❤", "1", "🏻", "🇩", ":heart:", "%20", "a" * 300):
        answer = await ben.put(f"{path}/{quote(none)}")
        assert code_of(answer) == (422, "invalid_request")
    for _ in range(2):
        assert (await ada.delete(f"{path}/{quote('❤')}")).status_code == 204
    assert [one["count"] for one in (await read(ada, made))["reactions"]] == [1, 1]
    monkeypatch.setattr(deeds, "MOST_EMOJI", 2)
    monkeypatch.setattr(deeds, "MOST_EMOJI_OF_POST", 3)
    assert (await ben.put(f"{path}/{quote('🔥')}")).status_code == 200
    assert code_of(await ben.put(f"{path}/{quote('👍')}")) == (409, "too_many_reactions")
    assert code_of(await ada.put(f"{path}/{quote('👍')}")) == (409, "too_many_reactions")
    assert (await ada.put(f"{path}/{quote('🔥')}")).status_code == 200


async def test_comments(world: World) -> None:
    ada, ben, cleo, mo = await people(world, "ada", "ben", "cleo", "mo")
    world.sql("update accounts.users set role = 'moderator' where id = %s", mo.id)
    made = await post(ada)
    path = f"{POSTS}/{made}/comments"
    said: list[dict[str, Any]] = []
    for n in range(5):
        answer = await ben.post(path, json={"text": f" number {n} "})
        assert answer.status_code == 201
        said.append(answer.json())
    assert said[0] == {
        "id": said[0]["id"], "post_id": made, "user": account(ben), "text": "number 0",
        "created_at": said[0]["created_at"],
    }  # fmt: skip
    assert await all_pages(cleo, path, 2) == said[::-1]
    assert (await read(cleo, made))["comment_count"] == 5
    for text in ("", " ", "x" * 2001):
        assert code_of(await ben.post(path, json={"text": text})) == (422, "invalid_request")
    assert code_of(await cleo.delete(f"/api/v1/comments/{said[0]['id']}")) == (403, "forbidden")
    for person, one in ((ben, said[0]), (ada, said[1]), (mo, said[2])):
        assert (await person.delete(f"/api/v1/comments/{one['id']}")).status_code == 204
        assert code_of(await person.delete(f"/api/v1/comments/{one['id']}")) == (404, "not_found")
    assert (await read(cleo, made))["comment_count"] == 2
    await block(cleo, ben)
    assert await items(cleo, path) == []
    assert code_of(await cleo.delete(f"/api/v1/comments/{said[3]['id']}")) == (404, "not_found")


async def test_plays(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    made = await post(ada)
    for _ in range(3):
        assert (await ben.post(f"{POSTS}/{made}/play")).json() == {"post_id": made, "play_count": 1}
    assert (await ada.post(f"{POSTS}/{made}/play")).json()["play_count"] == 2
    world.sql("update sidechain.plays set counted_at = counted_at - interval '30 s' where post_id = %s", made)
    assert (await ben.post(f"{POSTS}/{made}/play")).json()["play_count"] == 3
    assert (await ben.post(f"{POSTS}/{made}/stop")).status_code == 204


async def test_who_sees_posts_outside_channels(world: World) -> None:
    ada, ben, cleo, dan, eve = await people(world, "ada", "ben", "cleo", "dan", "eve")
    made = await post(ada)
    await follow(ben, ada)
    await make_private(ada)
    await block(dan, ada)
    await block(ada, eve)
    theirs = f"/api/v1/users/{ada.username}/posts"
    for person, is_seen in ((ada, True), (ben, True), (cleo, False), (dan, False), (eve, False)):
        assert await sees(person, made) == is_seen
        for method, path in (
            ("PUT", "like"), ("DELETE", "like"), ("PUT", f"reactions/{quote('🔥')}"), ("GET", "comments"),
            ("DELETE", f"reactions/{quote('🔥')}"), ("POST", "play"), ("POST", "stop"),
        ):  # fmt: skip
            answer = await person.call(method, f"{POSTS}/{made}/{path}")
            assert (answer.status_code < 300) == is_seen, (person.username, path, answer.text)
        answer = await person.post(f"{POSTS}/{made}/comments", json={"text": "hm"})
        assert (answer.status_code == 201) == is_seen
        if is_seen:
            assert await ids(person, theirs) == [made]
        else:
            assert code_of(await person.get(theirs)) == (404, "not_found")
            assert await ids(person, "/api/v1/feed") == []
    assert await ids(ben, "/api/v1/feed") == [made]


async def test_who_sees_posts_in_channels(world: World) -> None:
    ada, ben, cleo, dan = await people(world, "ada", "ben", "cleo", "dan")
    public, private = await open_channel(ada, ben), await open_channel(ada, ben, private=True)
    open_post, hidden = await post(ben, channel_id=public), await post(ben, channel_id=private)
    await follow(cleo, ben)
    await block(dan, ben)
    bens = f"/api/v1/users/{ben.username}/posts"
    assert await ids(ada, "/api/v1/feed") == [hidden, open_post]  # who does not follow, and is in them
    assert await ids(ada, bens) == [hidden, open_post]
    assert [await sees(cleo, one) for one in (open_post, hidden)] == [True, False]
    assert await ids(cleo, "/api/v1/feed") == [open_post]
    assert await ids(cleo, bens) == [open_post]
    assert await ids(cleo, f"{CHANNELS}/{public}/posts") == [open_post]
    assert code_of(await cleo.get(f"{CHANNELS}/{private}/posts")) == (404, "not_found")
    await dan.post(f"{CHANNELS}/{public}/join")
    assert not await sees(dan, open_post)  # across a block nothing is seen, side by side in a channel either
    assert await ids(dan, f"{CHANNELS}/{public}/posts") == []
    assert await ids(dan, "/api/v1/feed") == []
    await ada.patch(f"{CHANNELS}/{public}", json={"private": True})
    await ada.patch(f"{CHANNELS}/{private}", json={"private": False})
    assert await ids(cleo, "/api/v1/feed") == [hidden]
    assert [await sees(cleo, one) for one in (open_post, hidden)] == [False, True]
    await ada.delete(f"{CHANNELS}/{private}/members/{ben.id}")
    assert await ids(ben, "/api/v1/feed") == [hidden, open_post]


async def test_a_channel_takes_its_posts_along(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    await follow(ben, ada)
    channel = await open_channel(ada, ben)
    inside = [await post(ada, channel_id=channel) for _ in range(3)]
    outside = await post(ada)
    await ben.put(f"{POSTS}/{inside[0]}/like")
    assert (await ada.delete(f"{CHANNELS}/{channel}")).status_code == 204
    for person in (ada, ben):
        assert [await sees(person, one) for one in inside] == [False] * 3
        assert await ids(person, "/api/v1/feed") == [outside]
        assert code_of(await person.put(f"{POSTS}/{inside[0]}/like")) == (404, "not_found")
    while await clearing.clear_away(world.kernel.database):
        pass
    assert world.sql("select 1 from sidechain.posts where id = any(%s::uuid[])", inside) == []


async def test_an_account_takes_its_deeds_along(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    made, theirs = await post(ada), await post(ben)
    await ben.put(f"{POSTS}/{made}/like")
    await ben.put(f"{POSTS}/{made}/reactions/{quote('🔥')}")
    await ada.put(f"{POSTS}/{made}/reactions/{quote('🔥')}")
    await ben.post(f"{POSTS}/{made}/comments", json={"text": "so long"})
    await ada.put(f"{POSTS}/{theirs}/like")
    world.sql("delete from accounts.users where id = %s", ben.id)
    left = await read(ada, made)
    assert [left[f"{what}_count"] for what in ("like", "comment", "reaction")] == [0, 0, 1]
    assert left["reactions"] == [{"emoji": "🔥", "count": 1, "own": True}]
    assert not await sees(ada, theirs)


async def notified(person: Person) -> list[tuple[str, str]]:
    found = await items(person, "/api/v1/notifications")
    return sorted((one["kind"], one["object_id"]) for one in found if one["kind"] != "new_follower")


async def test_whom_it_concerns_is_notified(world: World) -> None:
    ada, ben, cleo, dan, eve = await people(world, "ada", "ben", "cleo", "dan", "eve")
    await block(dan, ben)
    channel = await open_channel(ada, ben, cleo, private=True)
    assert await notified(ben) == [("channel_added", channel)]
    made = await post(ada, f"for @{cleo.username.upper()}, @{eve.username} and @nobody-{uuid4().hex[:8]}",
                      channel_id=channel)  # fmt: skip
    assert ("mention", made) in await notified(cleo)
    assert await notified(eve) == []  # who does not see it is not called
    open_post = await post(ben, f"hi @{dan.username} @{eve.username} mail@{cleo.username}")
    assert await notified(dan) == []
    assert await notified(eve) == [("mention", open_post)]
    await ben.put(f"{POSTS}/{made}/like")
    await ben.put(f"{POSTS}/{made}/reactions/{quote('🔥')}")
    said = await ben.post(
        f"{POSTS}/{made}/comments", json={"text": f"nice, @{ada.username} and @{cleo.username}"}
    )
    assert await notified(ada) == [("new_comment", made), ("new_reaction", made), ("post_liked", made)]
    await ben.delete(f"{POSTS}/{made}/like")
    await ben.delete(f"/api/v1/comments/{said.json()['id']}")
    assert await notified(ada) == [("new_reaction", made)]
    await ada.delete(f"{POSTS}/{made}")
    assert await notified(ada) == []
    assert ("mention", made) not in await notified(cleo)


async def test_the_same_request_twice_posts_once(world: World) -> None:
    (ada,) = await people(world, "ada")
    request = {"json": {"text": "once"}, "headers": {"Idempotency-Key": "once"}}
    first, again = await ada.post(POSTS, **request), await ada.post(POSTS, **request)
    assert first.json() == again.json()
    assert len(await ids(ada, "/api/v1/feed")) == 1


async def test_a_post_that_goes_while_people_like_it(world: World) -> None:
    ada, *others = await people(world, "ada", *["fan"] * 8)
    codes: set[int] = set()
    for _ in range(6):
        made = await post(ada)
        calls = [one.put(f"{POSTS}/{made}/like") for one in others]
        calls += [one.post(f"{POSTS}/{made}/comments", json={"text": "hm"}) for one in others]
        calls.insert(len(others), ada.delete(f"{POSTS}/{made}"))
        codes |= {answer.status_code for answer in await asyncio.gather(*calls)}
        assert not await sees(ada, made)
    assert codes <= {200, 201, 204, 404}


def wav() -> bytes:
    """A tenth of a second of a quiet saw."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join((n % 100 * 50).to_bytes(2, "little") for n in range(800)))
    return file.getvalue()


async def test_posts_with_audio(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    await follow(ben, ada)
    sound = await kept(ada, wav())
    assert code_of(await ben.post(POSTS, json={"audio_id": sound["id"]})) == (404, "not_found")
    answer = await ada.post(POSTS, json={"audio_id": sound["id"], "bpm": 120})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["text"], made["audio"] | {"url": ""}) == (None, sound | {"url": ""})
    [shown] = await items(ben, "/api/v1/feed")
    assert shown["audio"]["id"] == sound["id"]
    heard = await world.get(path_of(world, shown["audio"]["url"]))
    assert heard.headers["content-type"].startswith("audio/")
    assert (await ben.put(f"{POSTS}/{made['id']}/like")).status_code == 200
    assert await notified(ada) == [("post_liked", made["id"])]
