"""WIGG: when it gets good. Marks along titles, the pacing curves drawn from them, and the time to good."""

from quintet.apps.wigg.access import check_may_join
from quintet.apps.wigg.capture.routes import CAPTURE_ROUTES
from quintet.apps.wigg.capture.waking import keep_waking
from quintet.apps.wigg.editing.routes import EDITING_ROUTES
from quintet.apps.wigg.editing.sessions import keep_ending_sessions
from quintet.apps.wigg.milestones.routes import MILESTONE_ROUTES
from quintet.apps.wigg.players.folding import begin_folding, keep_flushing
from quintet.apps.wigg.players.routes import PLAYER_ROUTES
from quintet.apps.wigg.points_import import Imported, import_points
from quintet.apps.wigg.push.routes import PUSH_ROUTES
from quintet.apps.wigg.push.sending import keep_pushing
from quintet.apps.wigg.rebuilding import Rebuilt, rebuild_curves
from quintet.apps.wigg.routes import ROUTES
from quintet.apps.wigg.t2g import keep_computing
from quintet.apps.wigg.title_routes import TITLE_ROUTES, follow_change
from quintet.domains.catalogue import WorkChanged
from quintet.kernel.live.hub import RoomKind
from quintet.kernel.parts import Part

PART = Part(
    "wigg",
    routes=(
        *TITLE_ROUTES,
        *ROUTES,
        *EDITING_ROUTES,
        *MILESTONE_ROUTES,
        *CAPTURE_ROUTES,
        *PLAYER_ROUTES,
        *PUSH_ROUTES,
    ),
    background=(keep_computing, keep_ending_sessions, keep_waking, keep_flushing, keep_pushing),
    on_start=(begin_folding,),
    rooms={"title": RoomKind(check_may_join)},
    hears={WorkChanged: follow_change},
)

__all__ = ["PART", "Imported", "Rebuilt", "import_points", "rebuild_curves"]
