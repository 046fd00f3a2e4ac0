"""How somebody wants to be told, kind by kind."""

import asyncio

from tests.domains.notifying import LIKED, PATH, do, listed, texts
from tests.sockets import connected
from tests.world import World, code_of

from quintet.domains.notifications import KINDS

PREFERENCES = f"{PATH}/preferences"
PLAIN = {"live": True, "push": True, "email": False, "muted": False}


async def test_what_is_said_is_kept_and_the_rest_stays(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    assert (await ada.get(PREFERENCES)).json() == {"preferences": dict.fromkeys(KINDS, PLAIN)}
    for change, due in (
        ({LIKED: {"push": False}}, {LIKED: {**PLAIN, "push": False}}),
        ({LIKED: {"email": True}}, {LIKED: {**PLAIN, "push": False, "email": True}}),
        ({}, {}),
        (
            {LIKED: PLAIN, "mention": {"live": False, "muted": True}},
            {LIKED: PLAIN, "mention": {**PLAIN, "live": False, "muted": True}},
        ),
    ):
        answer = await ada.put(PREFERENCES, json={"preferences": change})
        assert answer.status_code == 200
        assert answer.json() == (await ada.get(PREFERENCES)).json()
        assert {kind: answer.json()["preferences"][kind] for kind in due} == due
    # The whole object back, as front ends send it.
    whole = (await ada.get(PREFERENCES)).json()
    assert (await ada.put(PREFERENCES, json=whole)).json() == whole
    assert (await ben.get(PREFERENCES)).json() == {"preferences": dict.fromkeys(KINDS, PLAIN)}


async def test_what_cannot_be_said_changes_nothing(world: World) -> None:
    ada = await world.person("ada")
    for preferences, code, pointer in (
        ({LIKED: {"live": False}, "gossip": {"live": False}}, "out_of_range", "/preferences"),
        ({"announcement": {"muted": True}}, "out_of_range", "/preferences/announcement/muted"),
        ({LIKED: {"live": "no"}}, "wrong_type", "/preferences"),
        ({LIKED: {"loud": True}}, "unknown_field", "/preferences"),
    ):
        answer = await ada.put(PREFERENCES, json={"preferences": preferences})
        assert code_of(answer) == (422, "invalid_request")
        [error] = answer.json()["errors"]
        assert (error["code"], error["pointer"][: len(pointer)]) == (code, pointer)
    assert (await ada.get(PREFERENCES)).json() == {"preferences": dict.fromkeys(KINDS, PLAIN)}


async def test_two_tabs_change_two_things_at_once(world: World) -> None:
    ada = await world.person("ada")
    for is_on in (False, True, False):
        await asyncio.gather(
            *(
                ada.put(PREFERENCES, json={"preferences": {LIKED: {way: is_on}}})
                for way in ("live", "push", "email")
            )
        )
        kept = (await ada.get(PREFERENCES)).json()["preferences"][LIKED]
        assert kept == {"live": is_on, "push": is_on, "email": is_on, "muted": False}


async def test_a_muted_kind_is_not_kept(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    await do(ben, ada, object_id="before")
    await ada.put(PREFERENCES, json={"preferences": {LIKED: {"muted": True}}})
    await do(ben, ada, object_id="after")
    await do(ben, ada, "mention")
    assert [item["object_id"] for item in await listed(ada)] == ["", "before"]
    await ada.put(PREFERENCES, json={"preferences": {LIKED: {"muted": False}}})
    await do(ben, ada, object_id="again")
    assert len(await listed(ada)) == 3


async def test_what_is_not_told_live_is_listed_and_counted(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    await ada.put(PREFERENCES, json={"preferences": {LIKED: {"live": False}}})
    async with connected(ada) as socket:
        await do(ben, ada)
        await do(ben, ada, "mention")
        await socket.until(lambda one: one["type"] == "notification_count" and one["unread"] == 2)
        told = [one["kind"] for one in socket.heard if one["type"] == "notification"]
        assert told == ["mention"]
    assert await texts(ada) == [f"{ben.username} mentioned you", f"{ben.username} liked your post"]
