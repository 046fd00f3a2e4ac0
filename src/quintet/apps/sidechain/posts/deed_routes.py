"""Sidechain's edge: what people do with posts."""

from uuid import UUID

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from quintet.apps.sidechain.channels.model import channel_room
from quintet.apps.sidechain.posts import access, deed_queries, deeds, playing
from quintet.apps.sidechain.posts.model import (
    Comment,
    CommentNotFound,
    Liked,
    NewCommentText,
    Played,
    PostNotFound,
    ReactionCount,
    TooManyReactions,
)
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, delete, get, post, put
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.refusals import Forbidden

TAG = "Sidechain"
POST = "/api/v1/posts/{post_id:uuid}"
REACTION = f"{POST}/reactions/{{emoji:str}}"


@put(f"{POST}/like", access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound,), summary="Like a post")
async def like_post(request: Call, post_id: FromPath[UUID]) -> Answer[Liked]:
    """Like; again is the same."""

    async def act(tx: Tx) -> Answer[Liked]:
        return Answer(await deeds.like_post(tx, request.actor, post_id))

    return await request.write(act)


@delete(f"{POST}/like", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=(PostNotFound,),
        summary="Like a post no more")  # fmt: skip
async def unlike_post(request: Call, post_id: FromPath[UUID]) -> Answer[Liked]:
    """Take the like back; again is the same."""

    async def act(tx: Tx) -> Answer[Liked]:
        return Answer(await deeds.unlike_post(tx, request.actor, post_id))

    return await request.write(act)


@put(REACTION, access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound, TooManyReactions),
     summary="Give a post an emoji")  # fmt: skip
async def react(request: Call, post_id: FromPath[UUID], emoji: FromPath[str]) -> Answer[ReactionCount]:
    """React with one emoji; again is the same, and one post takes several from one person."""

    async def act(tx: Tx) -> Answer[ReactionCount]:
        return Answer(await deeds.react(tx, request.actor, post_id, emoji))

    return await request.write(act)


@delete(REACTION, access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound,), summary="Take an emoji back")
async def take_back_reaction(request: Call, post_id: FromPath[UUID], emoji: FromPath[str]) -> Answer[None]:
    """Take the emoji back; again is the same."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await deeds.take_back_reaction(tx, request.actor, post_id, emoji))

    return await request.write(act)


@get(f"{POST}/comments", access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound,),
     summary="What was said of a post, newest first")  # fmt: skip
async def read_comments(
    request: Call, post_id: FromPath[UUID], limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Comment]]:
    """Answer the comments, without those of whom a block hides."""
    read = request.read_cursor(cursor)
    behind = None if read is None else UUID(read[0])
    async with request.read() as tx:
        found = await access.post_to_see(tx, request.actor, post_id)
        rows = await deed_queries.comments(tx, request.actor.id, found.id, behind, limit + 1)
        seq = None if found.channel_id is None else await room_seq(tx, channel_room(found.channel_id))
    page, place = cut(rows, limit, lambda row: [str(row.id)])
    headers = {} if seq is None else {"Room-Seq": request.room_seq(seq)}
    return Answer(Page(page, request.next_cursor(place)), headers=headers)


@post(f"{POST}/comments", access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound,),
      example={"text": "The bass is lovely, @ada"}, summary="Say something of a post")  # fmt: skip
async def comment_on_post(
    request: Call, post_id: FromPath[UUID], data: JSONBody[NewCommentText]
) -> Answer[Comment]:
    """Comment; whoever is named by `@username` is notified."""

    async def act(tx: Tx) -> Answer[Comment]:
        return Answer(await deeds.comment_on_post(tx, request.actor, post_id, data))

    return await request.write(act)


@delete("/api/v1/comments/{comment_id:uuid}", access=Access.SIGNED_IN, tag=TAG,
        refusals=(CommentNotFound, Forbidden), summary="Delete a comment")  # fmt: skip
async def delete_comment(request: Call, comment_id: FromPath[UUID]) -> Answer[None]:
    """Delete one's own comment, one on one's own post, or as a moderator any."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await deeds.delete_comment(tx, request.actor, comment_id))

    return await request.write(act)


@post(f"{POST}/play", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=(PostNotFound,),
      summary="Say that one plays a post")  # fmt: skip
async def start_playing(request: Call, post_id: FromPath[UUID]) -> Answer[Played]:
    """Tell those around; of one person a play counts once in half a minute."""
    return await playing.start_playing(request, post_id)


@post(f"{POST}/stop", access=Access.SIGNED_IN, tag=TAG, status=204, refusals=(PostNotFound,),
      summary="Say that one has stopped playing a post")  # fmt: skip
async def stop_playing(request: Call, post_id: FromPath[UUID]) -> Answer[None]:
    """Tell those around."""
    return await playing.stop_playing(request, post_id)


DEED_ROUTES: tuple[HTTPRouteHandler, ...] = (
    like_post, unlike_post, react, take_back_reaction, read_comments, comment_on_post, delete_comment,
    start_playing, stop_playing,
)  # fmt: skip
