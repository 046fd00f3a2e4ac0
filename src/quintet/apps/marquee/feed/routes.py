"""Marquee's edge: feed."""

from litestar.handlers import HTTPRouteHandler

FEED_ROUTES: tuple[HTTPRouteHandler, ...] = ()
