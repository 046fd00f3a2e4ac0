"""The words of TMDB: what it answers, what we take from it, and the ways it fails.

Invariant: whatever TMDB sends, a film is within the bounds of the catalogue when it comes out of here.
"""

import math
import re
from datetime import timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from quintet.domains.catalogue.model import MOST_TITLE_LETTERS

ATTRIBUTION: Final = "This product uses the TMDB API but is not endorsed or certified by TMDB."
_MOST_OVERVIEW_LETTERS: Final = 4000
_MOST_ALTERNATIVES: Final = 100
_MOST_DIRECTORS: Final = 10
_POSTER: Final = re.compile(r"/[A-Za-z0-9._-]{1,100}")
_DATE: Final = re.compile(r"(\d{4})-\d{2}-\d{2}")
# Searches answer genres by number (TMDB's /genre/movie/list).
_GENRES: Final = {
    28: "Action", 12: "Adventure", 16: "Animation", 35: "Comedy", 80: "Crime", 99: "Documentary", 18: "Drama",
    10751: "Family", 14: "Fantasy", 36: "History", 27: "Horror", 10402: "Music", 9648: "Mystery",
    10749: "Romance", 878: "Science Fiction", 10770: "TV Movie", 53: "Thriller", 10752: "War", 37: "Western",
}  # fmt: skip

TmdbId = Annotated[int, Meta(gt=0, lt=2**31)]


class ListedFilm(msgspec.Struct, frozen=True):
    """A film as a search lists it."""

    id: TmdbId
    title: str
    original_title: str | None = None
    release_date: str | None = None
    poster_path: str | None = None
    overview: str | None = None
    popularity: float | None = None
    genre_ids: list[int] = []
    adult: bool = False


class FoundPage(msgspec.Struct, frozen=True):
    """The first page of what `/search/movie` found; the further ones are not asked for."""

    results: list[ListedFilm]


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Member(msgspec.Struct, frozen=True):
    name: str
    job: str | None = None


class _Credits(msgspec.Struct, frozen=True):
    crew: list[_Member] = []


class _OtherTitle(msgspec.Struct, frozen=True):
    title: str


class _OtherTitles(msgspec.Struct, frozen=True):
    titles: list[_OtherTitle] = []


class FilmDetails(msgspec.Struct, frozen=True):
    """A film as `/movie/{id}` tells it, with its credits and alternative titles."""

    id: TmdbId
    title: str
    original_title: str | None = None
    release_date: str | None = None
    poster_path: str | None = None
    overview: str | None = None
    popularity: float | None = None
    runtime: int | None = None
    genres: list[_Named] = []
    credits: _Credits = _Credits()
    alternative_titles: _OtherTitles = _OtherTitles()


class TmdbFilm(msgspec.Struct, frozen=True):
    """A film as we take it over."""

    tmdb_id: int
    title: str
    original_title: str | None
    year: int | None
    poster_url: str | None
    overview: str | None
    popularity: float
    genres: list[str]
    attributes: dict[str, str | list[str]]
    alternative_titles: list[str] = []
    length_seconds: float | None = None


def films_of(page: FoundPage, images: str) -> list[TmdbFilm]:
    """The films of a page, without those that have no name and those for adults."""
    films: dict[int, TmdbFilm] = {}
    for one in page.results:
        if (title := _title(one.title)) and not one.adult:
            genres = [_GENRES[number] for number in one.genre_ids if number in _GENRES]
            films[one.id] = TmdbFilm(
                tmdb_id=one.id,
                title=title,
                original_title=_title(one.original_title) or None,
                year=_year(one.release_date),
                poster_url=_poster(one.poster_path, images),
                overview=_overview(one.overview),
                popularity=_popularity(one.popularity),
                genres=genres,
                attributes={"genres": genres},
            )
    return list(films.values())


def film_of(details: FilmDetails, images: str) -> TmdbFilm:
    """The film that details tell of; raises ValueError where it has no name."""
    title = _title(details.title)
    if not title:
        raise ValueError("a film without a title")
    genres = [name for one in details.genres[:30] if (name := _text(one.name)[:60])]
    directors = [_text(one.name) for one in details.credits.crew if one.job == "Director"]
    director = ", ".join(list(dict.fromkeys(filter(None, directors)))[:_MOST_DIRECTORS])[:MOST_TITLE_LETTERS]
    others = (_title(one.title) for one in details.alternative_titles.titles)
    return TmdbFilm(
        tmdb_id=details.id,
        title=title,
        original_title=_title(details.original_title) or None,
        year=_year(details.release_date),
        poster_url=_poster(details.poster_path, images),
        overview=_overview(details.overview),
        popularity=_popularity(details.popularity),
        genres=genres,
        attributes={"genres": genres} | ({"director": director} if director else {}),
        alternative_titles=list(dict.fromkeys(filter(None, others)))[:_MOST_ALTERNATIVES],
        length_seconds=details.runtime * 60.0 if details.runtime and 0 < details.runtime < 10_000 else None,
    )


def _text(text: str | None) -> str:
    return (text or "").replace("\0", "").strip()


def _title(text: str | None) -> str:
    return _text(text)[:MOST_TITLE_LETTERS].strip()


def _overview(text: str | None) -> str | None:
    return _text(text)[:_MOST_OVERVIEW_LETTERS] or None


def _year(date: str | None) -> int | None:
    match = _DATE.fullmatch(date or "")
    return int(match[1]) or None if match else None


def _poster(path: str | None, images: str) -> str | None:
    return images + path if path is not None and _POSTER.fullmatch(path) else None


def _popularity(popularity: float | None) -> float:
    return popularity if popularity is not None and math.isfinite(popularity) and popularity > 0 else 0.0


class TmdbTrouble(Exception):
    """TMDB has not answered as asked; nothing of it is remembered but how to spare it."""


class NotConfigured(TmdbTrouble):
    """There is no token, so nobody is asked."""


class Resting(TmdbTrouble):
    """TMDB is left alone for a while."""


class TooManyWait(TmdbTrouble):
    """More wait for TMDB already than it could answer in time."""


class Failed(TmdbTrouble):
    """It was not reached, too slow, broken, or answered what we do not understand."""


class Refused(TmdbTrouble):
    """It does not take our token."""


class Gone(TmdbTrouble):
    """It knows no such film."""


class Busy(TmdbTrouble):
    """It asks us to wait."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after
