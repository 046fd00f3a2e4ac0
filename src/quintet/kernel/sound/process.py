"""The process that hears one file: it decodes it whole, measures it, and ends.

Invariant: whatever a file makes of the decoder, it gets no more time and memory than is set here, opens and
writes nothing; and no other file is heard by the same process.
"""

import math
import os
import resource
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any, BinaryIO, Final

import av
import msgspec
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as AtEnd
from av.error import FFmpegError
from av.filter import Graph
from av.stream import Disposition

from quintet.kernel.beside.worker import serve
from quintet.kernel.sound.model import (
    LEAST_RATE,
    MOST_CHANNELS,
    MOST_RATE,
    MOST_SAMPLES,
    MOST_SECONDS,
    PEAKS,
    Heard,
    Sound,
    Unheard,
)
from quintet.kernel.sound.rules import fold
from quintet.kernel.sound.sniffing import MP4

MOST_CPU_SECONDS: Final = 30
MOST_MEMORY_BYTES: Final = 512 * 1024**2  # of addresses, of which honest files need 160 MiB
_MOST_PADDING: Final = 4096
_LONG_BLOCK: Final = 4096
_FINE_BLOCKS: Final = (
    2000  # of which a waveform's parts are made: so their bounds are right to a twentieth of one
)
# All that is ever decoded, so that the holes of hundreds of others are out of reach.
CODECS: Final = frozenset({
    "aac", "alac", "flac", "mp3", "mp3float", "opus", "vorbis", "adpcm_ima_wav", "adpcm_ms",
    "pcm_alaw", "pcm_mulaw", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_s8", "pcm_u8",
    "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le",
})  # fmt: skip
_OPTIONS: Final = {"codec_whitelist": ",".join(sorted(CODECS)), "protocol_whitelist": "", "enable_drefs": "0"}


# What the library imports with the first file it opens, when nothing can be imported any more.
_LATE_MODULES: Final = ("av.subtitles.codeccontext", "av.subtitles.stream")


class NotAudio(Exception):
    """Why this cannot be heard."""


class TooLong(Exception):
    """It lasts longer than we listen."""


def hear(sound: Sound) -> Heard | Unheard:
    """What there is to hear, or why there is nothing."""
    with os.fdopen(sound.file, "rb") as file:
        try:
            return _hear(file, sound.demuxer)
        except NotAudio as error:
            return Unheard(str(error))
        except TooLong as error:
            return Unheard(str(error), is_too_long=True)
        except (FFmpegError, MemoryError, OSError, ValueError, OverflowError):
            # What FFmpeg says of it; or the file object, asked for a place that no file has.
            return Unheard("this cannot be read as audio")


