"""Marquee's edge: feed."""

from litestar.handlers import HTTPRouteHandler

from quintet.apps.marquee.feed.model import FeedItem
from quintet.apps.marquee.feed.reading import told_to
from quintet.kernel.actor import Access
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, get
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.live.names import feed_room


@get("/social/feed", access=Access.SIGNED_IN, tag="Marquee",
     summary="What the people you follow did, newest first")  # fmt: skip
async def read_feed(request: Call, limit: Limit = 20, cursor: Cursor = None) -> Answer[Page[FeedItem]]:
    """Answer what was ranked, moved and noted; moves of one ranking within 30 minutes are one item."""
    read = request.read_cursor(cursor)
    async with request.read() as tx:
        behind = (None, None) if read is None else (read[0], read[1])
        rows = await told_to(tx, request.actor.id, behind, limit + 1)
        seq = await room_seq(tx, feed_room(request.actor.id))
    page, place = cut(rows, limit, lambda row: [row.at.isoformat(), str(row.id)])
    items = [row.item for row in page if row.item is not None]
    return Answer(Page(items, request.next_cursor(place)), headers={"Room-Seq": request.room_seq(seq)})


FEED_ROUTES: tuple[HTTPRouteHandler, ...] = (read_feed,)
