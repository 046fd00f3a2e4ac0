"""Social: who follows whom, who asked to, and who blocked whom.

Other schemas may read three views: `social.following` (follower_id, followee_id, since), `social.privacy`
(user_id, is_private) for everybody, and `social.blocks_between` (user_id, other_id) in both directions. In a
statement they may ask `social.can_see(viewer_id, owner_id)`, in Python `can_see` and `block_between`.
"""

from quintet.domains.social.model import PrivacyChanged
from quintet.domains.social.presence import keep_telling_presence
from quintet.domains.social.queries import block_between, can_see, hidden_from
from quintet.domains.social.routes import SOCIAL_ROUTES
from quintet.domains.social.telling import FEED, keep_passing_on, tell_followers
from quintet.domains.social.transient import keep_telling_followers
from quintet.kernel.parts import Part

PART = Part(
    "social",
    routes=SOCIAL_ROUTES,
    background=(keep_passing_on, keep_telling_followers, keep_telling_presence),
    rooms={"feed": FEED},
)

__all__ = ["PART", "PrivacyChanged", "block_between", "can_see", "hidden_from", "tell_followers"]
