"""The words of notifications: what stands in somebody's list, what is told of it, what can be refused.

Invariant: a notification is shown and told in one shape, so a list and its events agree field by field.
"""

from typing import Annotated, Any, ClassVar, Final, NewType
from uuid import UUID

import msgspec

from quintet.domains.accounts import Account
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.live.log import Event
from quintet.kernel.refusals import NotFound

NotificationId = NewType("NotificationId", UUID)
MOST_ACTORS: Final = 3  # shown of those who did it; `actor_count` counts them all


class NewestActor(msgspec.Struct, frozen=True):
    """One of those who did it last, and what the text needs to know of their deed."""

    id: UserId
    username: str
    display_name: str
    details: dict[str, Any]


class Row(msgspec.Struct, frozen=True):
    """A notification as it is kept."""

    id: NotificationId
    kind: str
    object_id: str
    actor_count: int
    created_at: Instant
    updated_at: Instant
    read_at: Instant | None
    actors: list[NewestActor]  # newest first
    announced: dict[str, str] | None = None


class Notification(msgspec.Struct, frozen=True):
    """A notification as it is shown.

    `actors` are the newest of `actor_count` people; `data` tells of the newest deed what its app wrote down.
    """

    id: NotificationId
    kind: str
    object_id: str
    title: str
    text: str
    actors: list[Account]
    actor_count: int
    data: dict[str, Any]
    read: bool
    read_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Unread(msgspec.Struct, frozen=True):
    """How many notifications wait to be read, of how many."""

    unread: int
    total: int


class AllRead(msgspec.Struct, frozen=True):
    """How many notifications were read by it."""

    read: int


class Preference(msgspec.Struct, frozen=True):
    """How somebody wants to be told of a kind; what is muted is not even kept."""

    live: bool = True
    push: bool = True
    email: bool = False
    muted: bool = False


class Preferences(msgspec.Struct, frozen=True):
    """The same of every kind."""

    preferences: dict[str, Preference]


class NewAnnouncement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What moderators tell one person or, when they say so, everybody."""

    title: Annotated[str, msgspec.Meta(max_length=100, pattern=r"\S")]
    text: Annotated[str, msgspec.Meta(max_length=2000, pattern=r"\S")]
    user_id: UUID | None = None
    all: bool = False


class PreferenceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of it."""

    live: bool | None = None
    push: bool | None = None
    email: bool | None = None
    muted: bool | None = None


class PreferencesChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of some kinds; the others stay."""

    preferences: dict[str, PreferenceChange]


class NotificationNotFound(NotFound):
    """You have no such notification."""

    code = "not_found"


class RecipientNotFound(NotFound):
    """There is nobody of that id."""

    code = "not_found"


class Told(Event, frozen=True):
    """What is told of a notification: all that the list shows of it."""

    doubled: ClassVar[bool] = True

    id: NotificationId
    kind: str
    object_id: str
    title: str
    text: str
    actors: list[Account]
    actor_count: int
    data: dict[str, Any]
    read: bool
    read_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Notified(Told, frozen=True, tag="notification"):
    """Told to the recipient: there is something new, or news of something, at the top of the list."""


class NotificationChanged(Told, frozen=True):
    """Told to the recipient: somebody took their deed back, others remain; it stays in its place."""


class NotificationWithdrawn(Event, frozen=True):
    """Told to the recipient: it is gone, since those who did it took it back."""

    id: NotificationId


class NotificationRead(Event, frozen=True):
    """Told to the recipient's other tabs: these were read, or all that there were."""

    doubled = True

    notification_ids: list[NotificationId]
    all: bool
    read_at: Instant
