"""WIGG's edge for players: who registers them, and what they send."""

from typing import Any, Final
from uuid import UUID

from litestar.params import FromPath, JSONBody

from quintet.apps.wigg.players import actions, queries
from quintet.apps.wigg.players.folding import Waiting, folding_of
from quintet.apps.wigg.players.model import (
    Binding,
    BoundMedium,
    GenericWebhook,
    Heard,
    MediumNotFound,
    NewPlayer,
    Player,
    PlayerNotFound,
    PlexForm,
    RegisteredPlayer,
    ShownPlayer,
    TooManyPlayers,
    UnmatchedMedium,
)
from quintet.apps.wigg.players.payloads import READERS
from quintet.domains.catalogue import WorkNotFound
from quintet.kernel import json
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Page, delete, get, post
from quintet.kernel.http.multipart import read_form
from quintet.kernel.limits import check_allowances
from quintet.kernel.refusals import MalformedMultipart, RateLimited, TooLarge

TAG = "WIGG"
PLAYERS = "/api/live-capture/players"
MOST_BYTES: Final = 256 * 1024
MOST_FORM_BYTES: Final = 2 * 1024 * 1024  # Plex sends posters along


@post(PLAYERS, access=Access.SIGNED_IN, tag=TAG, refusals=(TooManyPlayers,), example={}, secret=True,
      summary="Let a player tell where one is")  # fmt: skip
async def register_player(request: Call, data: JSONBody[NewPlayer]) -> Answer[RegisteredPlayer]:
    """Answer the addresses for a player's webhooks; they hold its secret, and are never told again."""
    _ = data

    async def act(tx: Tx) -> Answer[RegisteredPlayer]:
        issuer = request.kernel.settings.issuer
        return Answer(await actions.register_player(tx, request.actor, issuer))

    return await request.write(act)


@get(PLAYERS, access=Access.SIGNED_IN, tag=TAG, summary="One's players")
async def read_players(request: Call) -> Answer[Page[ShownPlayer]]:
    """Answer all of one's players, newest first, without their secrets."""
    async with request.read() as tx:
        return Answer(Page(await queries.own_players(tx, request.actor.id, actions.MOST_PLAYERS)))


@delete(f"{PLAYERS}/{{player_id:uuid}}", access=Access.SIGNED_IN, tag=TAG, refusals=(PlayerNotFound,),
        summary="Listen to a player no more")  # fmt: skip
async def remove_player(request: Call, player_id: FromPath[UUID]) -> Answer[None]:
    """Remove a player; its addresses are unknown from now on."""

    async def act(tx: Tx) -> Answer[None]:
        await actions.remove_player(tx, request.actor, player_id)
        return Answer(None)

    return await request.write(act)


@get(f"{PLAYERS}/unmatched", access=Access.SIGNED_IN, tag=TAG,
     summary="What one's players spoke of and the catalogue does not know")  # fmt: skip
async def read_unmatched(request: Call) -> Answer[Page[UnmatchedMedium]]:
    """Answer what waits for its title, newest first; at most a hundred wait."""
    async with request.read() as tx:
        return Answer(Page(await queries.unmatched_media(tx, request.actor.id, actions.MOST_WAITING)))


@post(f"{PLAYERS}/unmatched/{{medium_id:uuid}}", access=Access.SIGNED_IN, tag=TAG, status=200,
      refusals=(MediumNotFound, WorkNotFound), example={"title_id": "heat-1995"},
      summary="Say which title a medium is")  # fmt: skip
async def bind_medium(
    request: Call, medium_id: FromPath[UUID], data: JSONBody[Binding]
) -> Answer[BoundMedium]:
    """Bind a medium to a title, now and for whenever it is played again."""

    async def act(tx: Tx) -> Answer[BoundMedium]:
        return Answer(await actions.bind_medium(tx, request.actor, medium_id, data))

    return await request.write(act)


