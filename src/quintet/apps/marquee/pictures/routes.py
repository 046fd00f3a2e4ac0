"""Marquee's edge: pictures."""

from litestar.handlers import HTTPRouteHandler

PICTURE_ROUTES: tuple[HTTPRouteHandler, ...] = ()
