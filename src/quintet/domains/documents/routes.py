"""The addresses of documents: read one, its history, its past; undo what somebody wrote."""

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from quintet.domains.documents import access
from quintet.domains.documents.ot import Unit, utf16_length
from quintet.kernel.actor import Access
from quintet.kernel.clock import Instant
from quintet.kernel.http.answer import Answer
from quintet.kernel.http.call import Call
from quintet.kernel.http.routes import get
from quintet.kernel.refusals import NotFound

_TAG = "Documents"


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


@get("/api/v1/documents/{document_id:str}", access=Access.SIGNED_IN, tag=_TAG, refusals=(NotFound,),
     summary="A document's text, with the rev and the epoch to go on from")  # fmt: skip
async def read_document(
    request: Call, document_id: FromPath[str], unit: FromQuery[Unit] = "codepoint"
) -> Answer[DocumentShown]:
    """Answer the text as of the newest rev."""
    async with request.read() as tx:
        found = await access.document_to_read(tx, request.kernel, request.actor, document_id)
    length = len(found.content) if unit == "codepoint" else utf16_length(found.content)
    shown = DocumentShown(
        document_id, found.epoch, found.rev, found.content, length, unit, found.created_at, found.updated_at,
        found.server_timestamp or None,
    )  # fmt: skip
    place = {"Room-Seq": f"{found.epoch}:{found.rev}"}
    return Answer(shown, etag=f"{found.epoch}.{found.rev}.{unit}", headers=place)


DOCUMENT_ROUTES: tuple[HTTPRouteHandler, ...] = (read_document,)
