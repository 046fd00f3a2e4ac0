"""Marquee's edge: rankings."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from quintet.apps.marquee.media.model import Genre, MediaType
from quintet.apps.marquee.rankings import access, actions, list_queries
from quintet.apps.marquee.rankings.exporting import exported_list
from quintet.apps.marquee.rankings.filters import Filters, attributes_of
from quintet.apps.marquee.rankings.model import (
    AlreadyRanked,
    AnswersContradict,
    Comparison,
    ListNotFound,
    MediaNotFound,
    NeighbourGone,
    NewRanking,
    NextComparison,
    NoteChange,
    OnePlace,
    Ranking,
    RankingMove,
    RankingNotFound,
    Rankings,
    Tier,
    TierFull,
    WrongNeighbour,
)
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, delete, get, patch, post
from quintet.kernel.live.log import room_seq
from quintet.kernel.live.names import user_room

TAG = "Marquee"
RANKING = "/rankings/{ranking_id:uuid}"
PLACES = (OnePlace, WrongNeighbour, NeighbourGone, TierFull)
_SOMEBODY = "01890000-0000-7000-8000-000000000000"

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many items at most.")]
Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000, description="How many items to pass over.")]


@get("/rankings/me", access=Access.SIGNED_IN, tag=TAG,
     summary="One's own list, tier by tier, best first")  # fmt: skip
async def read_own_rankings(
    request: Call,
    tier: FromQuery[Tier | None] = None,
    genre: Genre = None,
    media_type: FromQuery[MediaType | None] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Answer[Rankings]:
    """Answer rankings; `attribute.<name>=<value>` narrows to titles with that attribute, ten at most."""
    filters = Filters(tier, genre, media_type, attributes_of(request.query_params.multi_items()))
    async with request.read() as tx:
        items, total = await list_queries.rankings_of(tx, request.actor.id, filters, limit, offset)
        seq = await room_seq(tx, user_room(request.actor.id))
    return Answer(Rankings(items, limit, offset, total), headers={"Room-Seq": request.room_seq(seq)})


@get("/rankings/me/export", access=Access.SIGNED_IN, tag=TAG, limits=("upload",),
     summary="One's own list as a file")  # fmt: skip
async def export_rankings(
    request: Call,
    format_: Annotated[
        Literal["json", "csv"],
        QueryParameter(name="format", description="JSON, which can be imported again, or CSV."),
    ] = "json",
) -> Answer[bytes]:
    """Answer the whole list: JSON as the front end keeps it, or CSV for spreadsheets."""
    async with request.read() as tx:
        file = await exported_list(tx, request.actor.id, format_)
    headers = {"Content-Disposition": f'attachment; filename="marquee-rankings.{format_}"'}
    content_type = "application/json" if format_ == "json" else "text/csv; charset=utf-8"
    return Answer(file, headers=headers, content_type=content_type)


@get("/rankings/of/{user_id:uuid}", access=Access.SIGNED_IN, tag=TAG, refusals=(ListNotFound,),
     summary="Somebody's list")  # fmt: skip
async def read_rankings_of(
    request: Call,
    user_id: FromPath[UUID],
    tier: FromQuery[Tier | None] = None,
    genre: Genre = None,
    media_type: FromQuery[MediaType | None] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Answer[Rankings]:
    """Answer the rankings of whoever lets the caller see them; takes `attribute.<name>`, too."""
    filters = Filters(tier, genre, media_type, attributes_of(request.query_params.multi_items()))
    async with request.read() as tx:
        owner_id = await access.owner_of_list(tx, request.actor, user_id)
        items, total = await list_queries.rankings_of(tx, owner_id, filters, limit, offset)
    return Answer(Rankings(items, limit, offset, total))


@get(RANKING, access=Access.SIGNED_IN, tag=TAG, refusals=(RankingNotFound,),
     summary="One's own ranking")  # fmt: skip
async def read_ranking(request: Call, ranking_id: FromPath[UUID]) -> Answer[Ranking]:
    """Answer a ranking where it stands."""
    async with request.read() as tx:
        ranking = await access.ranking_to_see(tx, request.actor, ranking_id)
        seq = await room_seq(tx, user_room(request.actor.id))
    return Answer(ranking, headers={"Room-Seq": request.room_seq(seq)})


@post("/rankings", access=Access.SIGNED_IN, tag=TAG, refusals=(MediaNotFound, AlreadyRanked, *PLACES),
      example={"media_id": "heat-1995", "tier": "A", "rank": 1, "note": "that coffee"},
      summary="Rank a title")  # fmt: skip
async def place_title(request: Call, data: JSONBody[NewRanking]) -> Answer[Ranking]:
    """Rank a title before or after another, at a rank, or at the end of the tier."""

    async def act(tx: Tx) -> Answer[Ranking]:
        ranking = await actions.place_title(tx, request.actor, data)
        return Answer(ranking, location=f"/rankings/{ranking.id}")

    return await request.write(act)


@post("/rankings/compare", access=Access.SIGNED_IN, tag=TAG, status=200,
      refusals=(MediaNotFound, AnswersContradict),
      example={"media_id": "heat-1995", "tier": "A", "answers": [{"ranking_id": _SOMEBODY, "better": True}]},
      summary="Find a title's place by comparing it")  # fmt: skip
async def compare(request: Call, data: JSONBody[Comparison]) -> Answer[NextComparison]:
    """Answer which ranking to compare the title with next, or its place; send all answers each time."""
    async with request.read() as tx:
        return Answer(await actions.compare(tx, request.actor, data))


@patch(f"{RANKING}/move", access=Access.SIGNED_IN, tag=TAG, refusals=(RankingNotFound, *PLACES),
       example={"tier": "S", "after_id": _SOMEBODY}, summary="Move one's own ranking")  # fmt: skip
async def move_ranking(
    request: Call, ranking_id: FromPath[UUID], data: JSONBody[RankingMove]
) -> Answer[Ranking]:
    """Move a ranking within its tier or to another; to where it stands changes nothing."""

    async def act(tx: Tx) -> Answer[Ranking]:
        return Answer(await actions.move_ranking(tx, request.actor, ranking_id, data))

    return await request.write(act)


@patch(RANKING, access=Access.SIGNED_IN, tag=TAG, refusals=(RankingNotFound,),
       example={"note": "better the second time"}, summary="Note something on one's own ranking")  # fmt: skip
async def note_ranking(
    request: Call, ranking_id: FromPath[UUID], data: JSONBody[NoteChange]
) -> Answer[Ranking]:
    """Write a ranking's note; null takes it away."""

    async def act(tx: Tx) -> Answer[Ranking]:
        return Answer(await actions.note_ranking(tx, request.actor, ranking_id, data))

    return await request.write(act)


@delete(RANKING, access=Access.SIGNED_IN, tag=TAG, refusals=(RankingNotFound,),
        summary="Take a title out of one's list")  # fmt: skip
async def remove_ranking(request: Call, ranking_id: FromPath[UUID]) -> Answer[None]:
    """Remove a ranking."""

    async def act(tx: Tx) -> Answer[None]:
        await actions.remove_ranking(tx, request.actor, ranking_id)
        return Answer(None)

    return await request.write(act)


RANKING_ROUTES = (
    read_own_rankings, export_rankings, read_rankings_of, read_ranking, place_title, compare, move_ranking,
    note_ranking, remove_ranking,
)  # fmt: skip
