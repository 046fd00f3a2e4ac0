"""Sidechain: live collaboration for music makers."""

from quintet.apps.sidechain.audio.routes import AUDIO_ROUTES
from quintet.apps.sidechain.audio.sweeping import keep_sweeping
from quintet.apps.sidechain.channels.access import CHANNEL_ROOM
from quintet.apps.sidechain.channels.clearing import keep_clearing_away
from quintet.apps.sidechain.channels.documents import register_documents
from quintet.apps.sidechain.channels.routes import CHANNEL_ROUTES
from quintet.apps.sidechain.errors.routes import ERROR_ROUTES
from quintet.apps.sidechain.errors.upkeep import errors_upkeep
from quintet.apps.sidechain.posts.routes import POST_ROUTES
from quintet.apps.sidechain.posts.telling import POST_COUNTS
from quintet.kernel.parts import Part
from quintet.kernel.sound.listening import begin_listening

PART = Part(
    "sidechain",
    routes=(*AUDIO_ROUTES, *CHANNEL_ROUTES, *POST_ROUTES, *ERROR_ROUTES),
    background=(keep_clearing_away, keep_sweeping, errors_upkeep),
    rooms={"channel": CHANNEL_ROOM},
    counts=POST_COUNTS,
    on_start=(begin_listening, register_documents),
)

__all__ = ["PART"]
