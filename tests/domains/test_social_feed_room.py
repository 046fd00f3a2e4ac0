"""What somebody does is heard live by those who follow them."""

import asyncio
from typing import Any

from tests.conftest import reachable, serving, settings_for_tests
from tests.sockets import connected
from tests.waiting import look_again
from tests.world import Person, World

from quintet.domains.social import tell_followers, telling
from quintet.kernel.live.log import Event


class Sung(Event):
    """Somebody sang."""

    words: str


async def sing(world: World, singer: Person, *songs: str) -> None:
    """Each in a transaction of its own."""
    for words in songs:

        async def act(tx: Any, words: str = words) -> None:
            await tell_followers(tx, singer.id, Sung(words=words))

        await world.kernel.database.transact(act)


def let_follow(world: World, follower: Person, followee: Person) -> None:
    world.sql(
        "insert into social.follows (follower_id, followee_id, since) values (%s, %s, now())",
        follower.id,
        followee.id,
    )


async def told_all(world: World) -> None:
    """Nothing is waiting any more."""
    async with asyncio.timeout(10):
        while world.sql("select count(*) from social.tellings") != [(0,)]:
            await look_again()


async def test_followers_hear_deeds_in_their_order_and_others_do_not(live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    let_follow(live, ben, ada)
    async with connected(ben) as his, connected(cleo) as hers:
        for socket in (his, hers):
            assert (await socket.ask("subscribe", room="feed"))["type"] == "subscribed"
        await sing(live, ada, *(f"verse {n}" for n in range(5)))
        heard = await his.events_up_to(5, "feed")
        assert [one["words"] for one in heard] == [f"verse {n}" for n in range(5)]
        assert not [one for one in await hers.settle() if "words" in one]


async def test_whoever_was_away_hears_it_on_coming_back(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    let_follow(live, ben, ada)
    async with connected(ben) as socket:
        await socket.ask("subscribe", room="feed")
    await sing(live, ada, "la", "li")
    await told_all(live)
    async with connected(ben) as socket:
        await socket.say("subscribe", id=1, room="feed", since=0, epoch=live.kernel.epoch)
        assert [one["words"] for one in await socket.events_up_to(2, "feed")] == ["la", "li"]


async def test_nothing_is_written_for_who_never_listened(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    await sing(live, ada, "alone")
    assert live.sql("select count(*) from social.tellings where author_id = %s", ada.id) == [(0,)]
    let_follow(live, ben, ada)
    await sing(live, ada, "unheard")
    await told_all(live)
    assert live.sql("select count(*) from kernel.rooms where room = %s", f"feed:{ben.id}") == [(0,)]


async def test_many_followers_are_told_a_part_at_a_time_and_each_once(dsn: str, monkeypatch: Any) -> None:
    """Also where several nodes take turns, and one breaks off in the midst."""
    monkeypatch.setattr(telling, "MOST_AT_ONCE", 7)
    settings = settings_for_tests()
    async with serving(settings, dsn) as one, serving(settings, dsn), reachable(one) as world:
        ada = await world.person("ada")
        followers = [await world.person("ben") for _ in range(20)]
        for follower in followers:
            let_follow(world, follower, ada)
            world.sql("insert into social.feed_listeners values (%s, now())", follower.id)
        await sing(world, ada, "do", "re", "mi")
        await told_all(world)
        rooms = [f"feed:{follower.id}" for follower in followers]
        told = world.sql(
            "select room, string_agg(body ->> 'words', ' ' order by seq) from kernel.room_events"
            " where room = any(%s) group by room",
            rooms,
        )
        assert sorted(told) == sorted((room, "do re mi") for room in rooms)
    print(f"{len(followers)} followers x 3 deeds, 7 at a time by two nodes: each heard each once, in order")
