"""Jellyfin's webhook plugin, destination "Generic" with all properties, or a template with the same names.

Source: https://github.com/jellyfin/jellyfin-plugin-webhook. Times are ticks of 100 ns; templates print
booleans as `True` and `False`, and everything as text. Pausing has no notification of its own: it is
`IsPaused` of a progress.
"""

from typing import Any, Final

from quintet.apps.wigg.players.payloads.event import EventKind, Medium, PlayerEvent
from quintet.apps.wigg.players.payloads.fields import MOST_SECONDS, Fields
from quintet.domains.catalogue import Kind

_EVENTS: Final[dict[str, EventKind]] = {
    "PlaybackStart": "play",
    "PlaybackProgress": "progress",
    "PlaybackStop": "stop",
}
_KINDS: Final[dict[str, Kind]] = {"Movie": "film", "Episode": "episode"}
_TICKS: Final = 10_000_000


def read(payload: dict[str, Any]) -> PlayerEvent | None:
    """The event; None for another notification, and for what is neither film nor episode."""
    told = Fields(payload)
    event = _EVENTS.get(told.text("NotificationType") or "")
    name, series, item_type = told.text("Name"), told.text("SeriesName"), told.text("ItemType")
    if event is None or name is None or (item_type is not None and item_type not in _KINDS):
        return None
    kind = _KINDS.get(item_type or ("Episode" if series else "Movie"))
    position = told.number("PlaybackPositionTicks", MOST_SECONDS * _TICKS)
    duration = told.number("RunTimeTicks", MOST_SECONDS * _TICKS)
    paused = told.flag("IsPaused")
    return PlayerEvent(
        event=event,
        medium=Medium(
            title=name,
            kind=kind,
            year=told.year("Year"),
            series=series,
            season=told.whole("SeasonNumber", 10_000),
            episode=told.whole("EpisodeNumber", 100_000),
        ),
        position_seconds=None if position is None else position / _TICKS,
        duration_seconds=None if not duration else duration / _TICKS,
        plays=None if paused is None or event != "progress" else not paused,
    )
