"""The words of the catalogue: works, their kinds, and what can be refused of them."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NewType, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, Forbidden, NotFound

WorkId = NewType("WorkId", str)
Kind = Literal["film", "series", "episode", "game", "book", "play"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Source = Literal["local", "tmdb", "stub"]  # entered in WIGG, told by TMDB, entered or imported in Marquee
Place = tuple[float, float, str]  # in a ranking: fit, popularity, id

WORK_ID = r"^[A-Za-z0-9._:\-]{1,128}$"
MOST_ATTRIBUTE_BYTES = 16 * 1024

MOST_TITLE_LETTERS = 300
Name = Annotated[str, Meta(min_length=1, max_length=MOST_TITLE_LETTERS)]
Seconds = Annotated[float, Meta(gt=0, le=100_000_000)]
Year = Annotated[int, Meta(ge=-3000, le=3000)]
MOST_GENRES, MOST_GENRE_LETTERS = 30, 60
Genres = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=MOST_GENRE_LETTERS)]], Meta(max_length=MOST_GENRES)
]


class Work(msgspec.Struct, frozen=True):
    """A film, series, episode, game, book or play."""

    id: WorkId
    kind: Kind
    title: str
    total_length_seconds: float | None
    year: int | None
    genres: list[str]
    attributes: dict[str, Any]
    created_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class NewWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A work to be entered; without an id the server makes one."""

    title: Name
    kind: Kind
    id: Annotated[str, Meta(pattern=WORK_ID)] | None = None
    total_length_seconds: Seconds | None = None
    year: Year | None = None
    genres: Genres = []
    attributes: dict[str, Any] = {}


class WorkChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of a work; what is left out stays, null empties what may be empty."""

    server_owned: ClassVar[frozenset[str]] = frozenset(
        {"id", "created_by", "created_at", "updated_at", "version", "stats", "t2g"}
    )

    title: Name | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    total_length_seconds: Seconds | UnsetType | None = UNSET
    year: Year | UnsetType | None = UNSET
    genres: Genres | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET


class TitleChanged(Event, frozen=True):
    """The catalogue entry of the title changed."""

    title_id: WorkId
    version: int


class WorkChanged(msgspec.Struct, frozen=True):
    """Announced in the transaction that changes a work, for what follows from it in the apps."""

    work_id: WorkId


class WantedWork(msgspec.Struct, frozen=True):
    """A work as somebody's own list names it; what is not here yet is entered with this."""

    title: str
    year: int | None = None
    kind: Kind = "film"
    tmdb_id: int | None = None
    poster_url: str | None = None
    genres: list[str] = []
    attributes: dict[str, Any] = {}


class Hit(msgspec.Struct, frozen=True):
    """A work that a search found, by the best of its names, which stands here without spaces."""

    id: WorkId
    fit: float
    popularity: float
    squeezed: str

    @property
    def place(self) -> Place:
        """Where it stands in its ranking."""
        return self.fit, self.popularity, self.id


class Found(msgspec.Struct, frozen=True):
    """A page of hits, how many were ranked, how well the best fits, and what was asked, without spaces."""

    hits: list[Hit]
    total: int
    best: float
    asked: str


class WorkNotFound(NotFound):
    """There is no such title."""

    code = "not_found"


class WorkExists(Conflict):
    """A work with this id exists already."""


class NotYourWork(Forbidden):
    """Only who entered a work, or a moderator, may change it."""

    code = "forbidden"


def is_work_id(text: str) -> bool:
    """Whether the text could be a work's id at all."""
    return re.fullmatch(WORK_ID, text) is not None and text not in {".", ".."}
