"""How a notification reads.

Invariant: pure; the same row always reads the same.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any, Final

from quintet.domains.accounts import Account
from quintet.domains.notifications.kinds import ANNOUNCEMENT, KINDS
from quintet.domains.notifications.model import NewestActor, Notification, Row

MOST_DETAIL: Final = 200  # characters of a text that is told of a deed


def named(actors: Sequence[NewestActor], count: int) -> str:
    """Who did it: `Ada`, `Ada and Ben`, `Ada and 41 others`; the newest first."""
    if not actors:
        return "Somebody"
    first = actors[0].display_name
    if count == 1:
        return first
    if count == 2 and len(actors) > 1:
        return f"{first} and {actors[1].display_name}"
    return f"{first} and {count - 1} other{'s' * (count > 2)}"


def details_of(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a deed, long texts cut; raises LookupError for an unknown kind or a missing detail."""
    needed = {name for _, name, _, _ in Formatter().parse(KINDS[kind].text) if name} - {"actors"}
    if missing := needed - given.keys():
        raise LookupError(f"a notification of kind {kind} needs {sorted(missing)}")
    return {name: _cut(value) for name, value in given.items() if value is not None}


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_DETAIL:
        return value[: MOST_DETAIL - 1] + "…"
    return value


def shown(row: Row) -> Notification:
    """The notification as its recipient sees it; of a kind whose app is gone only its name is left."""
    data = row.actors[0].details if row.actors else {}
    if row.kind == ANNOUNCEMENT and row.announced is not None:
        title, text = row.announced["title"], row.announced["text"]
    elif row.kind in KINDS:
        kind = KINDS[row.kind]
        words = defaultdict(str, {**data, "actors": named(row.actors, row.actor_count)})
        title, text = kind.title, kind.text.format_map(words)
        if kind.quotes is not None and data.get(kind.quotes):
            text += f": “{data[kind.quotes]}”"
    else:
        title, text = row.kind, named(row.actors, row.actor_count)
    return Notification(
        id=row.id,
        kind=row.kind,
        object_id=row.object_id,
        title=title,
        text=text,
        actors=[Account(one.id, one.username, one.display_name) for one in row.actors],
        actor_count=row.actor_count,
        data=data,
        read=row.read_at is not None,
        read_at=row.read_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
