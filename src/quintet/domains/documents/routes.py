"""The addresses of documents: read one, its history, its past; undo what somebody wrote."""

import re
from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.domains.documents import access, history_queries, rules
from quintet.domains.documents.model import AlreadyUndone, Change, HistoryCollected
from quintet.domains.documents.ot import Unit, utf16_length
from quintet.domains.documents.queries import Document
from quintet.domains.documents.reading import text_at
from quintet.domains.documents.rendering import Shown, shown
from quintet.domains.documents.undoing import undo_operation
from quintet.kernel.actor import Access
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Page, get, post
from quintet.kernel.refusals import Forbidden, NotFound, TooLarge

_TAG = "Documents"
_DOCUMENT = "/api/v1/documents/{document_id:str}"
_MOST_NUMBER: Final = 2**53
MOST_PAGE_BYTES: Final = 1024 * 1024  # of texts in one page of the history
Number = Annotated[int, QueryParameter(ge=0, le=_MOST_NUMBER)]
Timestamp = Annotated[
    int | None, QueryParameter(ge=0, le=_MOST_NUMBER, description="A server's timestamp, in its place.")
]
Operations = Annotated[int, QueryParameter(ge=1, le=1000, description="How many items at most.")]


class DocumentShown(msgspec.Struct, frozen=True):
    """A document as it is; `length` counts in `unit`."""

    document_id: str
    epoch: str
    rev: int
    content: str
    length: int
    unit: Unit
    created_at: Instant
    updated_at: Instant
    last_operation_timestamp: int | None


class TextThen(msgspec.Struct, frozen=True):
    """A document's text as it was at `rev`."""

    document_id: str
    epoch: str
    rev: int
    content: str
    length: int
    unit: Unit


class OperationThen(msgspec.Struct, frozen=True):
    """An operation of the history: `ops` in full, and in one step where that can say it."""

    rev: int
    op_id: UUID
    client_id: int | str | None
    user_id: UUID
    type: str
    position: int
    content: str | msgspec.UnsetType
    length: int | msgspec.UnsetType
    timestamp: float | int | None
    server_timestamp: int
    ops: list[dict[str, int | str]]
    unit: Unit


class Undoing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which operation is to be taken back."""

    op_id: UUID


def _length(text: str, unit: Unit) -> int:
    return len(text) if unit == "codepoint" else utf16_length(text)


def _place(found: Document) -> dict[str, str]:
    return {"Room-Seq": f"{found.epoch}:{found.rev}"}


@get(_DOCUMENT, access=Access.SIGNED_IN, tag=_TAG, refusals=(NotFound,),
     summary="A document's text, with the rev and the epoch to go on from")  # fmt: skip
async def read_document(
    request: Call, document_id: FromPath[str], unit: FromQuery[Unit] = "codepoint"
) -> Answer[DocumentShown]:
    """Answer the text as of the newest rev."""
    async with request.read() as tx:
        found = await access.document_to_read(tx, request.kernel, request.actor, document_id)
    body = DocumentShown(
        document_id, found.epoch, found.rev, found.content, _length(found.content, unit), unit,
        found.created_at, found.updated_at, found.server_timestamp or None,
    )  # fmt: skip
    return Answer(body, etag=f"{found.epoch}.{found.rev}.{unit}", headers=_place(found))


@get(f"{_DOCUMENT}/operations", access=Access.SIGNED_IN, tag=_TAG, refusals=(NotFound, HistoryCollected),
     summary="What was done to a document after a rev, or after a server's timestamp")  # fmt: skip
async def list_document_operations(
    request: Call,
    document_id: FromPath[str],
    from_rev: Number = 0,
    from_timestamp: Timestamp = None,
    limit: Operations = 100,
    cursor: Cursor = None,
    unit: FromQuery[Unit] = "codepoint",
) -> Answer[Page[OperationThen]]:
    """Answer the operations in the order of their revs."""
    place = request.read_cursor(cursor, from_rev, from_timestamp, unit)
    async with request.read() as tx:
        found = await access.document_to_read(tx, request.kernel, request.actor, document_id)
        if place is not None:
            after: int = place[0]
        elif from_timestamp is not None:
            after = await _rev_at(tx, document_id, found, from_timestamp)
        else:
            after = from_rev
        if after < found.floor_rev:
            raise HistoryCollected
        upto = min(found.rev, after + limit)
        changes = _cut(await history_queries.changes_between(tx, document_id, found.epoch, after, upto))
    last = changes[-1].seq if changes else found.rev
    more = request.next_cursor([last] if last < found.rev else None, from_rev, from_timestamp, unit)
    return Answer(Page([_then(change, unit) for change in changes], more), headers=_place(found))


async def _rev_at(tx: Tx, document_id: str, found: Document, timestamp: int) -> int:
    if timestamp < found.floor_timestamp:
        raise HistoryCollected
    return await history_queries.rev_at(tx, document_id, found.floor_rev, found.rev, timestamp)


def _cut(changes: Sequence[Change]) -> Sequence[Change]:
    """As many of the changes as may be answered at once; at least one."""
    size = 0
    for place, change in enumerate(changes):
        size += rules.octets(change.stored.removed) + rules.octets(rules.inserted(change.stored.op))
        if size > MOST_PAGE_BYTES and place:
            return changes[:place]
    return changes


def _then(change: Change, unit: Unit) -> OperationThen:
    told = shown(change, unit)
    plain = told.transformed_operation
    return OperationThen(
        told.rev, told.op_id, told.client_id, told.user_id, plain.type, plain.position, plain.content,
        plain.length, plain.timestamp, told.server_timestamp, told.ops, unit,
    )  # fmt: skip


@get(f"{_DOCUMENT}/at/{{rev:str}}", access=Access.SIGNED_IN, tag=_TAG, refusals=(NotFound, HistoryCollected),
     summary="A document's text as it was at a rev")  # fmt: skip
async def read_document_then(
    request: Call, document_id: FromPath[str], rev: FromPath[str], unit: FromQuery[Unit] = "codepoint"
) -> Answer[TextThen]:
    """Answer the text as it was."""
    if not re.fullmatch(r"[0-9]{1,15}", rev):
        raise NotFound
    then = int(rev)
    async with request.read() as tx:
        found = await access.document_to_read(tx, request.kernel, request.actor, document_id)
        text = found.content if then == found.rev else await text_at(tx, document_id, found, then)
    body = TextThen(document_id, found.epoch, then, text, _length(text, unit), unit)
    return Answer(body, etag=f"{found.epoch}.{then}.{unit}")


@post(f"{_DOCUMENT}/undo", access=Access.SIGNED_IN, tag=_TAG, status=200,
      refusals=(NotFound, Forbidden, AlreadyUndone, TooLarge),
      example={"op_id": "01985b6e-7a3c-7c1d-9f2e-0a1b2c3d4e5f"},
      summary="Undo an operation of one's own (moderators: anybody's); undoing an undo is redo")  # fmt: skip
async def undo_document_operation(
    request: Call,
    document_id: FromPath[str],
    data: JSONBody[Undoing],
    unit: FromQuery[Unit] = "codepoint",
) -> Answer[Shown]:
    """Take back what the operation did, as it stands now; answers what an ack carries."""

    async def act(tx: Tx) -> Answer[Shown]:
        change = await undo_operation(tx, request.kernel, request.actor, document_id, data.op_id)
        return Answer(shown(change, unit))

    return await request.write(act)


DOCUMENT_ROUTES: tuple[HTTPRouteHandler, ...] = (
    read_document,
    list_document_operations,
    read_document_then,
    undo_document_operation,
)
