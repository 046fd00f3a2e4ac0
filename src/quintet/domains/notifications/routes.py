"""The addresses of notifications."""

from litestar.handlers import HTTPRouteHandler

NOTIFICATION_ROUTES: tuple[HTTPRouteHandler, ...] = ()
