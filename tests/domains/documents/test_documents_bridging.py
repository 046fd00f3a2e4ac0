"""Peers that do not say what they have seen: their pongs do."""

import asyncio
import json
from typing import Any

from tests.domains.documents.notes import extended, new_note, plain, send, text_of
from tests.live.wire import PING, PONG, TEXT, Wire, frame, open_wire
from tests.sockets import connected
from tests.world import World


async def told(wire: Wire, kind: str) -> tuple[dict[str, Any], bytes]:
    """The next message of that type, and the payload of the ping that follows it at once."""
    while True:
        opcode, data = await wire.frame()
        assert opcode in {TEXT, PING}
        if opcode == TEXT and (message := json.loads(data))["type"] == kind:
            opcode, ping = await wire.frame()
            assert opcode == PING, f"a ping follows {kind}"
            return message, ping


async def test_a_ping_follows_every_message_and_its_pong_says_what_was_seen(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben, text="0123456789")
    async with connected(ada) as one, open_wire(noted.port, ben.access_token) as plugin:
        await plugin.say(type="subscribe", id=1, room=f"document:{document}")
        await told(plugin, "subscribed")
        await send(one, extended(document, [{"delete": 5}], 0), 1)
        await send(one, extended(document, [{"insert": "ab"}], 1), 2)
        _, first = await told(plugin, "operation")
        _, second = await told(plugin, "operation")
        # It has ponged nothing: what it says is about the text as it was.
        await plugin.say(type="operation", id=2, payload=plain(document, "Delete", 4, "45"))
        ack, _ = await told(plugin, "operation_ack")
        assert (ack["rev"], ack["ops"]) == (3, [{"retain": 2}, {"delete": 1}]), ack
        assert await text_of(ada, document) == "ab6789"
        # The first is seen, the second not; its own counts as seen.
        await plugin.send(frame(first, PONG))
        await plugin.say(type="operation", id=3, payload=plain(document, "Insert", 4, "!"))
        ack, _ = await told(plugin, "operation_ack")
        assert ack["ops"] == [{"retain": 6}, {"insert": "!"}], ack
        # A pong answers all pings before it, too.
        await plugin.send(frame(second, PONG))
        await plugin.say(type="operation", id=4, payload=plain(document, "Delete", 0, "ab"))
        ack, _ = await told(plugin, "operation_ack")
        assert await text_of(ada, document) == "6789!"


async def test_who_says_what_it_has_seen_is_not_pinged(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, open_wire(noted.port, ben.access_token) as page:
        await page.say(type="operation", id=1, payload=extended(document, [{"insert": "a"}], 0))
        assert (await page.hear())["type"] == "operation_ack"
        await send(one, extended(document, [{"insert": "b"}], 1))
        await send(one, extended(document, [{"insert": "c"}], 2), 2)
        frames = [await page.frame() for _ in range(2)]
        assert [opcode for opcode, _ in frames] == [TEXT, TEXT]
        await page.say(type="operation", id=2, payload=plain(document, "Insert", 0, "d"))
        assert (await page.hear())["code"] == "invalid_message"


async def test_a_mismatch_is_answered_and_the_peer_begins_anew(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada, text="abc")
    async with open_wire(noted.port, ada.access_token) as plugin:
        await plugin.say(type="operation", id=1, payload=plain(document, "Delete", 0, "xyz"))
        refused, ping = await told(plugin, "error")
        assert (refused["code"], refused["rev"]) == ("resync_required", 0)
        # What it sent before it could know is refused, too.
        await plugin.say(type="operation", id=2, payload=plain(document, "Insert", 0, "!"))
        refused, again = await told(plugin, "error")
        assert refused["code"] == "resync_required"
        await plugin.send(frame(ping, PONG) + frame(again, PONG))
        await plugin.say(type="operation", id=3, payload=plain(document, "Insert", 0, "!"))
        assert (await told(plugin, "operation_ack"))[0]["rev"] == 1


async def test_a_peer_that_never_pongs_costs_a_bounded_amount(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with open_wire(noted.port, ben.access_token) as silent:
        await silent.say(type="subscribe", id=1, room=f"document:{document}")
        await told(silent, "subscribed")
        noted.sql("update documents.documents set rev = 1001 where id = %s", document)
        noted.sql(
            """
            insert into documents.operations (document_id, rev, op_id, user_id, op, removed, server_timestamp)
            select %s, n, gen_random_uuid(), gen_random_uuid(), '[]', '', n from generate_series(1, 1001) n
            """,
            document,
        )
        noted.kernel.hub.notice(f"document:{document}", 1001)
        for _ in range(1001):
            await told(silent, "operation")
        await silent.say(type="operation", id=2, payload=plain(document, "Insert", 0, "x"))
        refused, ping = await told(silent, "error")
        assert (refused["code"], refused["rev"]) == ("resync_required", 1001)
        await silent.send(frame(ping, PONG))
        await silent.say(type="operation", id=3, payload=plain(document, "Insert", 0, "x"))
        assert (await told(silent, "operation_ack"))[0]["rev"] == 1002


async def test_what_arrives_together_is_written_together_and_the_bad_fail_alone(noted: World) -> None:
    people = [await noted.person(f"writer{n}") for n in range(20)]
    document = await new_note(noted, *people)
    async with asyncio.timeout(20):
        sockets = [connected(person) for person in people]
        opened = [await socket.__aenter__() for socket in sockets]
        for number, socket in enumerate(opened):  # so that each has joined
            await send(socket, extended(document, [{"insert": "x"}], number))
        answers = await asyncio.gather(
            *(
                send(socket, extended(document, [{"retain": 20 if n % 5 else 99}, {"insert": "y"}], 20), 2)
                for n, socket in enumerate(opened)
            )
        )
        for socket in sockets:
            await socket.__aexit__(None, None, None)
    assert [answer["type"] for answer in answers] == [
        "operation_ack" if n % 5 else "error" for n in range(20)
    ]
    assert await text_of(people[0], document) == "x" * 20 + "y" * 16
    [(commits,)] = noted.sql(
        "select count(distinct xmin::text) from documents.operations where document_id = %s and rev > 20",
        document,
    )
    assert commits < 16
    print(f"20 writers at once, 4 of them wrong: 16 operations in {commits} commits")
