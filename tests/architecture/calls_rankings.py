"""How the routes of Marquee's rankings are called."""

from tests.architecture.calling import Told

RANKING_CALLS: dict[tuple[str, str], Told] = {}
