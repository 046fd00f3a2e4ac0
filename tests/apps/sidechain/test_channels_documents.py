"""A channel's documents: born and gone with it, read by who sees it, written by its members."""

from typing import Any

from tests.apps.sidechain.cast import CHANNELS, block, open_channel, people
from tests.sockets import Socket, connected
from tests.world import World, code_of

DOCUMENTS = "/api/v1/documents"


async def write(socket: Socket, document_id: str, text: str, rev: int = 0) -> dict[str, Any]:
    operation = {"type": "Insert", "client_id": 7, "timestamp": 1702569600, "position": 0, "content": text}
    payload = {"document_id": document_id, "operation": operation, "base_rev": rev}
    await socket.say("operation", id=f"op {text}", payload=payload)
    return await socket.until(lambda m: m.get("id") == f"op {text}")


async def test_documents_live_as_long_as_their_channel(live: World) -> None:
    ada, ben, cleo, dan = await people(live, "ada", "ben", "cleo", "dan")
    channel = await open_channel(ada, ben)
    await block(ada, dan)
    description, notes = [f"channel:{channel}:{field}" for field in ("description", "notes")]
    for document in (description, notes):
        read = (await cleo.get(f"{DOCUMENTS}/{document}")).json()
        assert (read["rev"], read["content"]) == (0, "")
        assert code_of(await dan.get(f"{DOCUMENTS}/{document}")) == (404, "not_found")
    for none in (f"channel:{channel}:title", f"channel:{channel.upper()}:notes", "channel:x:notes"):
        assert code_of(await ada.get(f"{DOCUMENTS}/{none}")) == (404, "not_found")
    async with connected(ben) as bens, connected(cleo) as cleos, connected(dan) as dans:
        assert (await write(bens, notes, "hello"))["type"] == "operation_ack"
        assert (await write(cleos, notes, "me too"))["code"] == "forbidden"
        assert (await write(dans, notes, "me too"))["code"] == "not_found"
        assert (await cleos.ask("subscribe", room=f"document:{notes}"))["seq"] == 1
        await ada.patch(f"{CHANNELS}/{channel}", json={"private": True})
        gone = await cleos.until("unsubscribed")
        assert (gone["room"], gone["reason"]) == (f"document:{notes}", "not_found")
        assert code_of(await cleo.get(f"{DOCUMENTS}/{notes}")) == (404, "not_found")
        assert (await ben.get(f"{DOCUMENTS}/{notes}")).json()["content"] == "hello"
        assert (await ada.delete(f"{CHANNELS}/{channel}")).status_code == 204
        assert (await write(bens, notes, "more", rev=1))["code"] == "not_found"
    for document in (description, notes):
        assert code_of(await ada.get(f"{DOCUMENTS}/{document}")) == (404, "not_found")
    assert live.sql("select 1 from documents.documents where object_id = %s", channel) == []


async def test_members_hear_documents_without_asking_as_long_as_they_are_in(live: World) -> None:
    ada, ben = await people(live, "ada", "ben")
    async with connected(ben) as bens, connected(ada) as adas:
        channel = await open_channel(ada, ben, private=True)
        notes = f"channel:{channel}:notes"
        await bens.until("member_joined")
        rev = 0
        while not [one for one in await bens.settle() if one["type"] == "operation"]:
            await write(adas, notes, f"{rev} ", rev)  # until the node has looked what there is to overhear
            rev += 1
        assert (await ada.delete(f"{CHANNELS}/{channel}/members/{ben.id}")).status_code == 204
        await bens.until("member_left")
        assert (await write(bens, notes, "still here?", rev))["code"] == "not_found"


async def test_a_last_member_who_leaves_takes_the_documents_along(live: World) -> None:
    (ada,) = await people(live, "ada")
    channel = await open_channel(ada)
    assert (await ada.post(f"{CHANNELS}/{channel}/leave")).status_code == 204
    assert live.sql("select 1 from documents.documents where object_id = %s", channel) == []
