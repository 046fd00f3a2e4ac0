"""Social's edge."""

from litestar.handlers import HTTPRouteHandler

SOCIAL_ROUTES: tuple[HTTPRouteHandler, ...] = ()
