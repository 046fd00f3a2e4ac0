"""How the routes of error tracking are called."""

from tests.architecture.calling import Told

ERROR_CALLS: dict[tuple[str, str], Told] = {}
