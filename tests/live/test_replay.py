"""Coming back: every event once, in order and without a hole, or a word that the log no longer tells."""

import asyncio
import random
from typing import Any

import pytest
from tests.sockets import Message, Socket, connected
from tests.waiting import look_again
from tests.world import World, new_title

from quintet.kernel.live.log import Event


class Counted(Event):
    """An event of these tests."""

    number: int


async def emit(world: World, room: str, *numbers: int) -> None:
    """Tell the room of these in one transaction."""

    async def act(tx: Any) -> None:
        for number in numbers:
            tx.emit(room, Counted(number=number))

    await world.kernel.database.transact(act)


async def fresh_room(world: World) -> str:
    return f"title:{await new_title(await world.person())}"


def log_of(world: World, room: str) -> list[tuple[int, int]]:
    """Seq and number of each event, as the database keeps them."""
    return world.sql(  # type: ignore[return-value]
        "select seq, (body->>'number')::int from kernel.room_events where room = %s order by seq", room
    )


async def told_until_joined(socket: Socket, id_: Any) -> list[Message]:
    """Everything said up to the answer to the subscription."""
    before = len(socket.heard)
    await socket.until(lambda message: message.get("id") == id_)
    return [one for one in socket.heard[before:] if one["type"] != "presence"]


async def come_back(socket: Socket, room: str, since: Any, epoch: str, id_: int = 9) -> list[Message]:
    await socket.say("subscribe", id=id_, room=room, since=since, epoch=epoch)
    return await told_until_joined(socket, id_)


async def test_what_was_missed_comes_first_then_what_happens_now(live: World) -> None:
    room, epoch = await fresh_room(live), live.kernel.epoch
    await emit(live, room, 1, 2, 3)
    await emit(live, room, 4)
    async with connected(await live.person()) as socket:
        told = await come_back(socket, room, 1, epoch)
        assert [(one["type"], one["seq"]) for one in told] == [
            ("counted", 2),
            ("counted", 3),
            ("counted", 4),
            ("subscribed", 4),
        ]
        await emit(live, room, 5)
        assert (await socket.until("counted"))["seq"] == 5
        # Again while inside, as one who saw a hole: the events again, each once, and none live in between.
        told = await come_back(socket, room, 3, epoch)
        assert [one["seq"] for one in told] == [4, 5, 5]
        await emit(live, room, 6)
        assert [one["seq"] for one in await socket.settle() if "seq" in one] == [6]
        assert [one["seq"] for one in await come_back(socket, room, 6, epoch)] == [6]  # nothing missed


async def test_nothing_live_slips_in_before_what_was_missed(live: World, monkeypatch: Any) -> None:
    room, hub = await fresh_room(live), live.kernel.hub
    await emit(live, room, 1, 2)
    plain = hub.missed

    async def slow(*asked: Any) -> Any:
        monkeypatch.undo()
        await emit(live, room, 3)
        await look_again()  # whoever is inside hears it now
        return await plain(*asked)

    async with connected(await live.person()) as socket:
        await socket.ask("subscribe", room=room)
        monkeypatch.setattr(hub, "missed", slow)
        told = await come_back(socket, room, 0, hub.epoch)
        assert [one["seq"] for one in told] == [1, 2, 3, 3]


async def test_since_and_epoch_belong_together(live: World) -> None:
    room = await fresh_room(live)
    async with connected(await live.person()) as socket:
        for fields in ({"since": 0}, {"epoch": live.kernel.epoch}, {"since": None, "epoch": "x"}):
            refused = await socket.ask("subscribe", room=room, **fields)
            assert (refused["code"], refused["room"]) == ("epoch_required", room)
        for since in (True, 1.5, "1", [], {}, 1e300):
            refused = await socket.ask("subscribe", room=room, since=since, epoch=live.kernel.epoch)
            assert refused["code"] == "invalid_message"
        assert (await socket.ask("subscribe", room=room, since=0, epoch=1))["code"] == "invalid_message"


@pytest.mark.parametrize("since", [-1, -(2**70), 4, 2**31, 2**63 - 1, 2**63, 2**70, 10**4000])
async def test_what_no_log_can_tell_is_a_reset(live: World, since: int) -> None:
    room, epoch = await fresh_room(live), live.kernel.epoch
    await emit(live, room, 1, 2, 3)
    async with connected(await live.person()) as socket:
        told = await come_back(socket, room, since, epoch)
        assert [(one["type"], one["seq"], one["epoch"]) for one in told] == [
            ("reset", 3, epoch),
            ("subscribed", 3, epoch),
        ]
        await emit(live, room, 4)
        assert (await socket.until("counted"))["seq"] == 4


async def test_another_epoch_is_a_reset(live: World) -> None:
    room = await fresh_room(live)
    await emit(live, room, 1)
    async with connected(await live.person()) as socket:
        told = await come_back(socket, room, 1, "another")
        assert [(one["type"], one["epoch"]) for one in told] == [
            ("reset", live.kernel.epoch),
            ("subscribed", live.kernel.epoch),
        ]


