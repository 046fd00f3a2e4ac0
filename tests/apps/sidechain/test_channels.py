"""Channels: who sees them, who is in them, who owns them."""

from typing import Any
from uuid import uuid4

import pytest
from tests.apps.sidechain.cast import (
    CHANNELS,
    account,
    all_pages,
    block,
    follow,
    items,
    make_private,
    members_of,
    open_channel,
    people,
)
from tests.world import World, code_of

from quintet.apps.sidechain.channels import actions, clearing


async def test_a_channel_and_who_opened_it(world: World) -> None:
    (ada,) = await people(world, "ada")
    answer = await ada.post(CHANNELS, json={"name": "  Late   night\tmixes "})
    channel = answer.json()
    assert (answer.status_code, channel) == (201, {
        "id": channel["id"], "name": "Late night mixes", "private": False, "owner": account(ada),
        "members": 1, "role": "owner", "created_at": channel["created_at"],
        "updated_at": channel["created_at"],
    })  # fmt: skip
    read = await ada.get(f"{CHANNELS}/{channel['id']}")
    assert read.json() == channel
    assert read.headers["room-seq"] == f"{world.kernel.epoch}:1"
    [member] = await items(ada, f"{CHANNELS}/{channel['id']}/members")
    assert member == {"user": account(ada), "role": "owner", "since": channel["created_at"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": ""}, "missing"),
        ({"name": " \t"}, "missing"),
        ({"name": "x" * 101}, "too_long"),
        ({"name": "x" * 2000}, "too_long"),
        ({"name": "a\u202eb"}, "invalid_text"),
        ({"name": "a\x07b"}, "invalid_text"),
        ({"name": 5}, "wrong_type"),
        ({}, "missing"),
        ({"name": "x", "colour": "red"}, "unknown_field"),
    ],
)
async def test_what_is_no_channel(world: World, body: dict[str, Any], code: str) -> None:
    (ada,) = await people(world, "ada")
    answer = await ada.post(CHANNELS, json=body)
    assert code_of(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["code"] == code
    assert await items(ada, f"{CHANNELS}?member=me") == []


async def test_a_private_channel_does_not_exist_for_strangers(world: World) -> None:
    ada, ben, cleo, mo = await people(world, "ada", "ben", "cleo", "mo")
    world.sql("update accounts.users set role = 'moderator' where id = %s", mo.id)
    channel = await open_channel(ada, ben, private=True, name=f"hidden {uuid4()}")
    path = f"{CHANNELS}/{channel}"
    assert (await ben.get(path)).json()["role"] == "member"
    for stranger in (cleo, mo):
        for method, where in (
            ("GET", path), ("PATCH", path), ("DELETE", path), ("GET", f"{path}/members"),
            ("POST", f"{path}/join"), ("POST", f"{path}/leave"), ("PUT", f"{path}/members/{stranger.id}"),
            ("PUT", f"{path}/members/{ben.id}"), ("DELETE", f"{path}/members/{ben.id}"),
        ):  # fmt: skip
            body = {"json": {"name": "mine"}} if method == "PATCH" else {}
            hidden = await stranger.call(method, where, **body)
            missing = await stranger.call(method, where.replace(channel, str(uuid4())), **body)
            told = [one.json() | {"request_id": ""} for one in (hidden, missing)]
            assert told[0] == told[1], (method, where)
            assert code_of(hidden) == (404, "not_found")
        assert channel not in {one["id"] for one in await items(stranger, f"{CHANNELS}?q=hidden")}
    assert channel in {one["id"] for one in await items(ben, f"{CHANNELS}?q=hidden")}
    assert code_of(await world.get(path)) == (401, "not_signed_in")


async def test_joining_and_leaving_a_public_channel(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    channel = await open_channel(ada)
    path = f"{CHANNELS}/{channel}"
    assert (await ben.get(path)).json()["role"] is None
    for _ in range(2):
        joined = await ben.post(f"{path}/join")
        assert (joined.status_code, joined.json()["role"], joined.json()["members"]) == (200, "member", 2)
    for _ in range(2):
        assert (await ben.post(f"{path}/leave")).status_code == 204
    assert await members_of(ada, channel) == {ada.id}
    assert (await ben.put(f"{path}/members/{ben.id}")).json()["role"] == "member"
    assert (await ben.delete(f"{path}/members/{ben.id}")).status_code == 204
    assert (await ada.get(path)).json()["members"] == 1


async def test_the_owner_alone_says_who_is_in(world: World) -> None:
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    channel = await open_channel(ada, ben)
    path = f"{CHANNELS}/{channel}"
    for answer in (
        await ben.put(f"{path}/members/{cleo.id}"),
        await ben.delete(f"{path}/members/{ada.id}"),
        await cleo.delete(f"{path}/members/{ben.id}"),
        await ben.patch(path, json={"name": "mine"}),
        await cleo.patch(path, json={"private": True}),
        await ben.delete(path),
    ):
        assert code_of(answer) == (403, "forbidden")
    assert code_of(await ada.put(f"{path}/members/{uuid4()}")) == (404, "not_found")
    for _ in range(2):
        assert (await ada.delete(f"{path}/members/{ben.id}")).status_code == 204
    assert await members_of(ada, channel) == {ada.id}


async def test_nobody_is_added_across_a_block_or_a_closed_door(world: World) -> None:
    ada, ben, cleo, dan = await people(world, "ada", "ben", "cleo", "dan")
    channel = await open_channel(ada, private=True)
    await block(ben, ada)
    await block(ada, cleo)
    await make_private(dan)
    for other in (ben, cleo, dan):
        answer = await ada.put(f"{CHANNELS}/{channel}/members/{other.id}")
        missing = await ada.put(f"{CHANNELS}/{channel}/members/{uuid4()}")
        assert code_of(answer) == (404, "not_found")
        assert answer.json()["title"] == missing.json()["title"]
    assert await members_of(ada, channel) == {ada.id}


async def test_a_block_between_owner_and_another(world: World) -> None:
    ada, ben, cleo, dan = await people(world, "ada", "ben", "cleo", "dan")
    channel = await open_channel(ada, ben, name=f"blocks {uuid4()}")
    path = f"{CHANNELS}/{channel}"
    await block(ben, ada)
    await block(ada, cleo)
    await block(dan, ada)
    for other in (cleo, dan):  # in either direction a public channel is gone
        assert code_of(await other.get(path)) == (404, "not_found")
        assert code_of(await other.post(f"{path}/join")) == (404, "not_found")
        assert channel not in {one["id"] for one in await items(other, f"{CHANNELS}?q=blocks")}
    inside = (await ben.get(path)).json()  # whoever is in already stays, and does not see the owner
    assert (inside["owner"], inside["role"]) == (None, "member")
    assert await members_of(ben, channel) == {ben.id}
    assert await members_of(ada, channel) == {ada.id}
    assert (await ada.delete(f"{path}/members/{ben.id}")).status_code == 204
    assert code_of(await ben.post(f"{path}/join")) == (404, "not_found")


async def test_members_do_not_see_whom_a_block_hides(world: World) -> None:
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    channel = await open_channel(ada, ben, cleo)
    await block(ben, cleo)
    assert await members_of(ada, channel) == {ada.id, ben.id, cleo.id}
    assert await members_of(ben, channel) == {ada.id, ben.id}
    assert await members_of(cleo, channel) == {ada.id, cleo.id}


async def test_lists(world: World) -> None:
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    tag = uuid4().hex
    mine = [await open_channel(ada, ben, name=f"100% {tag} {n}", private=n % 2 == 0) for n in range(4)]
    public = await open_channel(cleo, name=f"other_{tag.upper()}")
    secret = await open_channel(cleo, name=f"secret {tag}", private=True)
    everything = [one["id"] for one in await all_pages(ben, f"{CHANNELS}?q={tag}", 2)]
    assert everything == [public, *reversed(mine)]
    assert [one["id"] for one in await all_pages(ben, f"{CHANNELS}?member=me&q={tag}", 3)] == mine[::-1]
    assert [one["id"] for one in await items(ben, f"{CHANNELS}?q=100%25 {tag}")] == mine[::-1]
    assert [one["id"] for one in await items(ben, f"{CHANNELS}?q=100_ {tag}")] == []
    assert [one["id"] for one in await items(ada, f"{CHANNELS}?q=OTHER_{tag}")] == [public]
    assert secret not in everything
    first = (await ben.get(f"{CHANNELS}?member=me&limit=1")).json()["next_cursor"]
    assert code_of(await ben.get(f"{CHANNELS}?limit=1&cursor={first}")) == (400, "invalid_cursor")
    assert code_of(await ben.get(f"{CHANNELS}?member=you")) == (422, "invalid_request")
    assert code_of(await ben.get(f"{CHANNELS}?q={'x' * 101}")) == (422, "invalid_request")


async def test_changing_and_handing_over(world: World) -> None:
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    channel = await open_channel(ada, ben)
    path = f"{CHANNELS}/{channel}"
    whole = (await ada.get(path)).json()
    assert (await ada.patch(path, json=whole)).json() == whole  # sent back as it is, nothing changes
    assert (await ada.get(path)).headers["room-seq"].endswith(":2")
    changed = (await ada.patch(path, json={"name": "Early", "private": True})).json()
    assert (changed["name"], changed["private"]) == ("Early", True)
    assert code_of(await cleo.get(path)) == (404, "not_found")
    assert code_of(await ada.patch(path, json={"owner_id": cleo.id})) == (404, "not_found")
    assert code_of(await ada.post(f"{path}/leave")) == (409, "owner_stays")
    assert code_of(await ada.delete(f"{path}/members/{ada.id}")) == (409, "owner_stays")
    handed = (await ada.patch(path, json={"owner_id": ben.id})).json()
    assert (handed["owner"], handed["role"]) == (account(ben), "member")
    assert (await ada.post(f"{path}/leave")).status_code == 204
    assert code_of(await ada.get(path)) == (404, "not_found")
    assert (await ben.post(f"{path}/leave")).status_code == 204
    assert code_of(await ben.get(path)) == (404, "not_found")


async def test_deleting(world: World) -> None:
    ada, ben = await people(world, "ada", "ben")
    channel = await open_channel(ada, ben)
    path = f"{CHANNELS}/{channel}"
    assert (await ada.delete(path)).status_code == 204
    for person in (ada, ben):
        assert code_of(await person.get(path)) == (404, "not_found")
        assert channel not in {one["id"] for one in await items(person, CHANNELS)}
    assert code_of(await ada.delete(path)) == (404, "not_found")
    while await clearing.clear_away(world.kernel.database):
        pass
    assert world.sql("select 1 from sidechain.channels where id = %s", channel) == []


async def test_an_account_that_goes_leaves_its_channel_to_who_was_in_it_longest(world: World) -> None:
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    channel, alone = await open_channel(ada, ben, cleo), await open_channel(ada)
    world.sql("delete from accounts.users where id = %s", ada.id)
    kept = (await cleo.get(f"{CHANNELS}/{channel}")).json()
    assert (kept["owner"], kept["members"]) == (account(ben), 2)
    assert code_of(await cleo.get(f"{CHANNELS}/{alone}")) == (404, "not_found")
    while await clearing.clear_away(world.kernel.database):
        pass
    assert world.sql("select 1 from sidechain.channels where id = %s", alone) == []
    assert world.sql("select 1 from documents.documents where object_id = %s", alone) == []


async def test_bounds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_CHANNELS", 2)
    monkeypatch.setattr(actions, "MOST_MEMBERS", 3)
    ada, ben, cleo, dan = await people(world, "ada", "ben", "cleo", "dan")
    first, second = await open_channel(ada, ben, cleo), await open_channel(ada, ben)
    assert code_of(await ada.post(CHANNELS, json={"name": "third"})) == (409, "too_many_channels")
    assert code_of(await dan.post(f"{CHANNELS}/{first}/join")) == (409, "channel_full")
    third = await open_channel(cleo)
    assert code_of(await ben.post(f"{CHANNELS}/{third}/join")) == (409, "too_many_channels")
    assert code_of(await cleo.put(f"{CHANNELS}/{third}/members/{ben.id}")) == (409, "too_many_channels")
    assert (await ben.post(f"{CHANNELS}/{second}/leave")).status_code == 204
    assert (await ben.post(f"{CHANNELS}/{third}/join")).status_code == 200


async def test_the_same_request_twice_opens_one(world: World) -> None:
    (ada,) = await people(world, "ada")
    request = {"json": {"name": "Mixes"}, "headers": {"Idempotency-Key": "once"}}
    first, again = await ada.post(CHANNELS, **request), await ada.post(CHANNELS, **request)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await items(ada, f"{CHANNELS}?member=me")) == 1


async def test_who_is_private_is_added_by_followers(world: World) -> None:
    ada, dan = await people(world, "ada", "dan")
    await follow(ada, dan)
    await make_private(dan)
    channel = await open_channel(ada, dan)
    assert await members_of(ada, channel) == {ada.id, dan.id}


@pytest.mark.parametrize("asked", ["%00", "%5C", "%25%5C_", "%ED%A0%80", "'", "%F0%9F%94%A5"])
async def test_any_text_can_be_looked_for(world: World, asked: str) -> None:
    (ada,) = await people(world, "ada")
    for query in (f"q={asked}", f"member=me&q={asked}"):
        answer = await ada.get(f"{CHANNELS}?{query}")
        assert answer.status_code in {200, 400, 422}, answer.text
