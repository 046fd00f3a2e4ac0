"""The words of players: who may tell where somebody is, what they told, and what can be refused."""

from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

import msgspec

from quintet.apps.wigg.capture.model import CaptureId
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.refusals import Conflict, NotFound

PlayerId = NewType("PlayerId", UUID)
HeardOutcome = Literal["started", "moved", "unchanged", "folded", "unmatched", "ignored"]


class Player(msgspec.Struct, frozen=True):
    """A player as its webhook is known by."""

    id: PlayerId
    user_id: UserId


class NewPlayer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A player to be registered: nothing need be said of it."""


class RegisteredPlayer(msgspec.Struct, frozen=True):
    """A new player; its secret, which the addresses contain, is told only here."""

    id: PlayerId
    secret: str
    urls: dict[str, str]
    created_at: datetime


class ShownPlayer(msgspec.Struct, frozen=True):
    """A player as its owner sees it."""

    id: PlayerId
    created_at: datetime


class UnmatchedMedium(msgspec.Struct, frozen=True):
    """What a player spoke of and the catalogue does not know."""

    id: UUID
    player: str
    name: str
    title: str
    kind: str | None
    series: str | None
    season: int | None
    episode: int | None
    year: int | None
    duration_seconds: float | None
    seen_at: datetime


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which title a medium is."""

    title_id: str


class BoundMedium(msgspec.Struct, frozen=True):
    """A medium and the title it is from now on; the capture that takes up from where the player is."""

    id: UUID
    title_id: WorkId
    capture_id: CaptureId | None


class GenericWebhook(msgspec.Struct, frozen=True):
    """What a player tells at the `generic` address: something happened to what `title_id` or `title` names.

    It describes; `players/generic.py` reads, and takes numbers as text, too.
    """

    event: str
    title_id: str | None = None
    title: str | None = None
    year: int | None = None
    kind: str | None = None
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    position_seconds: float | None = None
    duration_seconds: float | None = None
    position_pct: float | None = None
    rate: float | None = None


class PlexForm(msgspec.Struct, frozen=True):
    """What Plex Media Server sends: JSON in a part of a form, sometimes beside a poster."""

    payload: str


class Heard(msgspec.Struct, frozen=True):
    """What became of a player's event."""

    outcome: HeardOutcome
    capture_id: CaptureId | None = None


class PlayerNotFound(NotFound):
    """You have no such player."""

    code = "not_found"


class MediumNotFound(NotFound):
    """No player of yours spoke of such a medium."""

    code = "not_found"


class TooManyPlayers(Conflict):
    """You have ten players: remove one first."""
