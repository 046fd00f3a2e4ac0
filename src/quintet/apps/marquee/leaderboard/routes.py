"""Marquee's edge: leaderboard."""

from typing import Annotated

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from quintet.apps.marquee.leaderboard import reading
from quintet.apps.marquee.leaderboard.model import Leaderboard, Of, Period, Scope, Wanted
from quintet.apps.marquee.media.model import Genre, MediaType
from quintet.kernel.actor import Access
from quintet.kernel.http import Answer, Call, Cursor, Limit, get
from quintet.kernel.refusals import NotSignedIn

# Litestar keeps the word `scope` for itself.
Whose = Annotated[Scope, QueryParameter(name="scope", description="Whose rankings count.")]


@get("/social/leaderboard", access=Access.PUBLIC, tag="Marquee", refusals=(NotSignedIn,),
     summary="What is ranked highest, or who ranked most")  # fmt: skip
async def read_leaderboard(
    request: Call,
    of: FromQuery[Of] = "media",
    media_type: FromQuery[MediaType | None] = None,
    genre: Genre = None,
    period: FromQuery[Period] = "all",
    whose: Whose = "everyone",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Answer[Leaderboard]:
    """Answer titles by their Bayesian mean, or people by how many titles they ranked.

    `scope=following` counts those whom the signed-in caller follows, the caller not among them.
    """
    wanted = Wanted(of, media_type, genre or None, period, whose)
    if whose == "everyone" and (of == "media" or request.viewer is None):
        return await reading.hot_page(request, wanted, limit, cursor)
    return Answer(await reading.page(request, wanted, limit, cursor))


LEADERBOARD_ROUTES: tuple[HTTPRouteHandler, ...] = (read_leaderboard,)
