"""The addresses of posts, and what people do with them."""

from litestar.handlers import HTTPRouteHandler

POST_ROUTES: tuple[HTTPRouteHandler, ...] = ()
