"""The list that the front end keeps in the browser, `marquee_rankings_v1`, as our export is one, too. Pure.

`[{id: "tmdb_693134", title, year: "2024" | "—", posterUrl, type: "movie" | "play", genres, director?, tier,
rank (0-based), notes?}]`; other fields are passed over.
"""

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from quintet.apps.marquee.rankings.importing.model import ListedWork, ListRow, ReadList, Skip
from quintet.apps.marquee.rankings.importing.rules import check_count
from quintet.apps.marquee.rankings.model import TIERS, Note, Tier
from quintet.kernel.json import check_text
from quintet.kernel.refusals import InvalidRequest, invalid

KEY: Final = "marquee_rankings_v1"
_TMDB: Final = re.compile(r"tmdb_(\d{1,10})", re.ASCII)
_YEAR: Final = re.compile(r"-?\d{1,4}", re.ASCII)


class Entry(msgspec.Struct, frozen=True):
    """One title of the list; what front ends may leave out has a default."""

    title: Annotated[str, Meta(min_length=1, max_length=300)]
    tier: Tier
    id: str | int | None = None
    year: str | int | None = None
    posterUrl: str | None = None  # noqa: N815 (the front end's name)
    type: Literal["movie", "play"] = "movie"
    genres: list[str] | None = None
    director: str | None = None
    rank: float | None = None
    notes: Note | None = None


def read_marquee_list(text: str) -> ReadList:
    """The rows of a list as JSON; raises `malformed_file` where it is none."""
    entries = _entries(text)
    read: list[tuple[tuple[int, float, int], ListRow]] = []
    skips: list[Skip] = []
    for line, given in enumerate(entries, 1):
        try:
            check_text(given)
            entry = msgspec.convert(given, Entry)
        except msgspec.ValidationError as error:
            skips.append(Skip(line, str(error)[:200]))
        except InvalidRequest as refusal:
            skips.append(Skip(line, str(refusal.detail)))
        else:
            place = TIERS.index(entry.tier), float("inf") if entry.rank is None else entry.rank, line
            row = ListRow(line, entry.tier, _work(entry), entry.notes or None)
            read.append((place, row))
    return ReadList("marquee", [row for _, row in sorted(read, key=lambda one: one[0])], skips)


def _entries(text: str) -> list[Any]:
    try:
        found: Any = msgspec.json.decode(text)
        if isinstance(found, dict) and KEY in found:  # the browser's whole storage, whose values are texts
            found = msgspec.json.decode(found[KEY]) if isinstance(found[KEY], str) else found[KEY]
    except msgspec.DecodeError as error:
        raise invalid("malformed_file", f"not JSON: {error}", pointer="/file") from error
    if not isinstance(found, list):
        raise invalid("malformed_file", f"JSON, but no list as {KEY} is one", pointer="/file")
    check_count(len(found))
    return found


def _work(entry: Entry) -> ListedWork:
    given = str(entry.id) if entry.id is not None else ""
    tmdb = _TMDB.fullmatch(given)
    year = str(entry.year).strip() if entry.year is not None else ""
    return ListedWork(
        title=entry.title,
        year=int(year) if _YEAR.fullmatch(year) else None,
        kind="play" if entry.type == "play" else "film",
        tmdb_id=int(tmdb[1]) if tmdb else None,
        media_id=None if tmdb or not given else given,
        poster_url=entry.posterUrl,
        genres=entry.genres or [],
        attributes={"director": entry.director} if entry.director else {},
    )
