"""Marquee's edge: leaderboard."""

from litestar.handlers import HTTPRouteHandler

LEADERBOARD_ROUTES: tuple[HTTPRouteHandler, ...] = ()
