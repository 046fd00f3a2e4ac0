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
from quintet.domains.catalogue.search import search_works
from quintet.kernel.parts import Part

PART = Part("catalogue")

__all__ = [
    "KINDS",
    "MOST_GENRES",
    "MOST_GENRE_LETTERS",
    "PART",
    "Found",
    "Hit",
    "Kind",
    "NewWork",
    "NotYourWork",
    "Source",
    "TitleChanged",
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
    "is_work_id",
    "newest_works",
    "search_works",
    "title_room",
    "work_to_change",
    "work_to_see",
    "works_doubled",
    "works_titled",
    "works_with",
]
