"""The catalogue: works that several products speak of.

It has no routes of its own: each app shows works in its own words.
"""

from quintet.domains.catalogue.actions import (
    change_work,
    enter_work,
    title_room,
    work_to_change,
    work_to_see,
    works_doubled,
)
from quintet.domains.catalogue.films import find_or_enter_films
from quintet.domains.catalogue.model import (
    KINDS,
    MOST_GENRE_LETTERS,
    MOST_GENRES,
    Found,
    Hit,
    Kind,
    NewWork,
    NotYourWork,
    Source,
    TitleChanged,
    WantedWork,
    Work,
    WorkChange,
    WorkChanged,
    WorkExists,
    WorkId,
    WorkNotFound,
    Year,
    is_work_id,
)
from quintet.domains.catalogue.queries import newest_works, works_titled, works_with
from quintet.domains.catalogue.rules import GOOD_ENOUGH, is_good
from quintet.domains.catalogue.search import search_works
from quintet.domains.catalogue.tmdb.asking import begin
from quintet.domains.catalogue.tmdb.model import ATTRIBUTION, TmdbTrouble
from quintet.domains.catalogue.tmdb.refreshing import (
    STALE,
    hang_up_at_the_end,
    keep_refreshing_old,
    keep_refreshing_seen,
    refresh_due,
    tmdb_of,
)
from quintet.kernel.parts import Part

PART = Part(
    "catalogue",
    on_start=(begin,),
    background=(keep_refreshing_seen, keep_refreshing_old, hang_up_at_the_end),
)

__all__ = [
    "ATTRIBUTION",
    "GOOD_ENOUGH",
    "KINDS",
    "MOST_GENRES",
    "MOST_GENRE_LETTERS",
    "PART",
    "STALE",
    "Found",
    "Hit",
    "Kind",
    "NewWork",
    "NotYourWork",
    "Source",
    "TitleChanged",
    "TmdbTrouble",
    "WantedWork",
    "Work",
    "WorkChange",
    "WorkChanged",
    "WorkExists",
    "WorkId",
    "WorkNotFound",
    "Year",
    "change_work",
    "enter_work",
    "find_or_enter_films",
    "is_good",
    "is_work_id",
    "newest_works",
    "refresh_due",
    "search_works",
    "title_room",
    "tmdb_of",
    "work_to_change",
    "work_to_see",
    "works_doubled",
    "works_titled",
    "works_with",
]
