"""Kodi's JSON-RPC notifications, forwarded with `position_seconds` (and `duration_seconds`) added.

Source: https://kodi.wiki/view/JSON-RPC_API/v13#Notifications. Its `Player.OnSeek` tells the time itself; the
others do not, so whoever forwards them adds it.
"""

from typing import Any, Final

from quintet.apps.wigg.players.payloads.event import EventKind, Medium, PlayerEvent
from quintet.apps.wigg.players.payloads.fields import MOST_SECONDS, Fields
from quintet.domains.catalogue import Kind

_EVENTS: Final[dict[str, EventKind]] = {
    "Player.OnPlay": "play",
    "Player.OnAVStart": "play",
    "Player.OnPause": "pause",
    "Player.OnResume": "resume",
    "Player.OnSeek": "seek",
    "Player.OnStop": "stop",
    "Player.OnSpeedChanged": "rate",
}
_KINDS: Final[dict[str, Kind]] = {"movie": "film", "episode": "episode"}
_FASTEST: Final = 16


def read(payload: dict[str, Any]) -> PlayerEvent | None:
    """The event; None for other notifications, other media, and rewinding."""
    told = Fields(payload)
    event = _EVENTS.get(told.text("method") or "")
    data = told.inner("params").inner("data")
    item, player = data.inner("item"), data.inner("player")
    speed = player.number("speed", 1000, -1000)
    position = told.number("position_seconds", MOST_SECONDS)
    if position is None and event == "seek":
        position = _seconds(player.inner("time"))
    if event == "rate":
        if speed is None or speed < 0:
            return None
        if speed == 0:
            event = "pause"
    medium = _medium(item)
    if event is None or medium is None:
        return None
    return PlayerEvent(
        event=event,
        medium=medium,
        position_seconds=position,
        duration_seconds=told.number("duration_seconds", MOST_SECONDS) or None,
        rate=min(speed, _FASTEST) if event == "rate" and speed else None,
    )


def _medium(item: Fields) -> Medium | None:
    kind = item.text("type")
    if kind is not None and kind not in _KINDS and kind != "unknown":
        return None
    title = item.text("title") or item.text("label")
    number = item.whole("id", 10**12)
    if title is None and number is not None:
        title = f"{kind} {number}"  # of its library Kodi may tell the number only: it can be bound by hand
    if title is None:
        return None
    return Medium(
        title=title,
        kind=_KINDS.get(kind or ""),
        year=item.year("year"),
        series=item.text("showtitle"),
        season=_known(item.whole("season", 10_000, -1)),
        episode=_known(item.whole("episode", 100_000, -1)),
    )


def _known(number: int | None) -> int | None:
    return None if number == -1 else number  # Kodi's word for unknown


def _seconds(time: Fields) -> float | None:
    if not any(time.has(one) for one in ("hours", "minutes", "seconds", "milliseconds")):
        return None
    hours, minutes = time.number("hours", 2000) or 0, time.number("minutes", 60) or 0
    return (
        hours * 3600
        + minutes * 60
        + (time.number("seconds", 60) or 0)
        + (time.number("milliseconds", 1000) or 0) / 1000
    )
