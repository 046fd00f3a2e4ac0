"""How the routes of posts are called."""

from tests.architecture.calling import Told

POST_CALLS: dict[tuple[str, str], Told] = {}
