"""The addresses of channels and their members."""

from litestar.handlers import HTTPRouteHandler

CHANNEL_ROUTES: tuple[HTTPRouteHandler, ...] = ()
