"""Plex Media Server's webhooks (a form whose part `payload` is this JSON; a poster may come as `thumb`).

Source: https://support.plex.tv/articles/115002267687-webhooks/. Times are milliseconds.
"""

from typing import Any, Final

from quintet.apps.wigg.players.payloads.event import EventKind, Medium, PlayerEvent
from quintet.apps.wigg.players.payloads.fields import MOST_SECONDS, Fields

# `media.rate` is somebody giving stars, no speed; `media.scrobble` says that 90 % are passed.
_EVENTS: Final[dict[str, EventKind]] = {
    "media.play": "play",
    "media.pause": "pause",
    "media.resume": "resume",
    "media.stop": "stop",
    "media.scrobble": "progress",
}


def read(payload: dict[str, Any]) -> PlayerEvent | None:
    """The event; None for what is no film or episode, or what somebody else plays on the same server."""
    told = Fields(payload)
    event = _EVENTS.get(told.text("event") or "")
    if event is None or told.flag("user") is False:
        return None
    metadata = told.inner("Metadata")
    kind, title = metadata.text("type"), metadata.text("title")
    if title is None or kind not in {"movie", "episode"}:
        return None
    medium = Medium(title=title, kind="film", year=metadata.year("year"))
    if kind == "episode":
        medium = Medium(
            title=title,
            kind="episode",
            year=metadata.year("year"),
            series=metadata.text("grandparentTitle"),
            season=metadata.whole("parentIndex", 10_000),
            episode=metadata.whole("index", 100_000),
        )
    position = metadata.number("viewOffset", MOST_SECONDS * 1000)
    duration = metadata.number("duration", MOST_SECONDS * 1000)
    if event == "progress" and position is None:
        return None
    return PlayerEvent(
        event=event,
        medium=medium,
        position_seconds=None if position is None else position / 1000,
        duration_seconds=None if not duration else duration / 1000,
    )
