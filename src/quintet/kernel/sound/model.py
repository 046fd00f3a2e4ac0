"""What is asked of the process that hears, what it answers, and how far it goes.

Invariant: what is said of a sound was heard in it, never taken from its header; but for how much of an
M4A's last packets is padding.
"""

from typing import Final

import msgspec

PEAKS: Final = 200  # what a waveform has
# 50 MiB are an hour of MP3 at 116 kbit/s, which take some seconds to decode. Fewer bytes that last longer are
# mostly silence, of which a few would keep a process busy for days.
MOST_SECONDS: Final = 3600
MOST_SAMPLES: Final = MOST_SECONDS * 48_000 * 2
LEAST_RATE: Final = 4_000
MOST_RATE: Final = 384_000
MOST_CHANNELS: Final = 8


class Sound(msgspec.Struct, frozen=True):
    """A file to hear: its descriptor, and the one demuxer that may open it."""

    file: int
    demuxer: str


class Heard(msgspec.Struct, frozen=True, tag="heard"):
    """What was heard; `frames` are samples per channel, a byte of `waveform` is 255 at full scale."""

    frames: int
    sample_rate: int
    channels: int
    waveform: bytes


class Unheard(msgspec.Struct, frozen=True, tag="unheard"):
    """Why nothing was: in words for whoever sent it."""

    why: str
    is_too_long: bool = False
