"""The edge for files: one address, for whoever was told it."""

from typing import Annotated, Final
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from quintet.kernel.actor import Access
from quintet.kernel.files import queries
from quintet.kernel.files.serving import FileAnswer
from quintet.kernel.files.signing import STEP, signed_for
from quintet.kernel.http.answer import Answer
from quintet.kernel.http.call import Call
from quintet.kernel.http.routes import get
from quintet.kernel.limits import check_allowances
from quintet.kernel.refusals import Gone, NotFound, RangeNotSatisfiable, RateLimited

_POLICY: Final = "file"


class FileNotFound(NotFound):
    """There is no file at this address, or it was changed on the way."""

    code = "not_found"


class LinkExpired(Gone):
    """This address has run out: ask for a new one where you had it from."""


@get("/files/{file_id:str}", access=Access.PUBLIC, tag="Files", reads_token=False, limited=False,
     refusals=(FileNotFound, LinkExpired, RangeNotSatisfiable, RateLimited),
     answers=("application/octet-stream",), summary="A file, by the address another answer told")  # fmt: skip
async def read_file(
    request: Call,
    file_id: FromPath[str],
    expires: Annotated[str | None, QueryParameter(description="when the address runs out")] = None,
    signature: Annotated[str | None, QueryParameter(description="what only we can have written")] = None,
) -> Answer[bytes]:
    """Answer the file, or a part of it by `Range`; without a token, which `<audio>` could not send."""
    kernel, state = request.kernel, request.call_state
    # Not the limit of anonymous callers: a page of songs asks for many parts in a minute.
    state.allowances.append(await kernel.limits.take(_POLICY, state.address, kernel.settings.limit(_POLICY)))
    check_allowances(state.allowances)
    if not signed_for(kernel.secrets, file_id, expires or "", signature or ""):
        raise FileNotFound
    left = int(expires or "") - int(kernel.clock.now().timestamp())
    if left <= 0:
        raise LinkExpired
    async with kernel.database.statement() as tx:
        file = await queries.file(tx, UUID(file_id))
    if file is None:
        raise FileNotFound
    return FileAnswer(file, max_age_seconds=min(left, int(STEP.total_seconds())))


FILE_ROUTES = (read_file,)
