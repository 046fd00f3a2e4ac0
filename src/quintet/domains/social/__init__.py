"""Social: who follows whom, who asked to, and who blocked whom.

Other schemas may read three views: `social.following` (follower_id, followee_id, since), `social.privacy`
(user_id, is_private) for everybody, and `social.blocks_between` (user_id, other_id) in both directions. In a
statement they may ask `social.can_see(viewer_id, owner_id)`, in Python `can_see` and `block_between`.
"""

from quintet.domains.social.counting import FOLLOWERS, read_followers
from quintet.domains.social.model import (
    Blocked,
    FollowAsked,
    FollowAskedNoMore,
    FollowBegan,
    FollowEnded,
    FollowsAccepted,
    PrivacyChanged,
)
from quintet.domains.social.presence import keep_telling_presence
from quintet.domains.social.queries import block_between, can_see, hidden_from
from quintet.domains.social.routes import SOCIAL_ROUTES
from quintet.domains.social.telling import FEED, keep_passing_on, tell_followers
from quintet.domains.social.transient import keep_telling_followers
from quintet.kernel.live.counts import CountKind
from quintet.kernel.live.names import user_room
from quintet.kernel.parts import Part

PART = Part(
    "social",
    routes=SOCIAL_ROUTES,
    background=(keep_passing_on, keep_telling_followers, keep_telling_presence),
    rooms={"feed": FEED},
    counts={FOLLOWERS: CountKind(read_followers, user_room)},
)

__all__ = [
    "PART", "Blocked", "FollowAsked", "FollowAskedNoMore", "FollowBegan", "FollowEnded", "FollowsAccepted",
    "PrivacyChanged", "block_between", "can_see", "hidden_from", "tell_followers",
]  # fmt: skip
