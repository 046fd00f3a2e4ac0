"""Reading a feed, so that it hardly matters how many people one follows.

Invariant: both looks give the same page wherever the first one fills it; only what they cost differs.
"""

from typing import Final

from quintet.apps.marquee.feed import queries
from quintet.apps.marquee.feed.model import Behind, Told
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

# Who follows many finds a page among so many of the newest deeds; who follows few is looked up one by one.
AMONG: Final = 300


async def told_to(tx: Tx, viewer_id: UserId, behind: Behind, most: int) -> list[Told]:
    """What those did whom the viewer follows, newest first, behind a place or from the beginning."""
    found = await queries.of_followed_among_newest(tx, viewer_id, behind, AMONG, most)
    if len(found) == most:
        return found
    return await queries.of_followed(tx, viewer_id, behind, most)
