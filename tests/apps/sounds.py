"""Sounds of every kind, made by the encoders of the library that hears them."""

import array
import io
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import av
import msgspec

Signal = Callable[[float], float]  # from seconds to -1..1
BLOCK = 1024


class Coding(msgspec.Struct, frozen=True):
    """A container and a codec, how the server is to label it, and what it may do to a signal."""

    name: str
    container: str
    codec: str
    content_type: str
    rate: int = 44100
    spare_frames: int = 0  # padding that the codec may leave at the end
    loss: float = 0.005  # how far off a peak may be
    options: dict[str, str] = {}


CODINGS = [
    Coding("wav-16", "wav", "pcm_s16le", "audio/wav"),
    Coding("wav-8", "wav", "pcm_u8", "audio/wav", loss=0.02),
    Coding("wav-24", "wav", "pcm_s24le", "audio/wav", rate=96000),
    Coding("wav-float", "wav", "pcm_f32le", "audio/wav"),
    Coding("wav-adpcm", "wav", "adpcm_ms", "audio/wav", spare_frames=2048, loss=0.05),
    Coding("rf64", "wav", "pcm_s16le", "audio/wav", options={"rf64": "always"}),
    Coding("aiff", "aiff", "pcm_s16be", "audio/aiff"),
    Coding("aiff-24", "aiff", "pcm_s24be", "audio/aiff", rate=48000),
    Coding("flac", "flac", "flac", "audio/flac"),
    Coding("mp3", "mp3", "libmp3lame", "audio/mpeg", loss=0.06),
    Coding("mp3-low", "mp3", "libmp3lame", "audio/mpeg", rate=22050, loss=0.08),
    Coding("vorbis", "ogg", "vorbis", "audio/ogg", spare_frames=2048, loss=0.06),
    Coding("opus", "ogg", "libopus", "audio/ogg", rate=48000, spare_frames=960, loss=0.08),
    Coding("ogg-flac", "ogg", "flac", "audio/ogg"),
    Coding("m4a", "ipod", "aac", "audio/mp4", loss=0.08),
    Coding("m4a-lossless", "ipod", "alac", "audio/mp4"),
    Coding("aac", "adts", "aac", "audio/aac", spare_frames=4096, loss=0.12),
]
BY_NAME = {coding.name: coding for coding in CODINGS}


def silence(_seconds: float) -> float:
    return 0.0


def sine(loudness: float, pitch: float = 440.0) -> Signal:
    return lambda seconds: loudness * math.sin(2 * math.pi * pitch * seconds)


def fade(length: float) -> Signal:
    """From silence to full scale; a square, so that each moment's peak is its loudness."""
    return lambda seconds: (1 if int(seconds * 2000) % 2 else -1) * min(1.0, seconds / length)


def samples_of(signal: Signal, frames: int, rate: int) -> list[float]:
    return [signal(frame / rate) for frame in range(frames)]


def encoded(
    coding: Coding,
    signal: Signal,
    seconds: float = 1.0,
    channels: int = 2,
    tags: dict[str, str] | None = None,
    picture: bytes | None = None,
) -> bytes:
    """The signal in a file; the right channel is a tenth as loud as the left."""
    frames = round(seconds * coding.rate)
    samples = array.array("f", bytes(4 * frames * channels))
    for frame, sample in enumerate(samples_of(signal, frames, coding.rate)):
        for channel in range(channels):
            samples[frame * channels + channel] = sample if channel == 0 else sample / 10
    return written(coding, [samples], channels, tags, picture)


def written(
    coding: Coding,
    blocks: Iterable["array.array[float]"],
    channels: int = 2,
    tags: dict[str, str] | None = None,
    picture: bytes | None = None,
) -> bytes:
    """The blocks of interleaved samples, one after the other, in a file."""
    out = io.BytesIO()
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    # `bitexact` keeps the encoder's name and the date out: the same signal is the same bytes.
    with av.open(
        out, "w", format=coding.container, options={"fflags": "+bitexact", **coding.options}
    ) as file:
        stream: Any = file.add_stream(coding.codec, rate=coding.rate, layout=layout)
        if coding.codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        stream.codec_context.open()
        file.metadata.update(tags or {})
        cover: Any = None
        if picture is not None:
            cover = file.add_stream("png", rate=1)
            cover.width = cover.height = 1
            cover.disposition = 0x400  # attached_pic
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name,
            layout=layout,
            rate=coding.rate,
            frame_size=stream.codec_context.frame_size or BLOCK,
        )
        position = 0
        for block in blocks:
            frame = av.AudioFrame(format="flt", layout=layout, samples=len(block) // channels)
            frame.planes[0].update(block.tobytes())
            frame.sample_rate, frame.pts, frame.time_base = coding.rate, position, Fraction(1, coding.rate)
            position += frame.samples
            for ready in resampler.resample(frame):
                file.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            file.mux(stream.encode(ready))
        file.mux(stream.encode(None))
    return out.getvalue()
