"""Marquee: films and plays, ranked. One list per person and tier, friends' feed, and the leaderboard."""

from quintet.apps.marquee.feed.routes import FEED_ROUTES
from quintet.apps.marquee.leaderboard.counting import follow_privacy, keep_few_days
from quintet.apps.marquee.leaderboard.routes import LEADERBOARD_ROUTES
from quintet.apps.marquee.media.routes import MEDIA_ROUTES
from quintet.apps.marquee.pictures.routes import PICTURE_ROUTES
from quintet.apps.marquee.pictures.showing import begin_knowing
from quintet.apps.marquee.pictures.studio import begin_drawing, keep_tidy
from quintet.apps.marquee.rankings.importing.routes import IMPORT_ROUTES
from quintet.apps.marquee.rankings.importing.working import hang_bell, keep_importing
from quintet.apps.marquee.rankings.routes import RANKING_ROUTES
from quintet.domains.social import PrivacyChanged
from quintet.kernel.parts import Part

PART = Part(
    "marquee",
    routes=(
        *MEDIA_ROUTES,
        *RANKING_ROUTES,
        *IMPORT_ROUTES,
        *FEED_ROUTES,
        *LEADERBOARD_ROUTES,
        *PICTURE_ROUTES,
    ),
    background=(keep_tidy, keep_few_days, keep_importing),
    on_start=(begin_knowing, begin_drawing, hang_bell),
    hears={PrivacyChanged: follow_privacy},
)

__all__ = ["PART"]
