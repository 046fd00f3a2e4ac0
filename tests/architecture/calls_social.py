"""How the routes of following, the feed and the leaderboard are called."""

from tests.architecture.calling import Told

SOCIAL_CALLS: dict[tuple[str, str], Told] = {}
