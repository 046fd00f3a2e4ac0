"""Notes: a kind of documents of the tests' own, without a table. A note lets read and write whom it names."""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from tests.sockets import Message, Socket
from tests.world import Person, World

from quintet.domains.documents import DocumentKind, create_documents, delete_documents, register_kind
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

READERS: dict[str, set[UUID]] = {}
WRITERS: dict[str, set[UUID]] = {}
MEMBERS: dict[UUID, list[str]] = {}  # whose connections hear which notes without having asked


async def readers(_tx: Tx, note: str, user_ids: Collection[UUID]) -> set[UUID]:
    return {user_id for user_id in user_ids if user_id in READERS.get(note, ())}


async def writers(_tx: Tx, note: str, user_ids: Collection[UUID]) -> set[UUID]:
    return {user_id for user_id in user_ids if user_id in WRITERS.get(note, ())}


async def heard(_tx: Tx, user_id: UserId) -> list[str]:
    return MEMBERS.get(user_id, [])


NOTE = DocumentKind(frozenset({"text"}), readers, writers, heard)


def have_notes(world: World) -> None:
    """Let the server have notes."""
    register_kind(world.kernel, "note", NOTE)


async def new_note(world: World, *people: Person, text: str = "", readers: tuple[Person, ...] = ()) -> str:
    """A note that these people write and those may read; the id of its document."""
    note = uuid4().hex[:12]
    WRITERS[note] = {UUID(one.id) for one in people}
    READERS[note] = {UUID(one.id) for one in (*people, *readers)}

    async def make(tx: Tx) -> None:
        await create_documents(tx, "note", note)

    await world.kernel.database.transact(make)
    document = f"note:{note}:text"
    if text:
        world.sql("update documents.documents set content = %s where id = %s", text, document)
    return document


async def delete_note(world: World, document: str) -> None:
    """The end of a note."""

    async def end(tx: Tx) -> None:
        await delete_documents(tx, "note", document.split(":")[1])

    await world.kernel.database.transact(end)


def plain(document: str, kind: str, position: int, content: str, **more: Any) -> dict[str, Any]:
    """The payload of an operation in the plain form."""
    operation = {
        "type": kind, "client_id": 12345, "timestamp": 1702569600, "position": position, "content": content,
    }  # fmt: skip
    return {"document_id": document, "operation": operation, **more}


def extended(document: str, ops: list[dict[str, Any]], base_rev: int, **more: Any) -> dict[str, Any]:
    """The payload of an operation in the extended form."""
    operation = {"client_id": 7, "timestamp": 1702569600}
    return {"document_id": document, "operation": operation, "ops": ops, "base_rev": base_rev, **more}


async def send(socket: Socket, payload: dict[str, Any], id_: Any = 1) -> Message:
    """Send an operation; its ack, or the error."""
    await socket.say("operation", id=id_, payload=payload)
    return await socket.until(lambda m: m.get("id") == id_)


async def text_of(person: Person, document: str) -> str:
    """The text as anybody reads it."""
    answer = await person.get(f"/api/v1/documents/{document}")
    assert answer.status_code == 200, answer.text
    return answer.json()["content"]
