"""What a player says, whoever made it."""

import hashlib
from typing import Literal

import msgspec

from quintet.apps.wigg.rules import position_of
from quintet.domains.catalogue import Kind
from quintet.kernel import json

EventKind = Literal["play", "pause", "resume", "seek", "stop", "progress", "rate"]


class Medium(msgspec.Struct, frozen=True):
    """What is played, as the player names it; of an episode `title` is its own."""

    title: str
    kind: Kind | None = None
    year: int | None = None
    series: str | None = None
    season: int | None = None
    episode: int | None = None

    @property
    def name(self) -> str:
        """How a person would call it."""
        if self.series is None:
            return self.title
        place = f" {self.numbers}" if self.numbers else ""
        return f"{self.series}{place}" if self.title == self.series else f"{self.series}{place} {self.title}"

    @property
    def numbers(self) -> str:
        """Season and episode as `S01E02`; empty where either is not known."""
        if self.season is None or self.episode is None:
            return ""
        return f"S{self.season:02}E{self.episode:02}"


class PlayerEvent(msgspec.Struct, frozen=True):
    """Something a player told: at least one of `title_id` and `medium` says of what."""

    event: EventKind
    title_id: str | None = None
    medium: Medium | None = None
    position_seconds: float | None = None
    duration_seconds: float | None = None
    position_pct: float | None = None
    rate: float | None = None
    # What a progress says of whether it plays; None where it says nothing.
    plays: bool | None = None

    def position(self, length_seconds: float | None) -> int | None:
        """The position in millionths of a percent, by the player's own duration or the title's length."""
        if self.position_pct is not None:
            return position_of(self.position_pct)
        length = self.duration_seconds or length_seconds
        if self.position_seconds is None or not length:
            return None
        return position_of(min(100.0, 100 * self.position_seconds / length))


def media_key(player: str, medium: Medium) -> bytes:
    """What is the same medium told by the same kind of player, whatever its letters' case: 32 bytes."""
    said = [
        player,
        medium.kind,
        medium.title.casefold(),
        medium.year,
        (medium.series or "").casefold(),
        medium.season,
        medium.episode,
    ]
    return hashlib.sha256(json.encode(said)).digest()
