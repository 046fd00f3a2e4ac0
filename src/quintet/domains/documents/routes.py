"""The addresses of documents."""

from litestar.handlers import HTTPRouteHandler

DOCUMENT_ROUTES: tuple[HTTPRouteHandler, ...] = ()
