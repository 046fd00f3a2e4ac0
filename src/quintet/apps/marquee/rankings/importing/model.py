"""The words of imports.

A row of a list is matched (its title was in the catalogue) or created (it was entered for it), and ranked; or
it is skipped, with a reason. So `done` is always the sum of the three.
"""

from typing import Any, Literal, NewType
from uuid import UUID

import msgspec

from quintet.apps.marquee.rankings.model import Tier
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.http.multipart import File
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, NotFound

ImportId = NewType("ImportId", UUID)
ListKind = Literal["letterboxd_ratings", "letterboxd_diary", "marquee"]
Status = Literal["waiting", "running", "done", "failed"]
MOST_BYTES = 5 * 1024 * 1024
MOST_SKIPS_TOLD = 1000


class Skip(msgspec.Struct, frozen=True):
    """A row that is not ranked: its line (in JSON its number, from 1), and why."""

    line: int
    reason: str


class ListedWork(msgspec.Struct, frozen=True):
    """A title as a list names it; `media_id` is what our own export calls it."""

    title: str
    year: int | None = None
    kind: Literal["film", "play"] = "film"
    tmdb_id: int | None = None
    media_id: str | None = None
    poster_url: str | None = None
    genres: list[str] = []
    attributes: dict[str, Any] = {}


class ListRow(msgspec.Struct, frozen=True):
    """A row to be ranked; the rows of a list stand in the order in which they are."""

    line: int
    tier: Tier
    work: ListedWork
    note: str | None = None
    to_come: int = 0  # how many more of its tier come after it


class ReadList(msgspec.Struct, frozen=True):
    """What a file says."""

    kind: ListKind
    rows: list[ListRow]
    skips: list[Skip]


class ImportForm(msgspec.Struct, frozen=True):
    """A list to be imported: Letterboxd's `ratings.csv` or `diary.csv`, or `marquee_rankings_v1` as JSON."""

    file: File


class Import(msgspec.Struct, frozen=True):
    """How far an import is; of what was skipped the first thousand rows are listed."""

    id: ImportId
    kind: ListKind
    status: Status
    total: int
    done: int
    matched: int
    created: int
    skipped: list[Skip]
    skipped_total: int
    created_at: Instant
    ended_at: Instant | None
    error: str | None


class OpenImport(msgspec.Struct, frozen=True):
    """An import that is being worked off, locked."""

    id: ImportId
    user_id: UserId
    tiers: list[Tier]


class Part(msgspec.Struct, frozen=True):
    """What a part of an import came to."""

    last: int
    matched: int
    created: int
    skips: list[Skip]
    tiers: list[Tier]


class RankingsImported(Event, frozen=True, kw_only=True):
    """An import ended: whoever shows the list reads it anew."""

    import_id: ImportId
    total: int
    matched: int
    created: int
    skipped_total: int


class ImportNotFound(NotFound):
    """There is no such import."""

    code = "not_found"


class ImportRunning(Conflict):
    """One of your imports is still running; see `import`."""
