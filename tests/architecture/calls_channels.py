"""How the routes of channels are called."""

from tests.architecture.calling import Told

CHANNEL_CALLS: dict[tuple[str, str], Told] = {}
