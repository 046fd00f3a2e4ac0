"""Who loses the right to read a room is put out of it, on every node; whom one blocked is heard no more."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import reachable, serving, settings_for_tests
from tests.sockets import PATIENCE_SECONDS, Socket, connected
from tests.waiting import look_again
from tests.world import Person, World

from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.live.hub import RoomKind
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import NotFound


class Spoken(Event, frozen=True):
    """Somebody said something."""

    words: str


class Den:
    """A kind of rooms of the tests' own: its guests may be in it."""

    def __init__(self, *worlds: World) -> None:
        self.guests: set[str] = set()
        for world in worlds:
            kinds: Any = world.kernel.hub._kinds
            kinds["den"] = RoomKind(self.check, hides_people=True)

    async def check(self, tx: Tx, actor: Actor, rest: str) -> None:
        _ = tx, rest
        if str(actor.id) not in self.guests:
            raise NotFound

    def invite(self, *people: Person) -> None:
        self.guests |= {one.id for one in people}


@pytest.fixture
def den(live: World) -> Iterator[Den]:
    yield Den(live)
    kinds: Any = live.kernel.hub._kinds
    del kinds["den"]


async def review(world: World, room: str, user: Person | None = None) -> None:
    async def act(tx: Tx) -> None:
        tx.review(room, user and UUID(user.id))

    await world.kernel.database.transact(act)


async def speak(world: World, speaker: Person, words: str, room: str) -> None:
    async def act(tx: Tx) -> None:
        tx.author_id = UUID(speaker.id)
        tx.emit(room, Spoken(words=words))

    await world.kernel.database.transact(act)


async def reviewed(world: World, times: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while world.kernel.hub.reviews < times:
            await look_again()


def is_put_out(room: str) -> Any:
    return lambda told: told["type"] == "unsubscribed" and told["room"] == room


async def joined(socket: Socket, room: str, **more: Any) -> dict[str, Any]:
    told = await socket.ask("subscribe", room=room, **more)
    assert told["type"] == "subscribed", told
    return told


async def test_who_may_not_read_any_more_is_put_out_and_others_stay(live: World, den: Den) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    den.invite(ada, ben, cleo)
    async with (
        connected(ada) as hers,
        connected(ben) as his,
        connected(ben) as second,
        connected(cleo) as out,
    ):
        for socket in (hers, his, second, out):
            await joined(socket, "den:1")
        den.guests -= {ben.id, cleo.id}
        await review(live, "den:1", ben)
        for socket in (his, second):
            assert (await socket.until(is_put_out("den:1")))["reason"] == "not_found"
        await speak(live, ada, "alone at last", "den:1")
        await hers.until("spoken")
        await out.until("spoken")  # only Ben was looked at
        await review(live, "den:1")
        await out.until(is_put_out("den:1"))
        await speak(live, ada, "really", "den:1")
        assert (await hers.until("spoken"))["words"] == "really"
        for socket in (his, second, out):
            assert "really" not in [one.get("words") for one in await socket.settle()]


async def test_another_node_puts_out_too(dsn: str) -> None:
    async with (
        serving(settings_for_tests(), dsn) as one,
        reachable(one),
        serving(settings_for_tests(), dsn) as two,
        reachable(two),
    ):
        den = Den(one, two)
        ada = await one.person("ada")
        den.invite(ada)
        async with connected(ada, two) as socket:
            await joined(socket, "den:2")
            den.guests.clear()
            await review(one, "den:2", ada)
            await socket.until(is_put_out("den:2"))


async def test_a_right_that_ends_while_one_joins_ends_the_membership(
    live: World, den: Den, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await live.person("ada")
    den.invite(ada)
    hub, presence = live.kernel.hub, live.kernel.presence
    plain, waits, gate = presence.listed, asyncio.Event(), asyncio.Event()

    async def slow(room: Any) -> Any:
        waits.set()
        await gate.wait()
        return await plain(room)

    monkeypatch.setattr(presence, "listed", slow)
    async with connected(ada) as socket:
        await socket.say("subscribe", id=1, room="den:3")
        await waits.wait()  # she was allowed in, and is not in yet
        den.guests.clear()
        before = hub.reviews
        await review(live, "den:3", ada)
        await reviewed(live, before + 1)
        gate.set()
        await socket.until(is_put_out("den:3"))


async def test_whom_one_blocked_is_skipped_and_seen_again_afterwards(live: World, den: Den) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    den.invite(ada, ben, cleo)
    async with connected(ada) as hers, connected(cleo) as other:
        await joined(other, "den:4")
        begun = await joined(hers, "den:4")
        await speak(live, ben, "one", "den:4")
        assert (await hers.until("spoken"))["words"] == "one"

        before = live.kernel.hub.reviews
        await ada.put(f"/api/v1/users/{ben.username}/block")
        await reviewed(live, before + 2)
        await speak(live, ben, "two", "den:4")
        await speak(live, cleo, "three", "den:4")
        skipped = await hers.until("skip")
        assert skipped == {"type": "skip", "room": "den:4", "seq": 2}
        assert (await hers.until("spoken"))["words"] == "three"
        heard = [await other.until("spoken") for _ in range(3)]
        assert [one["words"] for one in heard] == ["one", "two", "three"]

        async with connected(ada) as late:  # a replay, too
            await joined(late, "den:4", since=begun["seq"], epoch=begun["epoch"])
            assert [one["type"] for one in late.heard if "seq" in one and one["type"] != "subscribed"] == [
                "skip",
                "skip",
                "spoken",
            ]

        before = live.kernel.hub.reviews
        await ada.delete(f"/api/v1/users/{ben.username}/block")
        await reviewed(live, before + 2)
        await speak(live, ben, "four", "den:4")
        assert (await hers.until("spoken"))["words"] == "four"


async def test_nobody_hears_reviews(live: World) -> None:
    ada = await live.person("ada")
    async with connected(ada) as socket:
        assert (await socket.ask("subscribe", room="reviews"))["code"] == "not_found"
