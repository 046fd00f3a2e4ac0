"""How the routes of notifications are called."""

from tests.architecture.calling import Told

NOTIFICATION_CALLS: dict[tuple[str, str], Told] = {}
