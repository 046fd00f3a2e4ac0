"""The catalogue: works that several products speak of.

It has no routes of its own: each app shows works in its own words.
"""

from quintet.domains.catalogue.actions import change_work, enter_work, work_to_change, work_to_see
from quintet.domains.catalogue.model import (
    Kind,
    NewWork,
    NotYourWork,
    Work,
    WorkChange,
    WorkExists,
    WorkId,
    WorkNotFound,
    is_work_id,
)
from quintet.domains.catalogue.queries import newest_works, works_like, works_titled
from quintet.kernel.parts import Part

PART = Part("catalogue")

__all__ = [
    "PART",
    "Kind",
    "NewWork",
    "NotYourWork",
    "Work",
    "WorkChange",
    "WorkExists",
    "WorkId",
    "WorkNotFound",
    "change_work",
    "enter_work",
    "is_work_id",
    "newest_works",
    "work_to_change",
    "work_to_see",
    "works_like",
    "works_titled",
]
