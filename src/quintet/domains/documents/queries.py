"""Statements about documents.

Invariant: `open_to_write` comes first in every transaction that writes an operation: it locks the document.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from quintet.domains.documents import history_queries
from quintet.domains.documents.copies import Answered, SessionKey
from quintet.domains.documents.model import Change, Stored
from quintet.kernel import json
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array

SNAPSHOT_EVERY: Final = 500  # revs; the past is built from the snapshot before it
_OPERATIONS = msgspec.json.Decoder(list[Stored])
_ANSWERS = msgspec.json.Decoder(list[tuple[UUID, str, int, str, Stored]])


class Opened(NamedTuple):
    """A document that is locked, and what its writer did not know of it."""

    epoch: str
    rev: int
    server_timestamp: int
    floor_rev: int
    content: str | None
    changes: list[Stored]
    sessions: dict[SessionKey, Answered]


class Document(msgspec.Struct, frozen=True):
    """A document as it is read."""

    epoch: str
    rev: int
    content: str
    server_timestamp: int
    floor_rev: int
    floor_timestamp: int
    created_at: Instant
    updated_at: Instant


async def open_to_write(
    tx: Tx, document_id: str, server_epoch: str, known: tuple[str, int], sessions: Sequence[SessionKey]
) -> Opened | None:
    """Lock the document, and read what is not known of it yet; None where there is none."""

    def opened(
        epoch: str | None,
        rev: int,
        at: int,
        floor: int,
        content: str | None,
        changes: str | None,
        acks: str | None,
    ) -> Opened | None:
        if epoch is None:
            return None
        answers = {
            (user_id, session): Answered(seq, fingerprint, ack)
            for user_id, session, seq, fingerprint, ack in (_ANSWERS.decode(acks) if acks else ())
        }
        later = _OPERATIONS.decode(changes) if changes else []
        return Opened(epoch, rev, at, floor, content, later, answers)

    return await tx.maybe(
        opened,
        """
        select epoch, rev, server_timestamp, floor_rev, content, changes, acks
        from documents.open_to_write($1, $2, $3, $4, $5::uuid[], $6::text[])
        """,
        document_id,
        server_epoch,
        *known,
        array(user_id for user_id, _ in sessions),
        [session for _, session in sessions],
    )


async def write(
    tx: Tx, document_id: str, content: str, changes: Sequence[Change], answers: dict[SessionKey, Answered]
) -> None:
    """Write the changes, the text they led to, and the newest answers of their sessions."""
    rows = [
        {
            "rev": one.rev, "op_id": one.op_id, "user_id": one.user_id, "client_id": one.client_id,
            "op": one.op, "op16": one.op16, "removed": one.removed, "client_timestamp": one.client_timestamp,
            "server_timestamp": one.server_timestamp, "session": one.session, "session_seq": one.session_seq,
            "undoes": one.undoes,
        }
        for one in (change.stored for change in changes)
    ]  # fmt: skip
    kept = [
        {
            "user_id": user_id,
            "session": session,
            "seq": one.seq,
            "fingerprint": one.fingerprint,
            "ack": one.ack,
        }
        for (user_id, session), one in answers.items()
    ]
    last = changes[-1]
    await tx.send(
        """
        with written as (
            insert into documents.operations
                (document_id, rev, op_id, user_id, client_id, op, op16, removed, client_timestamp,
                 server_timestamp, session, session_seq, undoes)
            select $1, o.* from json_to_recordset($2::json) as o(
                rev bigint, op_id uuid, user_id uuid, client_id json, op json, op16 json, removed text,
                client_timestamp double precision, server_timestamp bigint, session text, session_seq bigint,
                undoes bigint
            )
        ), answered as (
            insert into documents.sessions as kept
                (document_id, user_id, session, seq, fingerprint, ack, epoch, updated_at)
            select $1, s.*, $4, $5 from json_to_recordset($3::json) as s(
                user_id uuid, session text, seq bigint, fingerprint text, ack json
            )
            on conflict (document_id, user_id, session) do update
            set seq = excluded.seq, fingerprint = excluded.fingerprint, ack = excluded.ack,
                epoch = excluded.epoch, updated_at = excluded.updated_at
        )
        update documents.documents
        set rev = $6, content = $7, server_timestamp = $8, updated_at = $5,
            oldest_timestamp = coalesce(oldest_timestamp, $9)
        where id = $1
        """,
        document_id,
        json.encode(rows).decode(),
        json.encode(kept).decode(),
        last.epoch,
        tx.now,
        last.seq,
        content,
        last.stored.server_timestamp,
        changes[0].stored.server_timestamp,
    )
    if last.seq // SNAPSHOT_EVERY > (changes[0].seq - 1) // SNAPSHOT_EVERY:
        await history_queries.insert_snapshot(tx, document_id, last.seq, content)


async def document(tx: Tx, document_id: str, server_epoch: str) -> Document | None:
    """The document as it is."""
    return await tx.maybe(
        Document,
        """
        select documents.shown_epoch($2, epoch), rev, content, server_timestamp, floor_rev, floor_timestamp,
               created_at, updated_at
        from documents.documents
        where id = $1
        """,
        document_id,
        server_epoch,
    )


async def is_there(tx: Tx, document_id: str) -> bool:
    """Whether there is such a document."""
    return await tx.value("select exists (select from documents.documents where id = $1)", document_id)


async def insert_documents(tx: Tx, kind: str, object_id: str, ids: list[str]) -> None:
    """Begin these documents of an object: empty, at rev 0."""
    await tx.run(
        """
        insert into documents.documents (id, kind, object_id, created_at, updated_at)
        select id, $2, $3, $4, $4 from unnest($1::text[]) as id
        """,
        ids,
        kind,
        object_id,
        tx.now,
    )


async def delete_documents(tx: Tx, kind: str, object_id: str) -> list[str]:
    """Delete the documents of an object with all their history; their ids."""
    ids = await tx.all(
        lambda id_: id_,
        "delete from documents.documents where kind = $1 and object_id = $2 returning id",
        kind,
        object_id,
    )
    await tx.send("delete from documents.operations where document_id = any($1::text[])", ids)
    await tx.send("delete from documents.sessions where document_id = any($1::text[])", ids)
    await tx.send("delete from documents.snapshots where document_id = any($1::text[])", ids)
    return ids


async def ids_of_objects(tx: Tx, kind: str, object_ids: list[str], most: int) -> list[str]:
    """The documents of these objects."""
    return await tx.all(
        lambda id_: id_,
        """
        select id from documents.documents where kind = $1 and object_id = any($2::text[])
        order by id
        limit $3
        """,
        kind,
        object_ids,
        most,
    )


async def places(tx: Tx, server_epoch: str, document_ids: list[str]) -> list[tuple[str, str, int]]:
    """Epoch and rev of these documents; those that do not exist are left out."""
    return await tx.all(
        lambda id_, epoch, rev: (id_, epoch, rev),
        """
        select id, documents.shown_epoch($1, epoch), rev from documents.documents
        where id = any($2::text[])
        """,
        server_epoch,
        document_ids,
    )


async def places_beyond(tx: Tx, server_epoch: str, known: str) -> list[tuple[str, str, int]]:
    """Epoch and rev of those documents that are not where they are known to be: `[[id, epoch, rev], …]`."""
    return await tx.all(
        lambda id_, epoch, rev: (id_, epoch, rev),
        """
        select d.id, documents.shown_epoch($1, d.epoch), d.rev
        from json_array_elements($2::json) as known
        join documents.documents d on d.id = known->>0
        where d.rev > (known->>2)::bigint or documents.shown_epoch($1, d.epoch) <> known->>1
        """,
        server_epoch,
        known,
    )
