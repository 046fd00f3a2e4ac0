"""The past of a document: its operations, its text then, undo, and what is collected."""

import asyncio
import hashlib
from datetime import timedelta

from tests.domains.documents.notes import delete_note, extended, new_note, plain, send, text_of
from tests.sockets import connected
from tests.world import World, code_of

from quintet.domains.documents.desk import QUIET_SECONDS, Desks
from quintet.domains.documents.upkeep import BEACON_SECONDS, Beacons, collect_oldest


async def test_a_document_is_read(noted: World) -> None:
    ada, stranger = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada)
    path = f"/api/v1/documents/{document}"
    empty = await ada.get(path)
    assert empty.json() | {"epoch": "", "created_at": "", "updated_at": ""} == {
        "document_id": document, "epoch": "", "rev": 0, "content": "", "length": 0, "unit": "codepoint",
        "created_at": "", "updated_at": "", "last_operation_timestamp": None,
    }  # fmt: skip
    async with connected(ada) as one:
        ack = await send(one, plain(document, "Insert", 0, "h\U0001f3b5"))
    answer = await ada.get(path)
    assert (answer.json()["rev"], answer.json()["length"]) == (1, 2)
    assert answer.json()["last_operation_timestamp"] == ack["server_timestamp"]
    assert answer.headers["room-seq"] == f"{ack['epoch']}:1"
    assert (await ada.get(path, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304
    assert (await ada.get(f"{path}?unit=utf16")).json()["length"] == 3
    assert code_of(await stranger.get(path)) == (404, "not_found")
    assert code_of(await ada.get(f"{path}?unit=bytes")) == (422, "invalid_request")
    assert code_of(await ada.get("/api/v1/documents/nothing:of:this")) == (404, "not_found")
    await delete_note(noted, document)
    assert code_of(await ada.get(path)) == (404, "not_found")


async def test_history_is_told_and_travelled(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada)
    path = f"/api/v1/documents/{document}"
    texts = [""]
    async with connected(ada) as one:
        for number in range(5):
            ack = await send(one, plain(document, "Insert", number, str(number)), number)
            texts.append(texts[-1] + str(number))
        gone = await send(one, plain(document, "Delete", 1, "12"), 9)
    items = (await ada.get(f"{path}/operations")).json()["items"]
    assert [item["rev"] for item in items] == [1, 2, 3, 4, 5, 6]
    last = items[-1]
    assert last == {
        "rev": 6, "op_id": gone["op_id"], "client_id": 12345, "user_id": ada.id, "type": "Delete",
        "position": 1,
        "content": "12", "timestamp": 1702569600, "server_timestamp": gone["server_timestamp"],
        "ops": [{"retain": 1}, {"delete": 2}], "unit": "codepoint",
    }  # fmt: skip
    page = (await ada.get(f"{path}/operations?from_rev=1&limit=2")).json()
    assert [item["rev"] for item in page["items"]] == [2, 3]
    more = (await ada.get(f"{path}/operations?from_rev=1&limit=2&cursor={page['next_cursor']}")).json()
    assert [item["rev"] for item in more["items"]] == [4, 5]
    since = (await ada.get(f"{path}/operations?from_timestamp={ack['server_timestamp']}")).json()["items"]
    assert [item["rev"] for item in since] == [6]
    assert code_of(await ada.get(f"{path}/operations?limit=1001")) == (422, "invalid_request")
    for rev, text in enumerate([*texts, "034"]):
        assert (await ada.get(f"{path}/at/{rev}")).json()["content"] == text
    for rev in ("7", "-1", "1.0", "x", "9" * 30):
        assert code_of(await ada.get(f"{path}/at/{rev}")) == (404, "not_found")


async def test_undo_and_redo(noted: World) -> None:
    ada, ben, mo = (
        await noted.person("ada"),
        await noted.person("ben"),
        await noted.person("mo", role="moderator"),
    )
    document = await new_note(noted, ada, ben, readers=(mo,))
    path = f"/api/v1/documents/{document}/undo"
    async with connected(ada) as one, connected(ben) as other:
        await other.ask("subscribe", room=f"document:{document}")
        first = await send(one, plain(document, "Insert", 0, "hello world"))
        await send(other, extended(document, [{"retain": 5}, {"insert": "!"}], 1))
        assert code_of(await ben.post(path, json={"op_id": first["op_id"]})) == (403, "forbidden")
        undone = await ada.post(path, json={"op_id": first["op_id"]})
        assert undone.status_code == 200, undone.text
        assert (undone.json()["rev"], undone.json()["ops"]) == (
            3,
            [{"delete": 5}, {"retain": 1}, {"delete": 6}],
        )
        assert await text_of(ada, document) == "!"
        for socket in (one, other):  # its author's connections, too
            assert (await socket.until(lambda m: m["type"] == "operation" and m["rev"] == 3))[
                "op_id"
            ] == undone.json()["op_id"]
        assert code_of(await ada.post(path, json={"op_id": first["op_id"]})) == (409, "already_undone")
        redone = await mo.post(path, json={"op_id": undone.json()["op_id"]})
        assert redone.status_code == 200, redone.text
        assert await text_of(ada, document) == "hello! world"
        again = await mo.post(path, json={"op_id": redone.json()["op_id"]}, headers={"Idempotency-Key": "k"})
        repeated = await mo.post(
            path, json={"op_id": redone.json()["op_id"]}, headers={"Idempotency-Key": "k"}
        )
        assert (again.json(), repeated.headers["idempotent-replayed"]) == (repeated.json(), "true")
        assert await text_of(ada, document) == "!"
        # Writing goes on behind it.
        assert (await send(one, plain(document, "Insert", 1, "?"), 2))["rev"] == 6
    assert code_of(await ada.post(path, json={"op_id": document})) == (422, "invalid_request")
    assert code_of(await ada.post(path, json={"op_id": ada.id})) == (404, "not_found")


async def test_what_two_deleted_comes_back_once(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben, text="one two three")
    async with connected(ada) as one, connected(ben) as other:
        first = await send(one, extended(document, [{"retain": 4}, {"delete": 4}], 0))
        second = await send(other, extended(document, [{"retain": 4}, {"delete": 4}], 0))
        assert second["ops"] == []
    path = f"/api/v1/documents/{document}/undo"
    answers = await asyncio.gather(
        ada.post(path, json={"op_id": first["op_id"]}),
        ben.post(path, json={"op_id": second["op_id"]}),
        *(ada.post(path, json={"op_id": first["op_id"]}) for _ in range(8)),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, *[409] * 8]
    assert await text_of(ada, document) == "one two three"


async def test_old_history_is_collected_up_to_a_text_that_is_kept(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada)
    path = f"/api/v1/documents/{document}"
    async with connected(ada) as one:
        for number in range(6):
            await send(
                one,
                extended(document, [{"insert": str(number)}], number, session="s", session_seq=number + 1),
                number,
            )
    kept = timedelta(days=30)
    noted.sql(
        "update documents.operations set server_timestamp = rev where document_id = %s and rev <= 4", document
    )
    noted.sql("update documents.documents set oldest_timestamp = 1 where id = %s", document)
    while await collect_oldest(noted.kernel, kept):
        pass
    noted.kernel.hub.rooms.pop(f"document:{document}")  # which remembers what it has told
    assert noted.sql("select rev from documents.operations where document_id = %s order by 1", document) == [
        (5,),
        (6,),
    ]
    assert code_of(await ada.get(f"{path}/operations")) == (410, "history_collected")
    assert code_of(await ada.get(f"{path}/operations?from_timestamp=3")) == (410, "history_collected")
    assert code_of(await ada.get(f"{path}/at/3")) == (410, "history_collected")
    assert [(await ada.get(f"{path}/at/{rev}")).json()["content"] for rev in (4, 5, 6)] == [
        "3210",
        "43210",
        "543210",
    ]
    assert [i["rev"] for i in (await ada.get(f"{path}/operations?from_rev=4")).json()["items"]] == [5, 6]
    async with connected(ada) as one:
        await one.say(
            "subscribe",
            id=1,
            room=f"document:{document}",
            since=2,
            epoch=(await ada.get(path)).json()["epoch"],
        )
        assert (await one.until("reset"))["seq"] == 6
        behind = await send(one, extended(document, [{"insert": "x"}], 3), 2)
        assert (behind["code"], behind["rev"]) == ("resync_required", 6)
        again = await send(one, extended(document, [{"insert": "5"}], 5, session="s", session_seq=6), 3)
        assert (again["type"], again["rev"]) == ("operation_ack", 6)


async def test_a_beacon_says_what_the_text_should_be(noted: World) -> None:
    ada = await noted.person("ada")
    document = await new_note(noted, ada)
    beacons = Beacons(noted.kernel)
    desks = noted.kernel.of_parts[Desks]
    async with connected(ada) as one:
        await one.ask("subscribe", room=f"document:{document}")
        for is_known in (True, False):
            await beacons.tell()
            ack = await send(one, plain(document, "Insert", 0, "\u00e9"), 1 + is_known)
            if not is_known:
                desks._desks.clear()
            beacons._told = {name: (at - BEACON_SECONDS, rev) for name, (at, rev) in beacons._told.items()}
            await beacons.tell()
            told = await one.until("document_state")
            text = await text_of(ada, document)
            assert (told["rev"], told["document_id"]) == (ack["rev"], document)
            assert told["hash"] == hashlib.sha256(text.encode()).hexdigest()
            await send(one, plain(document, "Insert", 0, "x"), 7)
            await beacons.tell()  # at most every ten seconds
            assert not [m for m in await one.settle() if m["type"] == "document_state"]


async def test_memory_is_given_back(noted: World) -> None:
    ada = await noted.person("ada")
    desks = noted.kernel.of_parts[Desks]
    desks.give_back()
    documents = [await new_note(noted, ada) for _ in range(20)]
    async with connected(ada) as one:
        for number, document in enumerate(documents):
            await send(one, plain(document, "Insert", 0, "x" * 1000), number)
    assert all(desks.known(document) for document in documents)
    desks.give_back()
    assert all(desks.known(document) for document in documents)
    for desk in desks._desks.values():
        desk.used_at -= QUIET_SECONDS + 1
    desks.give_back()
    assert len(desks) == 0
    assert await text_of(ada, documents[0]) == "x" * 1000
    print(f"{len(documents)} documents written and fallen quiet: 0 kept in memory")
