"""How the routes of Marquee's pictures are called."""

from tests.architecture.calling import Told

PICTURE_CALLS: dict[tuple[str, str], Told] = {}
