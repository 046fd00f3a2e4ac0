"""Marquee's edge: media."""

from litestar.handlers import HTTPRouteHandler

MEDIA_ROUTES: tuple[HTTPRouteHandler, ...] = ()
