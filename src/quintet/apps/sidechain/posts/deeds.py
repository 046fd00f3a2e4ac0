"""The verbs of what people do with a post: like, react, comment, play.

Invariant: each is idempotent where it says so, keeps the post from going meanwhile, and is told with the
counts as they are from then on; of two at once the second counts on the first.
"""

from typing import Any
from uuid import UUID

from quintet.apps.sidechain.posts import access, deed_queries, rules, telling
from quintet.apps.sidechain.posts.model import (
    MOST_EMOJI,
    MOST_EMOJI_OF_POST,
    Comment,
    CommentDeleted,
    Commented,
    CommentId,
    Liked,
    NewCommentText,
    Played,
    PostLiked,
    PostUnliked,
    Reacted,
    ReactionCount,
    ReactionRemoved,
    Standing,
    TooManyReactions,
)
from quintet.domains.accounts import Account, accounts_of
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import invalid


async def like_post(tx: Tx, actor: Actor, post_id: UUID) -> Liked:
    """Like a post; again is the same."""
    post = await access.post_to_touch(tx, actor, post_id)
    is_new = await deed_queries.like(tx, post.id, actor.id)
    likes = (await deed_queries.counts(tx, post.id)).likes
    if is_new:
        own = await _own(tx, actor)
        telling.tell_deed(tx, post, actor.id, PostLiked(**_of(post, own), like_count=likes))
        tx.count(telling.LIKES, post.id)
        await telling.notify_author(tx, actor, post, "post_liked", post_text=post.text)
    return Liked(post.id, liked=True, like_count=likes)


async def unlike_post(tx: Tx, actor: Actor, post_id: UUID) -> Liked:
    """Like a post no more; again is the same."""
    post = await access.post_to_touch(tx, actor, post_id)
    was_liked = await deed_queries.unlike(tx, post.id, actor.id)
    likes = (await deed_queries.counts(tx, post.id)).likes
    if was_liked:
        own = await _own(tx, actor)
        telling.tell_deed(tx, post, actor.id, PostUnliked(**_of(post, own), like_count=likes))
        tx.count(telling.LIKES, post.id)
        await telling.withdraw(tx, actor.id, post, "post_liked")
    return Liked(post.id, liked=False, like_count=likes)


async def react(tx: Tx, actor: Actor, post_id: UUID, given: str) -> ReactionCount:
    """Give a post an emoji; again is the same. Raises TooManyReactions."""
    emoji = rules.emoji_of(given)
    post = await access.post_to_touch(tx, actor, post_id)
    await deed_queries.lock_counts(tx, post.id)  # no bound is passed by two at once
    before = await deed_queries.emoji_counts(tx, post.id, actor.id, emoji)
    if await deed_queries.has_reacted(tx, post.id, actor.id, emoji):
        return ReactionCount(emoji, before.given, own=True)
    if before.own >= MOST_EMOJI or (before.given == 0 and before.different >= MOST_EMOJI_OF_POST):
        raise TooManyReactions
    await deed_queries.react(tx, post.id, actor.id, emoji)
    own = await _own(tx, actor)
    reacted = Reacted(**_of(post, own), emoji=emoji, count=before.given + 1, reaction_count=before.all + 1)
    telling.tell_deed(tx, post, actor.id, reacted)
    await telling.notify_author(tx, actor, post, "new_reaction", emoji=emoji)
    return ReactionCount(emoji, before.given + 1, own=True)


async def take_back_reaction(tx: Tx, actor: Actor, post_id: UUID, given: str) -> None:
    """Take back an emoji one gave; again is the same."""
    emoji = rules.emoji_of(given)
    post = await access.post_to_touch(tx, actor, post_id)
    await deed_queries.lock_counts(tx, post.id)
    if not await deed_queries.take_back(tx, post.id, actor.id, emoji):
        return
    after = await deed_queries.emoji_counts(tx, post.id, actor.id, emoji)
    own = await _own(tx, actor)
    removed = ReactionRemoved(**_of(post, own), emoji=emoji, count=after.given, reaction_count=after.all)
    telling.tell_deed(tx, post, actor.id, removed)
    if not after.own:
        await telling.withdraw(tx, actor.id, post, "new_reaction")


async def comment_on_post(tx: Tx, actor: Actor, post_id: UUID, new: NewCommentText) -> Comment:
    """Say something of a post."""
    text = rules.text_of(new.text)
    if text is None:
        raise invalid("missing", "a text", pointer="/text")
    post = await access.post_to_touch(tx, actor, post_id)
    own = await _own(tx, actor)
    comment = Comment(CommentId(new_id()), post.id, own, text, tx.now)
    await deed_queries.add_comment(tx, comment.id, post.id, actor.id, text)
    comments = (await deed_queries.counts(tx, post.id)).comments
    commented = Commented(
        **_of(post, own),
        comment_id=comment.id,
        text=text,
        created_at=comment.created_at,
        comment_count=comments,
    )
    telling.tell_deed(tx, post, actor.id, commented)
    await telling.notify_author(tx, actor, post, "new_comment", comment_text=text)
    await telling.notify_mentioned(tx, actor, post, text, but={post.user_id})
    return comment


async def delete_comment(tx: Tx, actor: Actor, comment_id: UUID) -> None:
    """Delete a comment; raises CommentNotFound or Forbidden."""
    comment = await access.comment_to_delete(tx, actor, comment_id)
    post = comment.post
    if not await deed_queries.remove_comment(tx, comment.id):
        return
    comments = (await deed_queries.counts(tx, post.id)).comments
    gone = CommentDeleted(
        post_id=post.id, channel_id=post.channel_id, comment_id=comment.id, comment_count=comments
    )
    telling.tell_deed(tx, post, comment.user_id, gone)
    if not await deed_queries.has_commented(tx, post.id, comment.user_id):
        await telling.withdraw(tx, comment.user_id, post, "new_comment")


async def count_play(tx: Tx, actor: Actor, post_id: UUID) -> tuple[Played, Standing, Account]:
    """Count that somebody plays a post; of which post, and who."""
    post = await access.post_to_touch(tx, actor, post_id)
    plays = await deed_queries.count_play(tx, post.id, actor.id)
    return Played(post.id, plays), post, await _own(tx, actor)


async def _own(tx: Tx, actor: Actor) -> Account:
    return (await accounts_of(tx, [actor.id]))[0]


def _of(post: Standing, own: Account) -> dict[str, Any]:
    """What every deed tells: which post, and whose deed."""
    return {
        "post_id": post.id,
        "channel_id": post.channel_id,
        "user_id": own.id,
        "username": own.username,
        "display_name": own.display_name,
    }
