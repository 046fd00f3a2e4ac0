"""The words of Marquee's media."""

from typing import Any, Literal

import msgspec

from quintet.domains.catalogue import WorkId

MediaType = Literal["MOVIE", "PLAY"]


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
