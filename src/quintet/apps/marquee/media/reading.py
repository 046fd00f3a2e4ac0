"""Reading media: what a search finds, and one item by itself.

Invariant: what is here is always answered; TMDB only adds to it, and only while no connection is held.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from quintet.apps.marquee.media import queries
from quintet.apps.marquee.media.model import External, Media, MediaDetails, MediaFound
from quintet.apps.marquee.media.queries import MediaRow
from quintet.domains.catalogue import (
    ATTRIBUTION,
    GOOD_ENOUGH,
    STALE,
    Found,
    Kind,
    TmdbTrouble,
    WorkId,
    WorkNotFound,
    is_good,
    search_works,
    title_room,
    tmdb_of,
)
from quintet.kernel import json
from quintet.kernel.cache import HotAnswer
from quintet.kernel.http.call import Kernel

# How often an item in memory is looked at anew: whether it is complete by now, or old.
_LOOK_AGAIN_SECONDS: Final = 10


class _Local(msgspec.Struct, frozen=True):
    found: Found
    items: list[Media]
    is_told: bool  # whether TMDB was asked for this less than a day ago


async def media_found(
    kernel: Kernel, words: str, kinds: Sequence[Kind], offset: int, limit: int
) -> MediaFound:
    """A page of what the words mean; where little here is good, with what TMDB knows."""
    if not words:
        return MediaFound([], limit, offset, 0, "not_asked")
    local = await _local(kernel, words, kinds, offset, limit)
    external: External = "not_asked"
    if (
        tmdb_of(kernel).is_configured
        and "film" in kinds
        and offset == 0
        and sum(is_good(local.found, hit) for hit in local.found.hits) < GOOD_ENOUGH
    ):
        external = "ok"
        if not local.is_told:
            try:
                await tmdb_of(kernel).search(words)
                local = await _local(kernel, words, kinds, offset, limit)
            except TmdbTrouble:
                external = "unavailable"
    return MediaFound(local.items[:limit], limit, offset, local.found.total, external)


async def _local(kernel: Kernel, words: str, kinds: Collection[Kind], offset: int, limit: int) -> _Local:
    """What is here, with the films that TMDB last answered to these words, however they are spelt."""
    tmdb = tmdb_of(kernel)
    async with kernel.database.statement() as tx:
        told = await tmdb.remembered(tx, words) if "film" in kinds else None
        also = told.work_ids if told is not None else []
        found = await search_works(tx, words, kinds, also=also, offset=offset, most=max(limit, GOOD_ENOUGH))
        items = await queries.media_with(tx, [hit.id for hit in found.hits])
    return _Local(found, items, tmdb.is_fresh(told))


async def hot_media(kernel: Kernel, media_id: WorkId) -> HotAnswer:
    """One item, from memory while it is unchanged; raises WorkNotFound.

    A film that only a search has told of is completed first; an old one is answered and refreshed behind.
    """
    room, tmdb = title_room(media_id), tmdb_of(kernel)

    async def row() -> MediaRow:
        async with kernel.database.statement() as tx:
            found = await queries.media_row(tx, media_id, room)
        if found is None:
            raise WorkNotFound
        return found

    async def read() -> HotAnswer:
        found = await row()
        tmdb_id = found.media.tmdb_id
        if tmdb_id is not None and not found.is_complete and found.gone_at is None:
            try:
                await tmdb.complete(media_id, tmdb_id)
                found = await row()
            except TmdbTrouble:
                pass  # what is known is answered; whoever looks again asks again
        elif tmdb_id is not None and found.refreshed_at and kernel.clock.now() - found.refreshed_at > STALE:
            tmdb.complete_behind(media_id, tmdb_id)
        return HotAnswer(json.encode(_details(found)), f"{found.version}.{found.room_seq}", found.room_seq)

    look = int(kernel.clock.now().timestamp()) // _LOOK_AGAIN_SECONDS
    return await kernel.hot.get(room, f"media {look}", read)


def _details(row: MediaRow) -> MediaDetails:
    attribution = ATTRIBUTION if row.refreshed_at is not None else None
    media = {name: getattr(row.media, name) for name in Media.__struct_fields__}
    return MediaDetails(**media, attribution=attribution, gone_at=row.gone_at)
