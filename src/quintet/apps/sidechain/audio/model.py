"""The words of audio: what is known of a sound, and what can be refused.

Invariant: what is said of a sound was heard in it, never taken from its header, name or label.
"""

from typing import Final, NewType
from uuid import UUID

import msgspec

from quintet.kernel.clock import Instant
from quintet.kernel.refusals import Conflict, NotFound

AudioId = NewType("AudioId", UUID)
MOST_BYTES: Final = 50 * 1024 * 1024


class Audio(msgspec.Struct, frozen=True):
    """A sound as it is shown; `waveform` has the loudest of each of 200 equal parts, 1 being full scale."""

    id: AudioId
    url: str
    duration_seconds: float
    sample_rate: int
    channels: int
    waveform: list[float]


class AudioRow(msgspec.Struct, frozen=True):
    """A sound as it is kept; a byte of `waveform` is 255 at full scale."""

    id: AudioId
    duration_seconds: float
    sample_rate: int
    channels: int
    waveform: bytes


class OwnAudio(msgspec.Struct, frozen=True):
    """Somebody's sound: since when no post has it, or None while one does."""

    id: AudioId
    loose_since: Instant | None


class AudioNotFound(NotFound):
    """There is no such audio here."""

    code = "not_found"


class AudioInUse(Conflict):
    """A post has this audio: delete the post, and the audio goes with it."""
