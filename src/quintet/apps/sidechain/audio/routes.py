"""The addresses of audio."""

from litestar.handlers import HTTPRouteHandler

AUDIO_ROUTES: tuple[HTTPRouteHandler, ...] = ()
