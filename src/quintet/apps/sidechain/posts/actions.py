"""The verbs of posts: post, and delete.

Invariant: what is posted in a channel is told in the channel, anything else to its author's followers.
"""

from uuid import UUID

import msgspec

from quintet.apps.sidechain.audio.reading import check_own_audio
from quintet.apps.sidechain.posts import access, queries, rules, showing, telling
from quintet.apps.sidechain.posts.model import NewPost, Post, PostDeleted, PostId, Standing
from quintet.domains.notifications import withdraw_object
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import invalid


async def create_post(tx: Tx, kernel: Kernel, actor: Actor, new: NewPost) -> Post:
    """Post text, audio of one's own, or both; in a channel one is in, or outside."""
    new = msgspec.structs.replace(
        new, text=rules.text_of(new.text), key=rules.key_of(new.key), tags=rules.tags_of(new.tags)
    )
    if new.text is None and new.audio_id is None:
        raise invalid("missing", "text, audio_id, or both", pointer="/text")
    is_open = new.channel_id is None or await access.check_may_post_in(tx, actor, new.channel_id)
    if new.audio_id is not None:
        await check_own_audio(tx, actor, new.audio_id)
    post_id = PostId(new_id())
    await queries.add_post(tx, post_id, actor.id, new.channel_id, new, is_open=is_open)
    post = await showing.post_shown(tx, kernel, actor.id, post_id)
    standing = Standing(post.id, actor.id, post.channel_id, post.text)
    await telling.tell_where_it_lives(tx, standing, telling.created(post))
    await telling.notify_mentioned(tx, actor, standing, post.text)
    return post


async def delete_post(tx: Tx, actor: Actor, post_id: UUID) -> None:
    """Delete a post with all that hangs on it; raises PostNotFound or Forbidden."""
    post = await access.post_to_delete(tx, actor, post_id)
    if await queries.remove_post(tx, post.id):
        gone = PostDeleted(post_id=post.id, channel_id=post.channel_id)
        await telling.tell_where_it_lives(tx, post, gone)
        await withdraw_object(tx, post.id)