async def test_a_log_that_was_collected_is_a_reset(live: World) -> None:
    room, epoch = await fresh_room(live), live.kernel.epoch
    await emit(live, room, *range(10))
    live.kernel.hub.rooms.pop(room, None)
    live.sql("delete from kernel.room_events where room = %s and seq <= 5", room)
    async with connected(await live.person()) as socket:
        assert [one["type"] for one in await come_back(socket, room, 4, epoch)] == ["reset", "subscribed"]
        told = await come_back(socket, room, 5, epoch)
        assert [one["seq"] for one in told] == [6, 7, 8, 9, 10, 10]
    live.kernel.hub.rooms.pop(room, None)
    live.sql("delete from kernel.room_events where room = %s", room)
    async with connected(await live.person()) as socket:
        told = await come_back(socket, room, 9, epoch)
        assert [(one["type"], one["seq"]) for one in told] == [("reset", 10), ("subscribed", 10)]
        assert [one["type"] for one in await come_back(socket, room, 10, epoch)] == ["subscribed"]


async def test_ten_thousand_events_are_told_and_one_more_is_a_reset(live: World) -> None:
    room, epoch = await fresh_room(live), live.kernel.epoch
    await emit(live, room, *range(10_001))
    async with connected(await live.person()) as socket:
        assert [one["type"] for one in await come_back(socket, room, 0, epoch)] == ["reset", "subscribed"]
        told = await come_back(socket, room, 1, epoch)
        assert [one["seq"] for one in told[:-1]] == list(range(2, 10_002))
        assert told[-1]["seq"] == 10_001


async def test_commits_told_out_of_order_are_heard_in_order(live: World, monkeypatch: Any) -> None:
    room = await fresh_room(live)
    hub = live.kernel.hub
    held: list[Any] = []
    listeners = live.kernel.database.on_commit
    place = listeners.index(hub.take)
    listeners[place] = held.extend
    async with connected(await live.person()) as socket:
        try:
            await socket.ask("subscribe", room=room)
            for number in range(1, 7):
                await emit(live, room, number)
        finally:
            listeners[place] = hub.take
        random.Random(7).shuffle(held)
        for event in held:
            hub.take([event])
        assert hub.rooms[room].delivered == 6  # at once, without asking the log
        assert [one["seq"] for one in await socket.events_up_to(6, room)] == [1, 2, 3, 4, 5, 6]
        # One never comes: the log is asked for it, before the next look.
        monkeypatch.setattr(hub, "look", look_again)
        listeners[place] = lambda published: [hub.take([e]) for e in published if e.seq != 8]
        try:
            await emit(live, room, 7, 8, 9)
        finally:
            listeners[place] = hub.take
        async with asyncio.timeout(0.5):
            assert [one["seq"] for one in await socket.events_up_to(9, room)] == [7, 8, 9]


class Log(list[Message]):
    """What one client has heard of a room, over however many connections it took."""

    def note(self, heard: list[Message], *, was_inside: bool) -> None:
        """Take in what came; fails where that leaves a hole or doubles something."""
        assert "reset" not in [one["type"] for one in heard]
        for one in heard:
            if one["type"] != "counted":
                continue
            if was_inside and one["seq"] <= len(self):  # live already when it asked for it again
                assert self[one["seq"] - 1]["number"] == one["number"]
            else:
                assert one["seq"] == len(self) + 1
                self.append(one)

    def check(self, expected: list[tuple[int, int]]) -> None:
        """Fail unless this is how the server's log begins."""
        assert [(one["seq"], one["number"]) for one in self] == expected[: len(self)]


async def test_nothing_is_lost_whoever_joins_while_others_write(live: World) -> None:  # noqa: C901 (a story)
    """Clients drop, come back and join again while batches of all sizes are committed by many writers."""
    chance = random.Random(20)
    room, epoch = await fresh_room(live), live.kernel.epoch
    people = [await live.person() for _ in range(4)]
    writing = True
    joins = 0

    async def write(writer: int) -> None:
        for number in range(60):
            await emit(live, room, *(writer * 10_000 + number * 10 + n for n in range(chance.randint(1, 4))))

    async def listen(number: int) -> Log:
        nonlocal joins
        log = Log()
        while True:
            is_last = not writing
            async with connected(people[number % 4]) as socket:
                is_inside = False
                for again in range(chance.randint(1, 4)):
                    before = len(socket.heard)
                    told = await come_back(socket, room, len(log), epoch, id_=again)
                    joins += 1
                    if not is_inside:
                        assert told[-1]["seq"] == (told[-2]["seq"] if len(told) > 1 else len(log))
                    for _ in range(chance.randint(0, 3)):
                        await socket.settle()
                    was_inside, is_inside = is_inside, chance.random() < 0.5 and not is_last
                    if not is_inside:
                        await socket.ask("unsubscribe", room=room, id_=77)
                    log.note(socket.heard[before:], was_inside=was_inside)
                if is_last:
                    return log

    listeners = [asyncio.create_task(listen(number)) for number in range(12)]
    await asyncio.gather(*(write(writer) for writer in range(4)))
    writing = False
    logs = await asyncio.gather(*listeners)
    expected = log_of(live, room)
    for log in logs:
        log.check(expected)
    assert {len(log) for log in logs} == {len(expected)}
    print(f"{len(expected)} events by 4 writers, 12 clients, {joins} joins: every log equals the server's")
