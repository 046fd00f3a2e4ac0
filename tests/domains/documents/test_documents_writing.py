"""Writing a document over the live connection: operations, acks, and what others hear."""

import asyncio
from typing import Any
from uuid import UUID

from tests.domains.documents.notes import MEMBERS, delete_note, extended, new_note, plain, send, text_of
from tests.sockets import connected
from tests.waiting import look_again
from tests.world import World

from quintet.kernel.database import Tx

SHOWN = {
    "document_id", "epoch", "client_id", "user_id", "rev", "server_timestamp", "transformed_operation", "ops",
    "unit",
    "op_id", "session", "session_seq",
}  # fmt: skip


async def test_an_operation_is_acknowledged_and_told(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    room = f"document:{document}"
    async with connected(ada) as one, connected(ben) as other:
        subscribed = await other.ask("subscribe", room=room)
        assert (subscribed["type"], subscribed["seq"]) == ("subscribed", 0)
        ack = await send(one, plain(document, "Insert", 0, "hello"), "a1")
        told = await other.until("operation")
        assert (ack["type"], ack["id"], ack["seq"], ack["room"]) == ("operation_ack", "a1", 1, room)
        assert ack["transformed_operation"] == {
            "type": "Insert", "client_id": 12345, "timestamp": 1702569600, "position": 0, "content": "hello",
        }  # fmt: skip
        assert ack["payload"] == {key: ack[key] for key in SHOWN | {"id"}}
        assert told["payload"] == {key: told[key] for key in SHOWN} == {key: ack[key] for key in SHOWN}
        assert (told["epoch"], told["client_id"], told["rev"]) == (subscribed["epoch"], 12345, 1)
        assert (told["unit"], told["ops"]) == ("codepoint", [{"insert": "hello"}])
        # Field names as the plugin spells them, and one's own operations do not come back.
        operation = {"type": "Delete", "clientId": 9, "timestamp": 1, "position": 1, "content": "ell"}
        second = await send(one, {"documentId": document, "operation": operation}, "a2")
        assert (second["rev"], second["client_id"]) == (2, 9)
        assert second["server_timestamp"] > ack["server_timestamp"]
        assert not any(message["type"] == "operation" for message in one.heard)
    assert await text_of(ada, document) == "ho"


async def test_the_later_of_two_insertions_stands_to_the_left(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, connected(ben) as other:
        await send(one, extended(document, [{"insert": "early"}], 0, session="s", session_seq=1))
        ack = await send(other, extended(document, [{"insert": "late"}], 0, session="s", session_seq=1))
        assert (ack["rev"], ack["session"], ack["session_seq"]) == (2, "s", 1)
        assert await text_of(ada, document) == "lateearly"
        # What both delete is deleted once; what comes out empty has its rev and its ack all the same.
        await send(one, extended(document, [{"delete": 4}], 2, session="s", session_seq=2), 2)
        empty = await send(other, extended(document, [{"delete": 4}], 2, session="s", session_seq=2), 2)
        assert (empty["rev"], empty["ops"]) == (4, [])
        assert empty["transformed_operation"]["type"] == "Delete"
        assert empty["transformed_operation"]["content"] == ""
        # An insertion inside a deleted range survives at its start.
        await send(one, extended(document, [{"delete": 5}], 4, session="s", session_seq=3), 3)
        ack = await send(
            other, extended(document, [{"retain": 3}, {"insert": "!"}], 4, session="s", session_seq=3), 3
        )
        assert ack["ops"] == [{"insert": "!"}]
        assert await text_of(ada, document) == "!"


async def test_whoever_never_subscribes_hears_what_is_theirs(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    first, second = await new_note(noted, ada, ben), await new_note(noted, ada, ben)
    MEMBERS[UUID(ben.id)] = [first.split(":")[1]]
    async with connected(ada) as one, connected(ben) as plugin:
        await send(one, plain(first, "Insert", 0, "a"))
        assert (await plugin.until("operation"))["document_id"] == first
        await send(one, plain(second, "Insert", 0, "b"))
        assert not [m for m in await plugin.settle() if m["type"] == "operation"]
        MEMBERS[UUID(ben.id)].append(second.split(":")[1])
        await review_own(noted, ben.id)
        await send(one, plain(second, "Insert", 0, "c"))
        assert (await plugin.until("operation"))["document_id"] == second
        # Sending joins; the rest ends with the first `subscribe`.
        await send(plugin, plain(second, "Insert", 0, "d"))
        await plugin.ask("subscribe", room="feed")
        await send(one, plain(first, "Insert", 0, "e"), 2)
        await send(one, plain(second, "Insert", 0, "f"), 3)
        assert (await plugin.until("operation"))["document_id"] == second


async def review_own(world: World, user_id: str) -> None:
    reviews = world.kernel.hub.reviews

    async def ask(tx: Tx) -> None:
        tx.review(f"user:{user_id}")

    await world.kernel.database.transact(ask)
    room: Any = world.kernel.hub.rooms[f"user:{user_id}"]
    async with asyncio.timeout(10):
        while world.kernel.hub.reviews == reviews or any(len(one.overheard) < 2 for one in room.members):
            await look_again()


async def test_a_split_is_told_in_parts_to_who_knows_only_the_plain_form(noted: World) -> None:
    ada, ben, cleo = await noted.person("ada"), await noted.person("ben"), await noted.person("cleo")
    document = await new_note(noted, ada, ben, cleo, text="0123456789")
    room = f"document:{document}"
    async with connected(ada) as one, connected(ben) as plugin, connected(cleo) as page:
        await plugin.ask("subscribe", room=room)
        await page.ask("subscribe", room=room, unit="utf16")
        ops = [{"retain": 2}, {"delete": 2}, {"retain": 3}, {"insert": "xy"}, {"delete": 1}]
        ack = await send(one, extended(document, ops, 0))
        whole = await page.until("operation")
        parts = [await plugin.until("operation") for _ in range(3)]
        assert ack["ops"] == whole["ops"] == ops
        assert [(p["rev"], p["op_id"], p["part"], p["parts"]) for p in parts] == [
            (1, ack["op_id"], number, 3) for number in (1, 2, 3)
        ]
        steps = [part["transformed_operation"] for part in parts]
        assert [(step["type"], step["position"], step["content"]) for step in steps] == [
            ("Delete", 7, "7"), ("Insert", 7, "xy"), ("Delete", 2, "23"),
        ]  # fmt: skip
        assert [p["ops"] for p in parts] == [
            [{"retain": 7}, {"delete": 1}], [{"retain": 7}, {"insert": "xy"}], [{"retain": 2}, {"delete": 2}],
        ]  # fmt: skip
        assert whole["transformed_operation"] == parts[0]["transformed_operation"]
        # Who has sent the extended form hears the whole of it from then on.
        await send(plugin, extended(document, [{"insert": "z"}], 1))
        await send(one, extended(document, [{"delete": 1}, {"retain": 1}, {"delete": 1}], 2), 2)
        assert "part" not in await plugin.until("operation")


async def test_positions_count_in_the_unit_asked_for(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, connected(ben) as page:
        await page.ask("subscribe", room=f"document:{document}", unit="utf16")
        await send(one, plain(document, "Insert", 0, "\U0001f3b5é"))
        await send(one, plain(document, "Insert", 2, "x"))
        told = [await page.until("operation") for _ in range(2)]
        assert [(m["unit"], m["transformed_operation"]["position"]) for m in told] == [
            ("utf16", 0),
            ("utf16", 3),
        ]
        torn = await send(page, extended(document, [{"retain": 1}, {"insert": "y"}], 2, unit="utf16"))
        assert torn["code"] == "invalid_operation"
        ack = await send(page, extended(document, [{"retain": 2}, {"insert": "y"}], 2, unit="utf16"))
        assert (ack["unit"], ack["ops"]) == ("utf16", [{"retain": 2}, {"insert": "y"}])
        assert (await one.until("operation"))["ops"] == [{"retain": 1}, {"insert": "y"}]
        # Made on the text before the note was there: moved over it in its own unit.
        late = await send(page, extended(document, [{"retain": 3}, {"insert": "z"}], 1, unit="utf16"))
        assert late["ops"] == [{"retain": 4}, {"insert": "z"}], late
        answer = (await ben.get(f"/api/v1/documents/{document}?unit=utf16")).json()
        assert (answer["content"], answer["length"]) == ("\U0001f3b5yézx", 6)
        back = (await ben.get(f"/api/v1/documents/{document}/operations?unit=utf16&from_rev=1")).json()[
            "items"
        ]
        assert [(item["position"], item["unit"]) for item in back] == [
            (3, "utf16"),
            (2, "utf16"),
            (4, "utf16"),
        ]


async def test_coming_back_tells_what_was_missed(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    room = f"document:{document}"
    async with connected(ada) as one:
        epoch = (await send(one, extended(document, [{"insert": "a"}], 0, session="s", session_seq=1)))[
            "epoch"
        ]
        await send(one, extended(document, [{"insert": "b"}], 1, session="s", session_seq=2), 2)
    async with connected(ada) as one:
        await one.say("subscribe", id=1, room=room, since=0, epoch=epoch, unit="codepoint")
        heard = [await one.until("operation") for _ in range(2)]
        subscribed = await one.until("subscribed")
        assert [(m["seq"], m["session"], m["session_seq"]) for m in heard] == [(1, "s", 1), (2, "s", 2)]
        assert (subscribed["seq"], subscribed["epoch"]) == (2, epoch)
        again = await send(one, extended(document, [{"insert": "b"}], 1, session="s", session_seq=2), 3)
        assert (again["type"], again["rev"], again["op_id"]) == ("operation_ack", 2, heard[1]["op_id"])
        await one.say("subscribe", id=4, room=room, since=9, epoch=epoch)
        assert (await one.until("reset"))["seq"] == 2
        await one.say("subscribe", id=5, room=room, since=1, epoch="another")
        assert (await one.until("reset"))["epoch"] == epoch


async def test_cursors_are_relayed_to_everybody_else(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, connected(ben) as other:
        pointing = {"document_id": document, "rev": 0, "unit": "utf16", "position": 3, "anchor": 5}
        refused = await one.ask("cursor", payload=pointing)
        assert refused["code"] == "not_subscribed"
        for socket in (one, other):
            await socket.ask("subscribe", room=f"document:{document}")
        await one.say("cursor", payload=pointing)
        told = await other.until("cursor")
        assert {key: told[key] for key in pointing} == pointing
        assert told["user_id"] == ada.id
        assert "seq" not in told
        assert not [m for m in await one.settle() if m["type"] == "cursor"]


async def test_documents_end_with_their_object(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada)
    async with connected(ada) as one:
        await send(one, plain(document, "Insert", 0, "a"))
        await delete_note(noted, document)
        ended = await one.until("unsubscribed")
        assert (ended["room"], ended["reason"]) == (f"document:{document}", "not_found")
        assert (await send(one, plain(document, "Insert", 0, "b"), 2))["code"] == "not_found"
    assert (await ada.get(f"/api/v1/documents/{document}")).status_code == 404
    for table in ("operations", "sessions", "snapshots"):
        assert noted.sql(f"select 1 from documents.{table} where document_id = %s", document) == []


async def test_a_document_made_anew_is_another(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada)
    async with connected(ada) as one:
        ack = await send(one, extended(document, [{"insert": "old"}], 0, session="s", session_seq=1))
        noted.sql("delete from documents.operations where document_id = %s", document)
        noted.sql(
            "update documents.documents set epoch = gen_random_uuid(), rev = 0, content = '' where id = %s",
            document,
        )
        anew = await send(
            one, extended(document, [{"insert": "n"}], 0, session="s", session_seq=1, epoch=ack["epoch"]), 2
        )
        assert (anew["code"], anew["rev"], anew["last_session_seq"]) == ("resync_required", 0, 0)
        assert anew["epoch"] != ack["epoch"]
        ack = await send(
            one, extended(document, [{"insert": "n"}], 0, session="s", session_seq=1, epoch=anew["epoch"]), 3
        )
        assert (ack["type"], ack["rev"]) == ("operation_ack", 1), ack
        assert any(m["type"] == "reset" for m in one.heard)
