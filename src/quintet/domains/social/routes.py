"""Social's edge: following by id and by username, requests, blocks, and one's own lists."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar.params import FromPath, JSONBody

from quintet.domains.social import access, actions, list_queries
from quintet.domains.social.list_queries import Behind
from quintet.domains.social.model import (
    Acquaintance,
    Followed,
    FollowRequest,
    FollowRequestNotFound,
    Me,
    MeChange,
    Oneself,
    PersonNotFound,
    TooManyBlocked,
    TooManyFollowed,
    TooManyWaiting,
)
from quintet.kernel.actor import Access, UserId
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, delete, get, patch, post, put
from quintet.kernel.http.paging import cut

TAG = "Social"
_FOLLOWING = (Oneself, PersonNotFound)
_ASKING = (*_FOLLOWING, TooManyFollowed, TooManyWaiting)


@post("/social/follow/{user_id:uuid}", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=_ASKING,
      summary="Follow somebody, or ask a private account to let you")  # fmt: skip
async def follow_by_id(request: Call, user_id: FromPath[UUID]) -> Answer[Followed]:
    """Follow; again is the same. A private account is asked first."""

    async def act(tx: Tx) -> Answer[Followed]:
        return Answer(await actions.follow_person(tx, request.actor, user_id))

    return await request.write(act)


@post("/api/v1/users/{username:str}/follow", access=Access.SIGNED_IN, tag=TAG, status=200, refusals=_ASKING,
      summary="Follow somebody by username, or ask a private account to let you")  # fmt: skip
async def follow_by_username(request: Call, username: FromPath[str]) -> Answer[Followed]:
    """Follow; again is the same. A private account is asked first."""

    async def act(tx: Tx) -> Answer[Followed]:
        user_id = await access.id_of(tx, username)
        return Answer(await actions.follow_person(tx, request.actor, user_id))

    return await request.write(act)


@delete("/social/follow/{user_id:uuid}", access=Access.SIGNED_IN, tag=TAG, refusals=_FOLLOWING,
        summary="Follow somebody no more, or withdraw the request")  # fmt: skip
async def unfollow_by_id(request: Call, user_id: FromPath[UUID]) -> Answer[None]:
    """Leave; again is the same. The other one is not told."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.unfollow_person(tx, request.actor, user_id))

    return await request.write(act)


@delete("/api/v1/users/{username:str}/follow", access=Access.SIGNED_IN, tag=TAG, refusals=_FOLLOWING,
        summary="Follow somebody by username no more, or withdraw the request")  # fmt: skip
async def unfollow_by_username(request: Call, username: FromPath[str]) -> Answer[None]:
    """Leave; again is the same. The other one is not told."""

    async def act(tx: Tx) -> Answer[None]:
        user_id = await access.id_of(tx, username)
        return Answer(await actions.unfollow_person(tx, request.actor, user_id))

    return await request.write(act)


@get("/api/v1/follow-requests", access=Access.SIGNED_IN, tag=TAG,
     summary="Who asks to follow you, newest first")  # fmt: skip
async def read_requests(
    request: Call, limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[FollowRequest]]:
    """Answer the requests that wait."""
    behind = _behind(request, cursor)
    async with request.kernel.database.statement() as tx:
        rows = await list_queries.requests(tx, request.actor.id, behind, limit + 1)
    page, place = cut(rows, limit, lambda row: [row.asked_at.isoformat(), str(row.id)])
    return Answer(Page(page, request.next_cursor(place)))


@post("/api/v1/follow-requests/{request_id:uuid}/accept", access=Access.SIGNED_IN, tag=TAG, status=204,
      refusals=(FollowRequestNotFound,), summary="Let somebody who asked follow you")  # fmt: skip
