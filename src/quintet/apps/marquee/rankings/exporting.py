"""A list as a file: JSON as the front end keeps it and the import takes it, CSV for spreadsheets. Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Final

import msgspec

from quintet.apps.marquee.rankings.model import Ranking
from quintet.kernel import json

_COLUMNS: Final = (
    "tier", "rank", "title", "year", "media_type", "genres", "tmdb_id", "score", "note", "media_id",
    "ranked_at", "updated_at",
)  # fmt: skip
# With these a spreadsheet begins to calculate, or to call programs, in the name of whoever opens the file.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class ExportedRanking(msgspec.Struct, frozen=True):
    """A ranking in the front end's words, `marquee_rankings_v1`; `rank` counts from 0."""

    id: str
    title: str
    year: str
    posterUrl: str | None  # noqa: N815 (the front end's name)
    type: str
    genres: list[str]
    director: str | None
    tier: str
    rank: int
    notes: str | None
    score: float
    createdAt: str  # noqa: N815 (the same)


def json_of(rankings: Iterable[Ranking]) -> bytes:
    """The list as JSON; where TMDB does not know a title, its id is ours."""
    return json.encode([_exported(one) for one in rankings])


def csv_of(rankings: Iterable[Ranking]) -> bytes:
    """The list as CSV (RFC 4180). A text that could be a formula has an apostrophe before it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for one in rankings:
        media = one.media
        writer.writerow(
            (
                one.tier, one.rank, _harmless(media.title), media.year, media.media_type,
                _harmless("; ".join(media.genres)), media.tmdb_id, one.score, _harmless(one.note or ""),
                media.id, one.created_at, one.updated_at,
            )
        )  # fmt: skip
    return file.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _exported(one: Ranking) -> ExportedRanking:
    media = one.media
    director = media.attributes.get("director")
    return ExportedRanking(
        id=media.id if media.tmdb_id is None else f"tmdb_{media.tmdb_id}",
        title=media.title,
        year="—" if media.year is None else str(media.year),
        posterUrl=media.poster_url,
        type="movie" if media.media_type == "MOVIE" else "play",
        genres=media.genres,
        director=director if isinstance(director, str) else None,
        tier=one.tier,
        rank=one.rank - 1,
        notes=one.note,
        score=one.score,
        createdAt=str(one.created_at),
    )
