"""How the routes of audio are called."""

from tests.architecture.calling import Told

AUDIO_CALLS: dict[tuple[str, str], Told] = {}
