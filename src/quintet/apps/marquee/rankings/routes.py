"""Marquee's edge: rankings."""

from litestar.handlers import HTTPRouteHandler

RANKING_ROUTES: tuple[HTTPRouteHandler, ...] = ()
