"""What a shared picture is made of: its row, what it shows, events and refusals.

Invariant: whoever knows a picture's id sees the list as it is; nobody can guess one.
"""

from typing import Final, Literal, NewType

import msgspec

from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import NotFound

PictureId = NewType("PictureId", str)
Form = Literal["svg", "png"]
TIERS: Final = ("S", "A", "B", "C", "D")
MOST_TITLES: Final = 40  # that are shown of a tier; the others are counted


class Picture(msgspec.Struct, frozen=True):
    """One's tier list, shared."""

    id: PictureId
    svg_url: str
    png_url: str
    created_at: Instant


class PictureRow(msgspec.Struct, frozen=True):
    """What is kept of it."""

    id: PictureId
    created_at: Instant


class ListedTitle(msgspec.Struct, frozen=True):
    """One title of a tier, as it is shown."""

    title: str
    year: int | None


class ListedTier(msgspec.Struct, frozen=True):
    """The first titles of a tier, best first, and how many it holds in all."""

    name: str
    titles: list[ListedTitle]
    total: int


class TierList(msgspec.Struct, frozen=True):
    """All that a picture shows; as small as that, since it travels to the process that draws."""

    owner: str
    changed_on: str  # a date as `21 November 2026`; empty where nothing is ranked
    tiers: list[ListedTier]


class Job(msgspec.Struct, frozen=True):
    """What to draw, and as what."""

    form: Form
    listed: TierList


class SharedList(msgspec.Struct, frozen=True):
    """Whose list it is, and the seq of their room in the same snapshot."""

    owner: str
    room_seq: int


class BestTitle(msgspec.Struct, frozen=True):
    """A row of a list's best: a tier with one of its titles."""

    tier: str
    total: int
    title: str | None
    year: int | None
    changed_at: Instant | None


class PictureShared(Event, frozen=True, kw_only=True):
    """One's tier list got a public address."""

    picture_id: PictureId


class PictureWithdrawn(Event, frozen=True, kw_only=True):
    """The public address is gone."""

    picture_id: PictureId


class PictureNotFound(NotFound):
    """There is no picture at this address."""

    code = "not_found"