def _hear(file: BinaryIO, demuxer: str) -> Heard:
    measured = _measure(file, demuxer, _LONG_BLOCK)
    frames = measured.frames
    if not frames:
        raise NotAudio("there is no sound in it")
    if frames < _LONG_BLOCK * _FINE_BLOCKS:  # three minutes: quickly heard once more, with a closer look
        measured = _measure(file, demuxer, max(1, frames // _FINE_BLOCKS))
    waveform = bytes(round(peak * 255) for peak in fold(measured.peaks, PEAKS))
    return Heard(frames, measured.rate, measured.channels, waveform)


class _Measure:
    """Counts frames, and has FFmpeg find the loudest sample of each block of them, over all channels."""

    def __init__(self, block: int) -> None:
        self.frames = self.rate = self.channels = 0
        self.peaks: list[float] = []
        self._block = block
        self._graph: Any = None
        self._form: tuple[int, str, str] | None = None

    def take(self, frame: Any) -> None:
        """Take the next decoded frame; raises NotAudio or TooLong."""
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if self._graph is None:
            self._begin(frame, form)
        elif form != self._form:
            raise NotAudio("it changes its sample rate or its channels on the way")
        self.frames += frame.samples
        if self.frames > MOST_SECONDS * self.rate or self.frames * self.channels > MOST_SAMPLES:
            raise TooLong(f"audio lasts at most {MOST_SECONDS // 60} minutes")
        frame.pts = None  # what the file says of times is not needed, and may be nonsense
        self._push(frame)

    def end(self) -> None:
        """Take what the last, shorter block holds."""
        if self._graph is not None:
            self._push(None)

    def leave_out_padding(self, said: int) -> None:
        """Believe a container that has a little less: AAC fills up its last packets, and loops would limp."""
        if 0 < self.frames - said <= _MOST_PADDING:
            self.frames = said

    def _begin(self, frame: Any, form: tuple[int, str, str]) -> None:
        self.rate, self.channels, self._form = frame.sample_rate, frame.layout.nb_channels, form
        if not (LEAST_RATE <= self.rate <= MOST_RATE and 1 <= self.channels <= MOST_CHANNELS):
            raise NotAudio(f"{self.rate} Hz and {self.channels} channels are beyond what is played")
        self._graph = Graph()
        steps = [
            self._graph.add_abuffer(
                sample_rate=self.rate, format=form[2], layout=form[1], time_base=frame.time_base
            ),
            self._graph.add("asetnsamples", f"n={self._block}:p=0"),
            self._graph.add(
                "astats", "metadata=1:reset=1:measure_perchannel=none:measure_overall=Peak_level"
            ),
            self._graph.add("abuffersink"),
        ]
        for one, following in pairwise(steps):
            one.link_to(following)
        self._graph.configure()

    def _push(self, frame: Any) -> None:
        self._graph.push(frame)
        while True:
            try:
                block = self._graph.pull()
            except (NothingYet, AtEnd):
                return
            self.peaks.append(_linear(float(block.metadata["lavfi.astats.Overall.Peak_level"])))


def _linear(decibels: float) -> float:
    """A level in decibels of full scale as 0..1; samples of floating point may be louder, or no numbers."""
    return 0.0 if math.isnan(decibels) else min(1.0, 10 ** (min(decibels, 0.0) / 20))


def _measure(file: BinaryIO, demuxer: str, block: int) -> _Measure:
    file.seek(0)
    measure = _Measure(block)
    with av.open(file, "r", format=demuxer, options=_OPTIONS, metadata_errors="replace") as container:
        if any(not one.disposition & Disposition.attached_pic for one in container.streams.video):
            raise NotAudio("this is a film")
        if not container.streams.audio:
            raise NotAudio("there is no sound in it")
        stream: Any = container.streams.audio[0]
        if stream.codec_context is None or stream.codec_context.name not in CODECS:
            raise NotAudio("its sound is coded in a way that is not taken here")
        for frame in _frames(container, stream):
            measure.take(frame)
        measure.end()
        if demuxer == MP4.demuxer and stream.duration:
            measure.leave_out_padding(round(stream.duration * stream.time_base * measure.rate))
    return measure


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """What decodes; a file may be damaged here and there, or break off, as long as most of it is sound."""
    packets = damaged = 0
    source = container.demux(stream)
    while True:
        try:
            packet = next(source)
        except StopIteration:
            break
        except FFmpegError:  # it breaks off
            damaged += 1
            break
        packets += 1
        try:
            yield from packet.decode()
        except FFmpegError:
            damaged += 1
    if damaged * 2 > packets:
        raise NotAudio("more of it is damaged than not")


def limit_oneself() -> None:
    """Take no more time and memory than is set, write nothing and open nothing, from now on.

    What is open stays so: the file to hear, and the way to whoever asks.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))  # no other file and no socket
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Hear one file for whoever started this."""
    for late in _LATE_MODULES:
        import_module(late)
    limit_oneself()
    serve(lambda job: msgspec.msgpack.encode(hear(msgspec.msgpack.decode(job, type=Sound))))
