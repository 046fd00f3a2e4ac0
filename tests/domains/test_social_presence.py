"""Followers hear who is here, in the studio, or gone; others do not."""

import pytest
from tests.conftest import clone_database, drop_database, reachable, serving, settings_for_tests
from tests.live.test_nodes import know_each_other
from tests.sockets import Socket, connected
from tests.world import Person, World

from quintet.domains.social import presence


def let_follow(world: World, follower: Person, followee: Person) -> None:
    world.sql(
        "insert into social.follows (follower_id, followee_id, since) values (%s, %s, now())",
        follower.id,
        followee.id,
    )


async def status(socket: Socket, person: Person) -> tuple[str, str]:
    """The next that is told of somebody: both messages of it."""
    told = await socket.until(lambda m: m["type"] == "presence" and m["user_id"] == person.id)
    named = await socket.until(lambda m: m["type"].startswith("user_"))
    assert told["room"] == named["room"] == "feed"
    assert named["payload"]["user_id"] == named["user_id"] == person.id
    return told["payload"]["status"], named["type"]


def told_of(socket: Socket) -> list[str]:
    return [one["type"] for one in socket.heard if one["type"].startswith("user_")]


async def test_followers_hear_who_comes_and_goes(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "GONE_SECONDS", 0.2)
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    let_follow(live, ben, ada)
    async with connected(ben) as bens, connected(cleo) as cleos:
        for socket in (bens, cleos):
            await socket.ask("subscribe", room="feed")
        async with connected(ada) as adas:
            assert await status(bens, ada) == ("online", "user_online")
            await adas.say("presence", status="in_studio", mode="mixing")
            assert await status(bens, ada) == ("in_studio", "user_in_studio")
            async with connected(ada):  # another tab changes nothing
                await adas.settle()
            await adas.say("presence", status="online")
            assert await status(bens, ada) == ("online", "user_online")
        assert await status(bens, ada) == ("offline", "user_offline")
        assert told_of(bens) == ["user_online", "user_in_studio", "user_online", "user_offline"]
        await cleos.settle()
        assert told_of(cleos) == []


async def test_who_reconnects_was_never_gone(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "GONE_SECONDS", 60)
    ada, ben = await live.person("ada"), await live.person("ben")
    let_follow(live, ben, ada)
    async with connected(ben) as bens:
        await bens.ask("subscribe", room="feed")
        async with connected(ada):
            await bens.until("user_online")
        async with connected(ada) as adas:
            await adas.settle()
        async with connected(ada) as adas:
            await adas.say("presence", status="in_studio")
            await bens.until("user_in_studio")
        assert told_of(bens) == ["user_online", "user_in_studio"]


async def test_a_block_ends_it(live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    for follower in (ben, cleo):
        let_follow(live, follower, ada)
    assert (await ada.put(f"/api/v1/users/{ben.username}/block")).status_code == 204
    async with connected(ben) as bens, connected(cleo) as cleos:
        for socket in (bens, cleos):
            await socket.ask("subscribe", room="feed")
        async with connected(ada):
            assert await status(cleos, ada) == ("online", "user_online")
        await bens.settle()
        assert told_of(bens) == []


async def test_on_two_nodes_each_change_is_told_once(
    worker_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "GONE_SECONDS", 0.2)
    name = f"quintet_presence_{worker_name}"
    dsn = clone_database(name)
    async with (
        serving(settings_for_tests(), dsn) as one,
        serving(settings_for_tests(), dsn) as two,
        reachable(one),
        reachable(two),
    ):
        await know_each_other(one, two)
        ada, ben = await one.person("ada"), await one.person("ben")
        let_follow(one, ben, ada)
        async with connected(ben) as here, connected(ben, two) as there:
            for socket in (here, there):
                await socket.ask("subscribe", room="feed")
            async with connected(ada), connected(ada, two) as adas:
                for socket in (here, there):
                    assert await status(socket, ada) == ("online", "user_online")
                await adas.say("presence", status="in_studio")
                for socket in (here, there):
                    assert await status(socket, ada) == ("in_studio", "user_in_studio")
            for socket in (here, there):
                await socket.until("user_offline")
                assert told_of(socket).count("user_offline") == 1
    drop_database(name)


async def test_who_was_on_a_node_that_died_is_found_out(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "GONE_SECONDS", 0.2)
    monkeypatch.setattr(presence, "SWEEP_SECONDS", 0.2)
    ada, ben = await live.person("ada"), await live.person("ben")
    let_follow(live, ben, ada)
    async with connected(ben) as bens:
        await bens.ask("subscribe", room="feed")
        [(node_id,)] = live.sql(
            "insert into kernel.nodes (id, seen_at) values (gen_random_uuid(), now()) returning id"
        )
        live.sql(
            "insert into kernel.presence (room, user_id, node_id, status, connections, since)"
            " values ('', %s, %s, 'online', 1, now())",
            ada.id, node_id,
        )  # fmt: skip
        await bens.until("user_online")
        live.sql("update kernel.nodes set seen_at = now() - interval '11 s' where id = %s", node_id)
        await bens.until("user_offline")
    live.sql("delete from kernel.nodes where id = %s", node_id)