async def accept_request(request: Call, request_id: FromPath[UUID]) -> Answer[None]:
    """Accept; the one who asked is told."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.accept_request(tx, request.actor, request_id))

    return await request.write(act)


@post("/api/v1/follow-requests/{request_id:uuid}/decline", access=Access.SIGNED_IN, tag=TAG, status=204,
      refusals=(FollowRequestNotFound,), summary="Do not let somebody who asked follow you")  # fmt: skip
async def decline_request(request: Call, request_id: FromPath[UUID]) -> Answer[None]:
    """Decline; the one who asked is not told, and may ask again."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.decline_request(tx, request.actor, request_id))

    return await request.write(act)


@put("/api/v1/users/{username:str}/block", access=Access.SIGNED_IN, tag=TAG, status=204,
     refusals=(*_FOLLOWING, TooManyBlocked), summary="Neither see somebody nor be seen by them")  # fmt: skip
async def block(request: Call, username: FromPath[str]) -> Answer[None]:
    """Block; follows and requests between the two end."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.block_person(tx, request.actor, username))

    return await request.write(act)


@delete("/api/v1/users/{username:str}/block", access=Access.SIGNED_IN, tag=TAG, refusals=_FOLLOWING,
        summary="End a block")  # fmt: skip
async def unblock(request: Call, username: FromPath[str]) -> Answer[None]:
    """Unblock; what the block ended stays ended."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.unblock_person(tx, request.actor, username))

    return await request.write(act)


@get("/social/me", access=Access.SIGNED_IN, tag=TAG,
     summary="Whether your account is private, and its counts")  # fmt: skip
async def read_me(request: Call) -> Answer[Me]:
    """Answer privacy, followers, followed, and how many requests wait."""
    async with request.kernel.database.statement() as tx:
        return Answer(await list_queries.me(tx, request.actor.id))


@patch("/social/me", access=Access.SIGNED_IN, tag=TAG, example={"private": True},
       summary="Make your account private, or open it to all")  # fmt: skip
async def change_me(request: Call, data: JSONBody[MeChange]) -> Answer[Me]:
    """Close or open the account; opening it accepts everybody who waits."""

    async def act(tx: Tx) -> Answer[Me]:
        return Answer(await actions.set_privacy(tx, request.actor, is_private=data.private))

    return await request.write(act)


@get("/social/followers", access=Access.SIGNED_IN, tag=TAG, summary="Who follows you, newest first")
async def read_followers(
    request: Call, limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Acquaintance]]:
    """Answer one's followers."""
    return await _people(request, list_queries.followers, limit, cursor)


@get("/social/following", access=Access.SIGNED_IN, tag=TAG, summary="Whom you follow, newest first")
async def read_following(
    request: Call, limit: Limit = 20, cursor: Cursor = None
) -> Answer[Page[Acquaintance]]:
    """Answer whom one follows."""
    return await _people(request, list_queries.following, limit, cursor)


@get("/api/v1/blocks", access=Access.SIGNED_IN, tag=TAG, summary="Whom you block, newest first")
async def read_blocked(request: Call, limit: Limit = 20, cursor: Cursor = None) -> Answer[Page[Acquaintance]]:
    """Answer whom one blocks."""
    return await _people(request, list_queries.blocked, limit, cursor)


async def _people(
    request: Call,
    listed: Callable[[Tx, UserId, Behind, int], Awaitable[list[Acquaintance]]],
    limit: int,
    cursor: str | None,
) -> Answer[Page[Acquaintance]]:
    behind = _behind(request, cursor)
    async with request.kernel.database.statement() as tx:
        rows = await listed(tx, request.actor.id, behind, limit + 1)
    page, place = cut(rows, limit, lambda row: [row.since.isoformat(), str(row.user.id)])
    return Answer(Page(page, request.next_cursor(place)))


def _behind(request: Call, cursor: str | None) -> Behind:
    read = request.read_cursor(cursor)
    return (None, None) if read is None else (read[0], UUID(read[1]))


SOCIAL_ROUTES = (
    follow_by_id, follow_by_username, unfollow_by_id, unfollow_by_username,
    read_requests, accept_request, decline_request, block, unblock,
    read_me, change_me, read_followers, read_following, read_blocked,
)  # fmt: skip
