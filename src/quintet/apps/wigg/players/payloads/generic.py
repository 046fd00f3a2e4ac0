"""The webhook of our own, for players nobody else speaks for.

`{event, title_id? | title?, year?, position_seconds?, duration_seconds?, position_pct?, rate?}`; of an
episode also `series`, `season` and `episode`, and `kind`.
"""

from typing import Any, Final, get_args

from quintet.apps.wigg.players.payloads.event import EventKind, Medium, PlayerEvent
from quintet.apps.wigg.players.payloads.fields import MOST_SECONDS, Fields
from quintet.domains.catalogue import Kind
from quintet.kernel.refusals import invalid

_EVENTS: Final = frozenset(get_args(EventKind))
_KINDS: Final = frozenset(get_args(Kind))


def read(payload: dict[str, Any]) -> PlayerEvent | None:
    """The event; None for a kind of event we do not know."""
    told = Fields(payload)
    event: Any = told.text("event")
    if event is None:
        raise invalid("missing", "say what happened", pointer="/event")
    if event not in _EVENTS:
        return None
    title_id, title, series = told.text("title_id"), told.text("title"), told.text("series")
    name = title or series
    if title_id is None and name is None:
        raise invalid("missing", "say of what: title_id or title", pointer="/title_id")
    kind: Any = told.text("kind")
    if kind is not None and kind not in _KINDS:
        raise invalid("out_of_range", f"one of {', '.join(sorted(_KINDS))}", pointer="/kind")
    rate = told.number("rate", 16)
    if event == "rate" and not rate:
        raise invalid("out_of_range" if rate == 0 else "missing", "more than 0, up to 16", pointer="/rate")
    medium = None
    if name is not None:
        medium = Medium(
            title=name,
            kind=kind or ("episode" if series else None),
            year=told.year("year"),
            series=series,
            season=told.whole("season", 10_000),
            episode=told.whole("episode", 100_000),
        )
    return PlayerEvent(
        event=event,
        title_id=title_id,
        medium=medium,
        position_seconds=told.number("position_seconds", MOST_SECONDS),
        duration_seconds=told.number("duration_seconds", MOST_SECONDS) or None,
        position_pct=told.number("position_pct", 100),
        rate=rate or None,
    )
