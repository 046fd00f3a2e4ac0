"""Marquee's edge for media: finding films and plays, looking at one, entering one by hand."""

from typing import Annotated, Final

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.apps.marquee.media import actions, queries, reading
from quintet.apps.marquee.media.model import (
    KIND_OF,
    LooksLike,
    Media,
    MediaDetails,
    MediaFound,
    MediaType,
    NewStub,
)
from quintet.domains.catalogue import Kind, WorkId, WorkNotFound, is_work_id
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Limit, get, post

TAG: Final = "Marquee"
MOST_OFFSET: Final = 10_000
Query = Annotated[str, QueryParameter(name="q", max_length=200, description="A title, or nearly so.")]
Offset = Annotated[int, QueryParameter(ge=0, le=MOST_OFFSET, description="How many items to leave out.")]
_STUB = {
    "title": "Die Physiker", "media_type": "PLAY", "year": 1962,
    "attributes": {"playwright": "Friedrich Dürrenmatt", "genres": ["Satire"]},
}  # fmt: skip


@get("/media/search", access=Access.PUBLIC, tag=TAG, summary="Films and plays by title, misspelt or not")
async def search_media(
    request: Call,
    words: Query,
    media_type: FromQuery[MediaType | None] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Answer[MediaFound]:
    """Answer what the title means, the best first; where little here does, TMDB is asked for films."""
    kinds: list[Kind] = [kind for name, kind in KIND_OF.items() if media_type in {None, name}]
    return Answer(await reading.media_found(request.kernel, words.strip(), kinds, offset, limit))


@get("/media/{media_id:str}", access=Access.PUBLIC, tag=TAG, refusals=(WorkNotFound,),
     summary="One film or play")  # fmt: skip
async def read_media(request: Call, media_id: FromPath[str]) -> Answer[MediaDetails]:
    """Answer a film or a play; a film that only a search has told of is completed first."""
    if not is_work_id(media_id):
        raise WorkNotFound
    return request.answer_hot(await reading.hot_media(request.kernel, WorkId(media_id)))


@post("/media/create_stub", access=Access.SIGNED_IN, tag=TAG, refusals=(LooksLike,), example=_STUB,
      summary="Enter a film or play by hand")  # fmt: skip
async def create_stub(request: Call, data: JSONBody[NewStub]) -> Answer[Media]:
    """Enter a film or play, unless it looks like one that is here."""

    async def act(tx: Tx) -> Answer[Media]:
        work_id = await actions.create_stub(tx, request.actor, data)
        (media,) = await queries.media_with(tx, [work_id])
        return Answer(media, location=f"/media/{work_id}", etag="1.0")

    return await request.write(act)


MEDIA_ROUTES = (search_media, read_media, create_stub)
