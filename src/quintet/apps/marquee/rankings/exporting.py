"""A list as a file: JSON as the front end keeps it and the import takes it, CSV for spreadsheets.

Invariant: it is read and written in small parts, so that the longest list holds nobody else up.
"""

import csv
import io
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from quintet.apps.marquee.rankings import list_queries
from quintet.apps.marquee.rankings.model import TIERS, Ranking
from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

_PART: Final = 500
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


async def exported_list(tx: Tx, user_id: UserId, form: Literal["json", "csv"]) -> bytes:
    """Somebody's whole list, best first; `tx` is one snapshot."""
    parts = [_row_of(_COLUMNS)] if form == "csv" else []
    for tier in TIERS:
        key, rank = "", 0
        while page := await list_queries.rankings_behind(tx, user_id, tier, key, rank, _PART):
            parts.append(_csv_of(page) if form == "csv" else _json_of(page))
            key, rank = page[-1].position_key, page[-1].rank
    return b"".join(parts) if form == "csv" else b"[" + b",".join(parts) + b"]"


def _json_of(rankings: list[Ranking]) -> bytes:
    """A part of the list as JSON, without the brackets; where TMDB does not know a title, its id is ours."""
    return json.encode([_exported(one) for one in rankings])[1:-1]


def _csv_of(rankings: list[Ranking]) -> bytes:
    """A part of the list as CSV (RFC 4180). A text that could be a formula has an apostrophe before it."""
    return b"".join(
        _row_of(
            (
                one.tier, one.rank, _harmless(one.media.title), one.media.year, one.media.media_type,
                _harmless("; ".join(one.media.genres)), one.media.tmdb_id, one.score,
                _harmless(one.note or ""), one.media.id, one.created_at, one.updated_at,
            )
        )
        for one in rankings
    )  # fmt: skip


def _row_of(cells: Iterable[object]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(cells)
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
