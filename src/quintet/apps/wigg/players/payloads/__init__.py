"""Players: what each maker's webhook says, in our words. Pure: a payload becomes an event or a refusal."""

from collections.abc import Callable
from typing import Any, Final

from quintet.apps.wigg.players.payloads import generic, jellyfin, kodi, plex, trakt
from quintet.apps.wigg.players.payloads.event import PlayerEvent

Reader = Callable[[dict[str, Any]], PlayerEvent | None]
READERS: Final[dict[str, Reader]] = {
    "plex": plex.read,
    "jellyfin": jellyfin.read,
    "trakt": trakt.read,
    "kodi": kodi.read,
    "generic": generic.read,
}

__all__ = ["READERS", "PlayerEvent", "Reader"]