# Not counted by address: a whole household stands behind one, and a player cannot wait. Counted by player.
@post(f"{PLAYERS}/generic/{{secret:str}}", access=Access.PUBLIC, tag=TAG, status=200, limited=False,
      reads_token=False, most_bytes=MOST_BYTES, takes_json=GenericWebhook,
      refusals=(PlayerNotFound, WorkNotFound, RateLimited),
      example={"event": "progress", "title": "Heat", "year": 1995, "position_seconds": 3210},
      summary="The webhook of players nobody else speaks for")  # fmt: skip
async def hear_generic(request: Call, secret: FromPath[str]) -> Answer[Heard]:
    """Move the owner's capture. The content type does not matter; unknown fields are ignored."""
    player = await _admitted(request, secret)
    return await _hear(request, player, "generic", await request.body())


@post(f"{PLAYERS}/jellyfin/{{secret:str}}", f"{PLAYERS}/trakt/{{secret:str}}",
      f"{PLAYERS}/kodi/{{secret:str}}", access=Access.PUBLIC, tag=TAG, status=200, limited=False,
      reads_token=False, most_bytes=MOST_BYTES, takes_json=dict[str, Any],
      refusals=(PlayerNotFound, WorkNotFound, RateLimited),
      example={"action": "start", "progress": 12.5, "movie": {"title": "Heat", "year": 1995}},
      summary="A player's webhook, as its makers document it")  # fmt: skip
async def hear_player(request: Call, secret: FromPath[str]) -> Answer[Heard]:
    """Move the owner's capture. The content type does not matter: players send JSON as text, too."""
    player = await _admitted(request, secret)
    name = str(request.scope["path_template"]).split("/")[-2]
    return await _hear(request, player, name, await request.body())


@post(f"{PLAYERS}/plex/{{secret:str}}", access=Access.PUBLIC, tag=TAG, status=200, limited=False,
      reads_token=False, most_bytes=MOST_FORM_BYTES, takes_form=PlexForm,
      refusals=(PlayerNotFound, WorkNotFound, RateLimited, MalformedMultipart),
      example={"payload": '{"event": "media.pause", "Metadata": {"type": "movie", "title": "Heat"}}'},
      summary="The webhook of Plex Media Server")  # fmt: skip
async def hear_plex(request: Call, secret: FromPath[str]) -> Answer[Heard]:
    """Move the owner's capture: a form whose part `payload` is JSON; what else it holds is ignored."""
    player = await _admitted(request, secret)
    form = await read_form(request)
    return await _hear(request, player, "plex", form.file("payload").content)


async def _admitted(request: Call, secret: str) -> Player:
    """Whose secret it is; raises PlayerNotFound or RateLimited. Guessing counts against the address."""
    kernel, state = request.kernel, request.call_state
    async with kernel.database.statement() as tx:
        player = await queries.player_of(tx, actions.hash_of(secret))
    policy, key = ("anonymous", state.address) if player is None else ("player", str(player.id))
    state.allowances.append(await kernel.limits.take(policy, key, kernel.settings.limit(policy)))
    check_allowances(state.allowances)
    if player is None:
        raise PlayerNotFound
    return player


async def _hear(request: Call, player: Player, name: str, body: bytes) -> Answer[Heard]:
    if len(body) > MOST_BYTES:
        raise TooLarge(f"at most {MOST_BYTES} bytes")
    event = READERS[name](json.decode(body, dict[str, Any]))
    if event is None:
        return Answer(Heard("ignored"))
    now = folding_of(request.kernel).take(Waiting(player, name, event, request.kernel.clock.now()))

    async def act(tx: Tx) -> Answer[Heard]:
        heard = Heard("folded")
        for told in now:
            heard = await actions.hear(tx, player, name, told.event, told.at)
        return Answer(heard)

    return await request.write(act) if now else Answer(Heard("folded"))


PLAYER_ROUTES = (
    register_player, read_players, remove_player, read_unmatched, bind_medium, hear_generic, hear_player,
    hear_plex,
)  # fmt: skip
