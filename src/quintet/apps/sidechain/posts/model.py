"""The words of posts: what one is, what people do with it, what is told of that, and what can be refused.

Invariant: what is told of a post carries its counts as they are from then on, so old state and events are the
new state.
"""

from typing import Annotated, Final, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

from quintet.apps.sidechain.audio.model import Audio
from quintet.apps.sidechain.channels.model import ChannelId
from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound

PostId = NewType("PostId", UUID)
CommentId = NewType("CommentId", UUID)
MOST_TEXT: Final = 5_000  # characters of a post
MOST_COMMENT: Final = 2_000
MOST_TAGS: Final = 10
MOST_TAG: Final = 32
MOST_EMOJI: Final = 20  # that one gives one post
MOST_EMOJI_OF_POST: Final = 50  # different ones; each is a row that every reading of the post shows


class ReactionCount(msgspec.Struct, frozen=True):
    """How many gave a post this emoji, and whether the viewer is one of them."""

    emoji: str
    count: int
    own: bool


class Post(msgspec.Struct, frozen=True):
    """A post as somebody sees it: `liked` and each reaction's `own` are the viewer's."""

    id: PostId
    user: Account
    channel_id: ChannelId | None
    text: str | None
    audio: Audio | None
    bpm: float | None
    key: str | None
    tags: list[str]
    created_at: Instant
    like_count: int
    comment_count: int
    reaction_count: int
    play_count: int
    liked: bool
    reactions: list[ReactionCount]


class NewPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to be posted: text, audio of one's own, or both."""

    text: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    audio_id: UUID | None = None
    channel_id: UUID | None = None
    bpm: Annotated[float, Meta(ge=20, le=999)] | None = None
    key: Annotated[str, Meta(max_length=20)] | None = None
    tags: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=100)] = []


class Comment(msgspec.Struct, frozen=True):
    """What somebody said of a post."""

    id: CommentId
    post_id: PostId
    user: Account
    text: str
    created_at: Instant


class NewCommentText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to be said of a post."""

    text: Annotated[str, Meta(max_length=MOST_COMMENT)]


class Liked(msgspec.Struct, frozen=True):
    """How a like stands after the call."""

    post_id: PostId
    liked: bool
    like_count: int


class Played(msgspec.Struct, frozen=True):
    """How often a post was played."""

    post_id: PostId
    play_count: int


class Standing(msgspec.Struct, frozen=True):
    """What decides who may do what with a post, and what is quoted of it."""

    id: PostId
    user_id: UserId
    channel_id: ChannelId | None
    text: str | None


class CommentStanding(msgspec.Struct, frozen=True):
    """A comment with its post, for whoever would delete it."""

    id: CommentId
    user_id: UserId
    post: Standing


class PostNotFound(NotFound):
    """There is no such post."""

    code = "not_found"


class CommentNotFound(NotFound):
    """There is no such comment."""

    code = "not_found"


class PersonNotFound(NotFound):
    """There is no such person."""

    code = "not_found"


class TooManyReactions(Conflict):
    """A post takes 20 different emoji from one person, and 50 from all together."""


class PostCreated(Event, frozen=True, kw_only=True, tag="new_post"):
    """Told in the post's channel; outside channels to the author's followers."""

    doubled = True

    post_id: PostId
    channel_id: ChannelId | None
    user_id: UserId
    post: Post


class PostDeleted(Event, frozen=True):
    """Told where the post was told."""

    post_id: PostId
    channel_id: ChannelId | None


class OfPost(Event, frozen=True):
    """What somebody did with a post: told to its author, in its channel, and to the doer's other tabs."""

    doubled = True

    post_id: PostId
    channel_id: ChannelId | None
    user_id: UserId
    username: str
    display_name: str


class PostLiked(OfPost, frozen=True):
    """Somebody likes the post."""

    like_count: int


class PostUnliked(OfPost, frozen=True):
    """Somebody likes it no more."""

    like_count: int


class Reacted(OfPost, frozen=True, kw_only=True, tag="new_reaction"):
    """Somebody gave the post an emoji; `count` have given it this one."""

    emoji: str
    count: int
    reaction_count: int


class ReactionRemoved(OfPost, frozen=True):
    """Somebody took an emoji back."""

    emoji: str
    count: int
    reaction_count: int


class Commented(OfPost, frozen=True, kw_only=True, tag="new_comment"):
    """Somebody said something of the post."""

    comment_id: CommentId
    text: str
    created_at: Instant
    comment_count: int


class CommentDeleted(Event, frozen=True):
    """Told where the comment was told."""

    post_id: PostId
    channel_id: ChannelId | None
    comment_id: CommentId
    comment_count: int
