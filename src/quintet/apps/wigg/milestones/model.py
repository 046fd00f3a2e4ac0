"""The words of milestones: named moments of a title, what can be asked of them, and what is refused."""

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from quintet.apps.wigg.milestones.chapters import Format
from quintet.apps.wigg.model import Pct
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.http import File
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import Conflict, Forbidden, NotFound, Unprocessable

Icon = Literal[
    "star", "fire", "rocket", "heart", "skull", "sword", "boss", "twist", "laugh", "cry", "gasp", "music",
    "trophy", "bomb", "door", "key", "map", "flag", "clock", "book", "film", "game", "coffee", "zzz",
]  # fmt: skip
_EMOJI: Final = "⭐ 🔥 🚀 ❤️ 💀 ⚔️ 👹 🌀 😂 😢 😱 🎵 🏆 💣 🚪 🔑 🗺️ 🚩 ⏰ 📖 🎬 🎮 ☕ 💤"
EMOJI: Final = dict(zip(get_args(Icon), _EMOJI.split(), strict=True))
Source = Literal["community", "scraped", "official"]
ImportedSource = Literal["scraped", "official"]

MOST_MILESTONES: Final = 1000
LONGEST_LABEL: Final = 120
MOST_FILE_BYTES: Final = 2 * 1024 * 1024
# As sent, with whatever space surrounds it; what is left is 1 to 120 characters.
Label = Annotated[str, Meta(min_length=1, max_length=1000)]


class Milestone(msgspec.Struct, frozen=True):
    """A named moment of a title."""

    id: UUID
    pct: float
    label: str
    icon: str
    source: Source
    verified: bool
    created_by: UUID | None
    created_at: datetime


class NewMilestone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A milestone to be added."""

    pct: Pct
    label: Label
    icon: Icon = "star"


class MilestoneChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of a milestone; what is left out stays."""

    server_owned: ClassVar[frozenset[str]] = frozenset(
        {"id", "source", "verified", "created_by", "created_at"}
    )

    pct: Pct | UnsetType = UNSET
    label: Label | UnsetType = UNSET
    icon: Icon | UnsetType = UNSET


class ChapterFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Chapters to be imported, as JSON; an EPUB stands in `content` as base64."""

    content: str
    format: Format | None = None
    source: ImportedSource | None = None


class ChapterForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same as a form; the file has at most 2 MiB."""

    file: File
    format: Format | None = None
    source: ImportedSource | None = None


class ImportedMilestones(msgspec.Struct, frozen=True):
    """What has become of a file's chapters: the milestone of each, in the file's order."""

    items: list[Milestone]
    created: int
    known: int


class MilestoneNotFound(NotFound):
    """There is no such milestone on this title."""

    code = "not_found"


class NotYourMilestone(Forbidden):
    """Only who added a milestone, or a moderator, may change it."""

    code = "forbidden"


class OfficialIsForModerators(Forbidden):
    """Only moderators import official milestones."""

    code = "forbidden"


class MilestoneExists(Conflict):
    """A milestone of this name stands there already."""


class TooManyMilestones(Conflict):
    """A title has at most 1,000 milestones."""


class LengthUnknown(Unprocessable):
    """The title has no length, and nothing else tells one."""


class MilestoneAdded(Event, frozen=True):
    """A milestone was added."""

    user_id: UserId
    title_id: WorkId
    milestone: Milestone


class MilestoneChanged(Event, frozen=True):
    """A milestone was changed or verified; all of it, as it is now."""

    user_id: UserId
    title_id: WorkId
    milestone: Milestone


class MilestoneRemoved(Event, frozen=True):
    """A milestone was removed; all of it, as it was."""

    user_id: UserId
    title_id: WorkId
    milestone: Milestone
