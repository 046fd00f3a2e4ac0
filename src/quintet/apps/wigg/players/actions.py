"""The verbs of players: register one, hear what it tells, say which title a medium is."""

import hashlib
import secrets as random
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.wigg.capture import actions as capture_actions
from quintet.apps.wigg.capture import queries as capture_queries
from quintet.apps.wigg.capture.model import CaptureId
from quintet.apps.wigg.capture.rules import paused
from quintet.apps.wigg.players import queries
from quintet.apps.wigg.players import rules as player_rules
from quintet.apps.wigg.players.model import (
    Binding,
    BoundMedium,
    Heard,
    MediumNotFound,
    Player,
    PlayerId,
    PlayerNotFound,
    RegisteredPlayer,
    TooManyPlayers,
)
from quintet.apps.wigg.players.payloads import READERS, PlayerEvent
from quintet.apps.wigg.players.payloads.event import media_key
from quintet.domains.catalogue import Work, WorkId, work_to_see, works_titled
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id

MOST_PLAYERS: Final = 10
MOST_WAITING: Final = 100
MOST_BOUND: Final = 1000
# What was told longer ago than this is no longer being played when somebody says which title it is.
_FRESH: Final = timedelta(minutes=30)
_BEGINS: Final = frozenset({"play", "resume"})


async def register_player(tx: Tx, actor: Actor, issuer: str) -> RegisteredPlayer:
    """Register a player: the only time its secret is told. Raises TooManyPlayers."""
    await capture_queries.lock_user(tx, actor.id)
    if await queries.count_players(tx, actor.id) >= MOST_PLAYERS:
        raise TooManyPlayers
    player_id, secret = PlayerId(new_id()), random.token_urlsafe(24)  # 192 bits
    await queries.insert_player(tx, player_id, actor.id, hash_of(secret))
    urls = {name: f"{issuer}/api/live-capture/players/{name}/{secret}" for name in READERS}
    return RegisteredPlayer(player_id, secret, urls, tx.now)


async def remove_player(tx: Tx, actor: Actor, player_id: UUID) -> None:
    """Listen to a player no more; raises PlayerNotFound."""
    if not await queries.delete_player(tx, actor.id, player_id):
        raise PlayerNotFound


def hash_of(secret: str) -> bytes:
    """What is kept of a secret; it is random, so a plain hash hides it."""
    return hashlib.sha256(secret.encode()).digest()


async def hear(tx: Tx, player: Player, name: str, event: PlayerEvent, at: Instant) -> Heard:
    """Move the owner's capture as an event says that arrived at `at`; raises WorkNotFound.

    Playing a title that nobody captures starts a capture; what the catalogue does not know waits.
    """
    await capture_queries.lock_user(tx, player.user_id)
    work = await _work_of(tx, player.user_id, name, event)
    if work is None:
        return Heard("unmatched")
    capture = await capture_queries.active_capture_locked(tx, player.user_id, work.id)
    if capture is None:
        if event.event not in _BEGINS:
            return Heard("ignored")
        capture_id = await _begin(tx, player.user_id, work, event)
        return Heard("started", capture_id)
    if capture.length_seconds is None:  # nobody knew it when the capture started
        capture = msgspec.structs.replace(capture, length_seconds=work.total_length_seconds)
    move = player_rules.heard(capture, event, at)
    if move is None:
        return Heard("unchanged", capture.id)
    await capture_actions.make_moves(tx, [move])
    return Heard("moved", capture.id)


async def bind_medium(tx: Tx, actor: Actor, medium_id: UUID, binding: Binding) -> BoundMedium:
    """Remember which title a medium is; where it is being played, capture it from there.

    Raises MediumNotFound or WorkNotFound.
    """
    await capture_queries.lock_user(tx, actor.id)
    medium = await queries.own_medium_locked(tx, actor.id, medium_id)
    if medium is None:
        raise MediumNotFound
    work = await work_to_see(tx, binding.title_id)
    await queries.bind_medium(tx, medium.id, work.id)
    await queries.forget_oldest(tx, actor.id, MOST_BOUND, waiting=False)
    active = await capture_queries.active_capture(tx, actor.id, work.id)
    if active is not None:
        return BoundMedium(medium.id, work.id, active.id)
    if medium.title_id is not None or medium.last_event == "stop" or medium.seen_at < tx.now - _FRESH:
        return BoundMedium(medium.id, work.id, None)
    length = medium.duration_seconds or work.total_length_seconds
    begun = await capture_actions.begin(tx, actor.id, work, "player", 1.0, medium.position or 0, length)
    if medium.last_event == "pause":
        await capture_actions.make_moves(tx, [paused(begun, tx.now)])
    return BoundMedium(medium.id, work.id, begun.id)


async def _begin(tx: Tx, user_id: UserId, work: Work, event: PlayerEvent) -> CaptureId:
    position = event.position(work.total_length_seconds) or 0
    length = event.duration_seconds or work.total_length_seconds
    speed = event.rate or 1.0
    return (await capture_actions.begin(tx, user_id, work, "player", speed, position, length)).id


async def _work_of(tx: Tx, user_id: UserId, name: str, event: PlayerEvent) -> Work | None:
    """The work an event speaks of: the one it names, the one its user named, or the catalogue's only one."""
    if event.title_id is not None:
        return await work_to_see(tx, event.title_id)
    medium = event.medium
    if medium is None:
        raise AssertionError("a reader's event names a title or a medium")
    key = media_key(name, medium)
    known = await queries.known_medium(tx, user_id, key)
    if known is not None and known.title_id is not None:
        return await work_to_see(tx, WorkId(known.title_id))
    titled = await works_titled(tx, player_rules.spellings(medium), medium.kind, 10)
    work = player_rules.matching(medium, titled)
    if work is not None:
        if known is not None:
            await queries.forget_medium(tx, known.id)
        return work
    last_event = "pause" if event.plays is False else event.event
    await queries.keep_waiting(
        tx,
        known.id if known else new_id(),
        user_id,
        key,
        name,
        medium,
        event.duration_seconds,
        last_event,
        event.position(None),
    )
    await queries.forget_oldest(tx, user_id, MOST_WAITING, waiting=True)
    return None
