"""What is refused, and what a retry is told."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tests.domains.documents.notes import READERS, WRITERS, extended, new_note, plain, send, text_of
from tests.sockets import connected
from tests.world import World


async def test_only_writers_write_and_only_readers_see(noted: World) -> None:
    ada, ben, cleo = await noted.person("ada"), await noted.person("ben"), await noted.person("cleo")
    document = await new_note(noted, ada, readers=(ben,))
    async with connected(ben) as reader, connected(cleo) as stranger:
        assert (await send(reader, plain(document, "Insert", 0, "x")))["code"] == "forbidden"
        assert (await send(stranger, plain(document, "Insert", 0, "x")))["code"] == "not_found"
        assert (await send(stranger, plain("note:nothing:text", "Insert", 0, "x"), 2))["code"] == "not_found"
        assert (await stranger.ask("subscribe", room=f"document:{document}"))["code"] == "not_found"
    async with connected(ada) as one:
        await send(one, plain(document, "Insert", 0, "x"))
        WRITERS[document.split(":")[1]].clear()  # judged again with every operation
        assert (await send(one, plain(document, "Insert", 0, "y"), 2))["code"] == "forbidden"
        READERS[document.split(":")[1]].discard(UUID(ada.id))
        assert (await send(one, plain(document, "Insert", 0, "y"), 3))["code"] == "not_found"
    assert await text_of(ben, document) == "x"


async def test_a_retry_is_told_its_first_ack(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, connected(ben) as other:
        payload = extended(document, [{"insert": "abc"}], 0, session="s", session_seq=1)
        first = await send(one, payload, 1)
        await send(other, plain(document, "Insert", 0, "x"))
        again = await send(one, payload, 2)
        named = {"id": 2, "payload": {**first["payload"], "id": 2}}
        assert again == {key: v for key, v in first.items() if key not in {"room", "seq", "at"}} | named
        reused = await send(one, extended(document, [{"insert": "abd"}], 0, session="s", session_seq=1), 3)
        assert (reused["code"], reused["last_session_seq"]) == ("seq_reused", 1)
        # The session is the user's own, and as the field is spelt by the plugin.
        operation = {
            "documentId": document,
            "operation": {"clientId": 1},
            "ops": [{"insert": "y"}],
            "base_rev": 2,
        }
        assert (await send(other, {**operation, "session": "s", "seq": 1}, 2))["session_seq"] == 1
        await send(one, extended(document, [{"insert": "c"}], 3, session="s", session_seq=2), 4)
        passed = await send(one, payload, 5)
        assert (passed["code"], passed["last_session_seq"], passed["last_rev"]) == ("seq_passed", 2, 4)
        skipped = await send(one, extended(document, [{"insert": "d"}], 4, session="s", session_seq=9), 6)
        assert (skipped["code"], skipped["last_session_seq"]) == ("resync_required", 2)
        # A refused operation uses up no number.
        bad = await send(
            one, extended(document, [{"retain": 99}, {"insert": "d"}], 4, session="s", session_seq=3), 7
        )
        assert bad["code"] == "invalid_operation"
        good = await send(one, extended(document, [{"insert": "d"}], 4, session="s", session_seq=3), 8)
        assert good["rev"] == 5
    # Also when the history it was committed to is gone.
    noted.sql("delete from documents.operations where document_id = %s", document)
    noted.sql("update documents.documents set floor_rev = 5 where id = %s", document)
    async with connected(ada) as one:
        again = await send(one, extended(document, [{"insert": "d"}], 4, session="s", session_seq=3), 8)
        assert {key: again[key] for key in again["payload"]} == good["payload"]
    assert await text_of(ada, document) == "dcyxabc"


async def test_the_order_of_judgement(noted: World) -> None:
    """Access, epoch, repeat, distance, bounds: of several things that are wrong the first is told."""
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, readers=(ben,))
    wrong: dict[str, Any] = {"epoch": "another", "session": "s", "session_seq": 1}
    async with connected(ada) as one, connected(ben) as reader:
        await send(one, extended(document, [{"insert": "abc"}], 0, session="s", session_seq=1))
        assert (await send(reader, extended(document, [{"delete": 9}], 77, **wrong)))["code"] == "forbidden"
        told = await send(one, extended(document, [{"insert": "other"}], 77, **wrong), 2)
        assert (told["code"], told["detail"]) == ("resync_required", "this is another epoch of the document")
        del wrong["epoch"]
        assert (await send(one, extended(document, [{"delete": 9}], 77, **wrong), 3))["code"] == "seq_reused"
        wrong["session_seq"] = 2
        assert (await send(one, extended(document, [{"delete": 9}], 77, **wrong), 4))[
            "code"
        ] == "resync_required"
        assert (await send(one, extended(document, [{"delete": 9}], 1, **wrong), 5))[
            "code"
        ] == "invalid_operation"


async def test_too_far_behind_is_to_read_anew(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada)
    noted.sql(
        "update documents.documents set rev = 2000, content = 'abc', floor_rev = 700 where id = %s", document
    )
    noted.sql(
        """
        insert into documents.operations (document_id, rev, op_id, user_id, op, removed, server_timestamp)
        select %s, n, gen_random_uuid(), gen_random_uuid(), '[]', '', n from generate_series(701, 2000) n
        """,
        document,
    )
    async with connected(ada) as one:
        for number, (base, code) in enumerate(
            {699: "resync_required", 999: "resync_required", 1000: None}.items()
        ):
            told = await send(one, extended(document, [{"retain": 3}, {"insert": "d"}], base), number)
            assert told.get("code") == code, (base, told)
    answer = await ada.get(f"/api/v1/documents/{document}/operations?from_rev=600")
    assert (answer.status_code, answer.json()["code"]) == (410, "history_collected")
    assert (await ada.get(f"/api/v1/documents/{document}/at/600")).json()["code"] == "history_collected"


async def test_a_deletion_is_compared_with_what_stood_there(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben, text="hello world")
    async with connected(ada) as one, connected(ben) as other:
        wrong = await send(one, plain(document, "Delete", 0, "help"))
        assert (wrong["code"], wrong["rev"]) == ("resync_required", 0)
        await send(other, extended(document, [{"retain": 2}, {"delete": 2}, {"insert": "XY"}], 0))
        # At its base it said "hello": compared there, before it is moved.
        ack = await send(one, plain(document, "Delete", 0, "hello", base_rev=0), 2)
        assert ack["type"] == "operation_ack", ack
        assert await text_of(ada, document) == "XY world"
        wrong = await send(one, plain(document, "Delete", 0, "hello", base_rev=1), 3)
        assert wrong["code"] == "resync_required"
        # A Delete may say how many instead.
        operation = {"type": "Delete", "client_id": 1, "timestamp": 1, "position": 0, "length": 2}
        ack = await send(one, {"document_id": document, "operation": operation, "base_rev": 2}, 4)
        assert ack["transformed_operation"]["content"] == "XY"


async def test_sizes_are_bounded(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada, text="\u00e9" * (512 * 1024 - 5))
    async with connected(ada) as one:
        for number, (text, code) in enumerate(
            {
                "x" * 16385: "too_large",
                "\u00e9" * 8193: "too_large",
                "x" * 11: "too_large",
                "x" * 10: None,
            }.items()
        ):
            told = await send(one, extended(document, [{"insert": text}], 0), number)
            assert told.get("code") == code, (len(text), told)
        assert (await send(one, extended(document, [{"insert": "y"}], 1), 7))["code"] == "too_large"
        gone = await send(one, extended(document, [{"delete": 4097}], 1), 8)
        assert gone["transformed_operation"]["length"] == 4097
        assert "content" not in gone["transformed_operation"]
        gone = await send(one, extended(document, [{"retain": 1}, {"delete": 2000}], 2), 9)
        assert gone["transformed_operation"]["content"] == "\u00e9" * 2000


HOSTILE: list[dict[str, Any]] = [
    {},
    {"operation": {"type": "Insert", "position": 10**30, "content": "x"}},
    {"operation": {"type": "Insert", "position": -1, "content": "x"}},
    {"operation": {"type": "Insert", "position": 1.5, "content": "x"}},
    {"operation": {"type": "Insert", "position": True, "content": "x"}},
    {"operation": {"type": "Insert", "position": 0, "content": ""}},
    {"operation": {"type": "Insert", "position": 0, "content": "a\0b"}},
    {"operation": {"type": "Insert", "position": 0, "content": "\ud800"}},
    {"operation": {"type": "Insert", "position": 999, "content": "x"}},
    {"operation": {"type": "Delete", "position": 3, "length": 999}},
    {"operation": {"type": "Delete", "position": 0, "length": -1}},
    {"operation": {"type": "Delete", "position": 0}},
    {"operation": {"type": "Replace", "position": 0, "content": "x"}},
    {"operation": {"type": ["Insert"], "position": {}, "content": []}},
    {"operation": "Insert"},
    {"operation": {"client_id": {"a": 1}}, "ops": [], "base_rev": 0},
    {"operation": {"client_id": 2**70}, "ops": [], "base_rev": 0},
    {"operation": {"timestamp": 10**400}, "ops": [], "base_rev": 0},
    {"ops": "insert", "base_rev": 0},
    {"ops": [{"retain": 1, "insert": "x"}], "base_rev": 0},
    {"ops": [{"delete": 0}], "base_rev": 0},
    {"ops": [{"insert": "x"}] * 1001, "base_rev": 0},
    {"ops": [{"retain": 4}], "base_rev": 0},
    {"ops": [{"insert": "x"}], "base_rev": -1},
    {"ops": [{"insert": "x"}], "base_rev": 2**60},
    {"ops": [{"insert": "x"}], "base_rev": 0, "session": "s"},
    {"ops": [{"insert": "x"}], "base_rev": 0, "session": "s" * 200, "session_seq": 1},
    {"ops": [{"insert": "x"}], "base_rev": 0, "session": "s", "session_seq": 0},
    {"ops": [{"insert": "x"}], "base_rev": 0, "unit": "bytes"},
    {"ops": [{"insert": "x"}], "base_rev": 0, "document_id": "note"},
    {"ops": [{"insert": "x"}], "base_rev": 0, "document_id": "x" * 5000},
    {"ops": [{"insert": "x"}], "base_rev": 0, "document_id": 7},
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
async def test_nonsense_is_refused_and_harms_nobody(noted: World, number: int) -> None:
    ada, mallory = await noted.person("ada"), await noted.person("mallory")
    document = await new_note(noted, ada, mallory, text="abc")
    async with connected(ada) as one, connected(mallory) as other:
        await other.say("operation", id="bad", payload={"document_id": document, **HOSTILE[number]})
        told, ack = await asyncio.gather(
            other.until("error"), send(one, extended(document, [{"insert": "!"}], 0))
        )
        assert told["code"] in {
            "invalid_message", "invalid_operation", "resync_required", "not_found", "seq_passed",
        }, told  # fmt: skip
        assert (ack["type"], ack["rev"]) == ("operation_ack", 1)
    assert await text_of(ada, document) == "!abc"
