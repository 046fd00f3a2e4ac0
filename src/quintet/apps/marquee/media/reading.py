"""Reading media: what a search finds, and one item by itself.

Invariant: what is here is always answered; TMDB only adds to it.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from quintet.apps.marquee.media import queries
from quintet.apps.marquee.media.model import External, MediaDetails, MediaFound
from quintet.apps.marquee.media.queries import MediaRow
from quintet.domains.catalogue import Kind, WorkId, WorkNotFound, search_works, title_room
from quintet.kernel import json
from quintet.kernel.cache import HotAnswer
from quintet.kernel.http.call import Kernel

_LOOK_AGAIN_SECONDS: Final = 10


async def media_found(
    kernel: Kernel, words: str, kinds: Collection[Kind], offset: int, limit: int
) -> MediaFound:
    """A page of what the words mean."""
    if not words:
        return MediaFound([], limit, offset, 0, "not_asked")
    external: External = "not_asked"
    async with kernel.database.statement() as tx:
        found = await search_works(tx, words, kinds, offset=offset, most=limit)
        items = await queries.media_with(tx, [hit.id for hit in found.hits])
    return MediaFound(items, limit, offset, found.total, external)


async def hot_media(kernel: Kernel, media_id: WorkId) -> HotAnswer:
    """One item, from memory while it is unchanged; raises WorkNotFound."""
    room = title_room(media_id)

    async def read() -> HotAnswer:
        async with kernel.database.statement() as tx:
            row = await queries.media_row(tx, media_id, room)
        if row is None:
            raise WorkNotFound
        return HotAnswer(json.encode(_details(row)), f"{row.version}.{row.room_seq}", row.room_seq)

    return await kernel.hot.get(room, "media", read)


def _details(row: MediaRow) -> MediaDetails:
    return MediaDetails(**msgspec.structs.asdict(row.media), gone_at=row.gone_at)
