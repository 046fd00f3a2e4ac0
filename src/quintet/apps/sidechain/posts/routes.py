"""Sidechain's edge: posts, and the lists they stand in."""

from uuid import UUID

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from quintet.apps.sidechain.audio.model import AudioNotFound
from quintet.apps.sidechain.channels.access import channel_to_see
from quintet.apps.sidechain.channels.model import ChannelNotFound, channel_room
from quintet.apps.sidechain.posts import access, actions, list_queries, showing
from quintet.apps.sidechain.posts.deed_routes import DEED_ROUTES
from quintet.apps.sidechain.posts.model import NewPost, PersonNotFound, Post, PostId, PostNotFound
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, delete, get, post
from quintet.kernel.http.paging import cut
from quintet.kernel.live.log import room_seq
from quintet.kernel.live.names import feed_room
from quintet.kernel.refusals import Forbidden

TAG = "Sidechain"
POST = "/api/v1/posts/{post_id:uuid}"


@post("/api/v1/posts", access=Access.SIGNED_IN, tag=TAG, refusals=(ChannelNotFound, AudioNotFound, Forbidden),
      example={"text": "First sketch, what do you think @ben?", "bpm": 92.5, "key": "F#m", "tags": ["lofi"]},
      summary="Post text, audio, or both")  # fmt: skip
async def create_post(request: Call, data: JSONBody[NewPost]) -> Answer[Post]:
    """Post in a channel one is in, or for one's followers; whoever is named by `@username` is notified."""

    async def act(tx: Tx) -> Answer[Post]:
        created = await actions.create_post(tx, request.kernel, request.actor, data)
        return Answer(created, location=f"/api/v1/posts/{created.id}")

    return await request.write(act)


@get(POST, access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound,), summary="A post")
async def read_post(request: Call, post_id: FromPath[UUID]) -> Answer[Post]:
    """Answer the post with its counts, and what of them is one's own."""
    async with request.read() as tx:
        found = await showing.post_shown(tx, request.kernel, request.actor.id, post_id)
        seq = None if found.channel_id is None else await room_seq(tx, channel_room(found.channel_id))
    return Answer(found, headers={} if seq is None else {"Room-Seq": request.room_seq(seq)})


@delete(POST, access=Access.SIGNED_IN, tag=TAG, refusals=(PostNotFound, Forbidden), summary="Delete a post")
async def delete_post(request: Call, post_id: FromPath[UUID]) -> Answer[None]:
    """Delete one's own post, one in one's own channel, or as a moderator any."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.delete_post(tx, request.actor, post_id))

    return await request.write(act)


@get("/api/v1/feed", access=Access.SIGNED_IN, tag=TAG,
     summary="One's own posts, those of whom one follows, and those in one's channels")  # fmt: skip
async def read_post_feed(request: Call, limit: Limit = 20, cursor: Cursor = None) -> Answer[Page[Post]]:
    """Answer posts, newest first; what a block or a private channel hides is left out."""
    async with request.read() as tx:
        found = await showing.feed_of(tx, request.actor.id, _behind(request, cursor), limit + 1)
        return await _page(request, tx, found, limit, feed_room(request.actor.id))


@get("/api/v1/channels/{channel_id:uuid}/posts", access=Access.SIGNED_IN, tag=TAG,
     refusals=(ChannelNotFound,), summary="A channel's posts, newest first")  # fmt: skip
async def read_posts_of_channel(
    request: Call, channel_id: FromPath[UUID], limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Post]]:
    """Answer the posts, without those of whom a block hides."""
    async with request.read() as tx:
        await channel_to_see(tx, request.actor, channel_id)
        found = await list_queries.of_channel(tx, channel_id, _behind(request, cursor), limit + 1)
        return await _page(request, tx, found, limit, channel_room(channel_id))


@get("/api/v1/users/{username:str}/posts", access=Access.SIGNED_IN, tag=TAG, refusals=(PersonNotFound,),
     summary="Somebody's posts, newest first")  # fmt: skip
async def read_posts_of_person(
    request: Call, username: FromPath[str], limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Post]]:
    """Answer what somebody posted that the caller sees."""
    behind = _behind(request, cursor)
    async with request.read() as tx:
        person = await access.person_to_see(tx, request.actor, username)
        found = await list_queries.of_person(tx, request.actor.id, person.id, behind, limit + 1)
        return await _page(request, tx, found, limit)


def _behind(request: Call, cursor: str | None) -> UUID | None:
    read = request.read_cursor(cursor)
    return None if read is None else UUID(read[0])


async def _page(
    request: Call, tx: Tx, found: list[PostId], limit: int, room: str | None = None
) -> Answer[Page[Post]]:
    """The page out of `limit + 1` ids; shorter where some of them are hidden from the caller."""
    page, place = cut(found, limit, lambda post_id: [str(post_id)])
    shown = await showing.posts_shown(tx, request.kernel, request.actor.id, page)
    headers = {} if room is None else {"Room-Seq": request.room_seq(await room_seq(tx, room))}
    return Answer(Page(shown, request.next_cursor(place)), headers=headers)


POST_ROUTES: tuple[HTTPRouteHandler, ...] = (
    create_post, read_post, delete_post, read_post_feed, read_posts_of_channel, read_posts_of_person,
    *DEED_ROUTES,
)  # fmt: skip
