"""The words of Marquee's media."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar.params import QueryParameter
from msgspec import Meta

from quintet.domains.catalogue import Kind, WorkId, Year
from quintet.kernel.refusals import Conflict

MediaType = Literal["MOVIE", "PLAY"]
# What lists of media are narrowed by.
Genre = Annotated[str | None, QueryParameter(max_length=60, description="A genre, in whatever case.")]
External = Literal["not_asked", "ok", "unavailable"]
KIND_OF: dict[MediaType, Kind] = {"MOVIE": "film", "PLAY": "play"}


class Media(msgspec.Struct, frozen=True):
    """A film or a play; its fields stand in the order of the view `catalogue.media`."""

    id: WorkId
    title: str
    original_title: str
    media_type: MediaType
    year: int | None
    poster_url: str | None
    overview: str | None
    genres: list[str]
    tmdb_id: int | None
    attributes: dict[str, Any]
    source: Literal["local", "tmdb", "stub"]


class MediaDetails(Media, frozen=True):
    """A film or a play by itself; what came from TMDB says so, and since when TMDB has it no more."""

    attribution: str | None = None
    gone_at: datetime | None = None


class MediaFound(msgspec.Struct, frozen=True):
    """What a search found, and whether TMDB was asked for it. `total` counts what was ranked."""

    items: list[Media]
    limit: int
    offset: int
    total: int
    external: External


class NewStub(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A film or a play entered by hand; `confirm` where it only looks like one that is here."""

    title: Annotated[str, Meta(min_length=1, max_length=300)]
    media_type: MediaType
    year: Year | None = None
    attributes: dict[str, Any] = {}
    confirm: bool = False


class LooksLike(Conflict):
    """A work that looks the same is here already: rank that one, or send `confirm`."""
