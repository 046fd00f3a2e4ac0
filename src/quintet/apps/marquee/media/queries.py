"""The statements of Marquee's media."""

from collections.abc import Collection

import msgspec

from quintet.apps.marquee.media.model import Media
from quintet.domains.catalogue import WorkId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


class MediaRow(msgspec.Struct, frozen=True):
    """A media item with what its answer is made and judged by."""

    media: Media
    version: int
    room_seq: int
    is_complete: bool
    refreshed_at: Instant | None
    gone_at: Instant | None


async def media_with(tx: Tx, ids: Collection[WorkId]) -> list[Media]:
    """The media items with these ids, in the order of the ids."""
    return await tx.all(
        Media,
        """
        select m.id, m.title, m.original_title, m.media_type, m.year, m.poster_url, m.overview, m.genres,
               m.tmdb_id, m.attributes, m.source
        from unnest($1::text[]) with ordinality as asked(id, place)
        join catalogue.media m using (id)
        order by asked.place
        """,
        list(ids),
    )


async def media_row(tx: Tx, media_id: WorkId, room: str) -> MediaRow | None:
    """One media item, the seq of its room, and how fresh TMDB's part of it is."""
    return await tx.maybe(
        lambda *row: MediaRow(Media(*row[5:]), *row[:5]),
        """
        select t.version, coalesce((select seq from kernel.room_seqs where room = $2), 0),
               coalesce(told.is_complete, true), told.refreshed_at, told.gone_at,
               m.id, m.title, m.original_title, m.media_type, m.year, m.poster_url, m.overview, m.genres,
               m.tmdb_id, m.attributes, m.source
        from catalogue.media m
        join catalogue.titles t using (id)
        left join catalogue.media_freshness told on told.work_id = m.id
        where m.id = $1
        """,
        media_id,
        room,
    )
