"""From a caller's ids to posts, comments and people: missing and hidden ones look alike.

Invariant: who sees a post may like it, react to it, comment on it and play it; to others it does
not exist.
"""

from uuid import UUID

from quintet.apps.sidechain.channels.access import channel_to_see
from quintet.apps.sidechain.posts import deed_queries, queries
from quintet.apps.sidechain.posts.model import (
    CommentNotFound,
    CommentStanding,
    PersonNotFound,
    PostNotFound,
    Standing,
)
from quintet.domains.accounts import Account, account_named
from quintet.domains.social import can_see
from quintet.kernel.actor import Access, Actor
from quintet.kernel.database import Tx
from quintet.kernel.refusals import Forbidden


async def post_to_see(tx: Tx, actor: Actor, post_id: UUID) -> Standing:
    """A post the caller sees; raises PostNotFound."""
    standing = await queries.standing_seen(tx, actor.id, post_id)
    if standing is None:
        raise PostNotFound
    return standing


async def post_to_touch(tx: Tx, actor: Actor, post_id: UUID) -> Standing:
    """The same, and it stays until the transaction ends; raises PostNotFound."""
    standing = await queries.standing_seen_kept(tx, actor.id, post_id)
    if standing is None:
        raise PostNotFound
    return standing


async def post_to_delete(tx: Tx, actor: Actor, post_id: UUID) -> Standing:
    """One's own post, one in one's own channel, or anybody's for moderators.

    Raises PostNotFound, or Forbidden for who sees it only.
    """
    standing = await queries.standing(tx, post_id)
    if standing is None:
        raise PostNotFound
    if standing.user_id == actor.id or actor.access >= Access.MODERATOR:
        return standing
    await post_to_see(tx, actor, post_id)
    if standing.channel_id is None or await queries.owner_of_channel(tx, standing.channel_id) != actor.id:
        raise Forbidden("only its author, the channel's owner and moderators delete a post")
    return standing


async def comment_to_delete(tx: Tx, actor: Actor, comment_id: UUID) -> CommentStanding:
    """One's own comment, one on one's own post, or anybody's for moderators; its post stays.

    Raises CommentNotFound, or Forbidden for who sees it only.
    """
    comment = await deed_queries.comment_standing(tx, comment_id)
    if comment is None:
        raise CommentNotFound
    if actor.id in {comment.user_id, comment.post.user_id} or actor.access >= Access.MODERATOR:
        return comment
    if not await deed_queries.sees_comment(tx, actor.id, comment_id):
        raise CommentNotFound
    raise Forbidden("only its author, the post's author and moderators delete a comment")


async def check_may_post_in(tx: Tx, actor: Actor, channel_id: UUID) -> bool:
    """Whether all may see what is posted there; raises ChannelNotFound, or Forbidden for who is not in it."""
    place = await queries.lock_place(tx, actor.id, channel_id)
    await channel_to_see(tx, actor, channel_id)
    if place is None or not place.is_member:
        raise Forbidden("only members post in a channel")
    return not place.is_private


async def person_to_see(tx: Tx, actor: Actor, username: str) -> Account:
    """Somebody the caller sees; raises PersonNotFound."""
    account = await account_named(tx, username)
    if account is None or not await can_see(tx, actor.id, account.id):
        raise PersonNotFound
    return account
