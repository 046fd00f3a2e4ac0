"""Sidechain: live collaboration for music makers."""

from quintet.apps.sidechain.audio.routes import AUDIO_ROUTES
from quintet.apps.sidechain.channels.routes import CHANNEL_ROUTES
from quintet.apps.sidechain.errors.routes import ERROR_ROUTES
from quintet.apps.sidechain.errors.upkeep import errors_upkeep
from quintet.apps.sidechain.posts.routes import POST_ROUTES
from quintet.kernel.parts import Part

PART = Part(
    "sidechain",
    routes=(*AUDIO_ROUTES, *CHANNEL_ROUTES, *POST_ROUTES, *ERROR_ROUTES),
    background=(errors_upkeep,),
)

__all__ = ["PART"]
