"""Reading a leaderboard: which statement answers which wish, and which answers are held in memory.

Invariant: only what is the same for every caller is held; it is never older than this node's last write.
"""

from hashlib import blake2b

from quintet.apps.marquee.leaderboard import media_queries, people_queries
from quintet.apps.marquee.leaderboard.model import LEADERBOARD, Behind, Leaderboard, Place, Wanted
from quintet.apps.marquee.leaderboard.rules import days_of
from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call
from quintet.kernel.http.paging import cut
from quintet.kernel.refusals import NotSignedIn


async def places(tx: Tx, viewer_id: UserId | None, wanted: Wanted, behind: Behind, most: int) -> list[Place]:
    """The places of a leaderboard, behind one of them or from the top."""
    days = days_of(wanted.period, tx.now)
    if wanted.scope == "following" and viewer_id is not None:
        followed = (
            media_queries.best_media_of_followed
            if wanted.of == "media"
            else people_queries.busiest_of_followed
        )
        return await followed(tx, viewer_id, wanted, days, behind, most)
    if wanted.of == "media":
        best = media_queries.best_media if days.first is None else media_queries.best_media_of_days
        return await best(tx, wanted, days, behind, most)
    if wanted.media_type or wanted.genre:
        busiest = people_queries.busiest_with_some_titles
    else:
        busiest = people_queries.busiest if days.first is None else people_queries.busiest_of_days
    return await busiest(tx, viewer_id, wanted, days, behind, most)


async def page(request: Call, wanted: Wanted, limit: int, cursor: str | None) -> Leaderboard:
    """One page of a leaderboard; raises InvalidCursor, and NotSignedIn where the caller must be known."""
    viewer = request.viewer
    if wanted.scope == "following" and viewer is None:
        raise NotSignedIn
    read = request.read_cursor(cursor, wanted)
    behind: Behind = (None, None, None) if read is None else (read[0], read[1], read[2])
    async with request.read() as tx:
        rows = await places(tx, viewer and viewer.id, wanted, behind, limit + 1)
        prior = await media_queries.prior(tx)
    items, place = cut(rows, limit, _sort_key)
    return Leaderboard(items, request.next_cursor(place, wanted), prior)


def _sort_key(place: Place) -> list[object]:
    id_ = place.media.id if place.media else str(place.user.id) if place.user else ""
    return [place.score, place.count, id_]


async def hot_page(request: Call, wanted: Wanted, limit: int, cursor: str | None) -> Answer[Leaderboard]:
    """The same, from memory; for what every caller sees alike."""

    async def read() -> tuple[bytes, str]:
        found = await page(request, wanted, limit, cursor)
        # The cursor holds the time and would make a tag of its own every second; the hour is in it, so that
        # nobody keeps a cursor that has run out.
        told = json.encode([found.items, found.prior, request.kernel.clock.now().isoformat()[:13]])
        return json.encode(found), blake2b(told, digest_size=12).hexdigest()

    key = f"{wanted} {limit} {cursor or ''}"
    hot = await request.kernel.hot.of_subject(LEADERBOARD, key, read)
    return Answer(hot.body, etag=hot.etag, max_age_seconds=1)  # pyright: ignore[reportReturnType]
