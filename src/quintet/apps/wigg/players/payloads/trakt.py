"""A scrobble as players send it to Trakt, with the last part of its address as `action`.

Source: https://trakt.docs.apiary.io/#reference/scrobble. `progress` is percent. Trakt knows no resume:
playing on is another start.
"""

from typing import Any, Final

from quintet.apps.wigg.players.payloads.event import EventKind, Medium, PlayerEvent
from quintet.apps.wigg.players.payloads.fields import Fields

_EVENTS: Final[dict[str, EventKind]] = {
    "start": "play",
    "pause": "pause",
    "stop": "stop",
    "scrobble": "stop",  # what Trakt itself calls a stop past 80 %
}


def read(payload: dict[str, Any]) -> PlayerEvent | None:
    """The event; None for another action, and where neither film nor show is named."""
    told = Fields(payload)
    event = _EVENTS.get(told.text("action") or "")
    film, show, episode = told.inner("movie"), told.inner("show"), told.inner("episode")
    medium = None
    if title := film.text("title"):
        medium = Medium(title=title, kind="film", year=film.year("year"))
    elif series := show.text("title"):
        medium = Medium(
            title=episode.text("title") or series,
            kind="episode",
            year=show.year("year"),
            series=series,
            season=episode.whole("season", 10_000),
            episode=episode.whole("number", 100_000),
        )
    progress = told.number("progress", 100)
    if event is None or medium is None:
        return None
    return PlayerEvent(event=event, medium=medium, position_pct=progress)
