"""How the routes of Marquee's media are called."""

from tests.architecture.calling import Told

MEDIA_CALLS: dict[tuple[str, str], Told] = {}
