"""Showing posts: from the ids of a page to what a caller sees of them.

Invariant: whoever does not see a post gets nothing of it, the address of its audio included.
"""

from uuid import UUID

from quintet.apps.sidechain.audio.reading import audio_of
from quintet.apps.sidechain.posts import list_queries, queries
from quintet.apps.sidechain.posts.model import Post, PostId, PostNotFound
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel

# Who follows many finds a page among so many of the newest posts; who follows few is looked up one by one.
AMONG = 300


async def posts_shown(tx: Tx, kernel: Kernel, viewer_id: UUID, post_ids: list[PostId]) -> list[Post]:
    """Of these posts those that the viewer sees, newest first."""
    if not post_ids:
        return []
    rows = await queries.posts(tx, viewer_id, post_ids)
    sounds = await audio_of(tx, kernel, [row.audio_id for row in rows if row.audio_id is not None])
    return [
        Post(
            row.id,
            row.user,
            row.channel_id,
            row.text,
            None if row.audio_id is None else sounds.get(row.audio_id),
            row.bpm,
            row.key,
            row.tags,
            row.created_at,
            row.likes,
            row.comments,
            row.reactions,
            row.plays,
            row.liked,
            row.emoji,
        )
        for row in rows
    ]


async def post_shown(tx: Tx, kernel: Kernel, viewer_id: UUID, post_id: UUID) -> Post:
    """A post, if the viewer sees it; raises PostNotFound."""
    found = await posts_shown(tx, kernel, viewer_id, [PostId(post_id)])
    if not found:
        raise PostNotFound
    return found[0]


async def feed_of(tx: Tx, viewer_id: UserId, behind: UUID | None, most: int) -> list[PostId]:
    """The newest of one's own posts, of those one follows, and in one's channels.

    Both looks give the same page wherever the first one fills it; only what they cost differs.
    """
    found = await list_queries.of_feed_among_newest(tx, viewer_id, behind, AMONG, most)
    if len(found) == most:
        return found
    return await list_queries.of_feed(tx, viewer_id, behind, most)
