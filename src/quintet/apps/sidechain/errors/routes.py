"""The addresses of error tracking."""

from litestar.handlers import HTTPRouteHandler

ERROR_ROUTES: tuple[HTTPRouteHandler, ...] = ()
