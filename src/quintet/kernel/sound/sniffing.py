"""What kind of audio a file is, by its bytes; names and labels count for nothing.

Invariant: a file whose beginning is not exactly that of a known kind is of none.
"""

from collections.abc import Callable
from typing import BinaryIO, Final

import msgspec

_ID3_BYTES: Final = 10
_PADDING_BYTES: Final = 4096  # zeros that some taggers leave behind their tag
_FRAMES: Final = 3  # that must follow one another, where the file is long enough

# ISO/IEC 11172-3 and 13818-3: kbit/s by index of layer III, of version 1 and of versions 2 and 2.5.
_BIT_RATES: Final = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


class Kind(msgspec.Struct, frozen=True):
    """A kind of file: the demuxer that opens it, and how it is labelled when it is served."""

    demuxer: str
    content_type: str


WAV = Kind("wav", "audio/wav")
AIFF = Kind("aiff", "audio/aiff")
FLAC = Kind("flac", "audio/flac")
OGG = Kind("ogg", "audio/ogg")
MP4 = Kind("mp4", "audio/mp4")
MP3 = Kind("mp3", "audio/mpeg")
AAC = Kind("aac", "audio/aac")


def kind_of(file: BinaryIO) -> Kind | None:
    """The file's kind, or None."""
    file.seek(0)
    head = file.read(12)
    match head[:4], head[8:12]:
        case ((b"RIFF" | b"RF64" | b"BW64"), b"WAVE"):
            return WAV
        case b"FORM", (b"AIFF" | b"AIFC"):
            return AIFF
        case b"OggS", _:
            return OGG
        case _ if head[4:8] == b"ftyp":
            return MP4
        case _:
            return _kind_behind_tag(file, _end_of_tag(file, head))


def _end_of_tag(file: BinaryIO, head: bytes) -> int:
    """Where an ID3 tag of version 2 ends, with its padding; 0 without one (id3.org, ID3v2.4.0, 3.1)."""
    if head[:3] != b"ID3" or len(head) < _ID3_BYTES or max(head[6:10]) > 0x7F:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    end = _ID3_BYTES + size + (_ID3_BYTES if head[5] & 0x10 else 0)  # and a footer, where it has one
    file.seek(end)
    padding = file.read(_PADDING_BYTES)
    return end + len(padding) - len(padding.lstrip(b"\0"))


def _kind_behind_tag(file: BinaryIO, start: int) -> Kind | None:
    file.seek(start)
    if file.read(4) == b"fLaC":
        return FLAC
    if _are_frames(file, start, _mp3_frame_bytes):
        return MP3
    if _are_frames(file, start, _aac_frame_bytes):
        return AAC
    return None


def _are_frames(file: BinaryIO, at: int, bytes_of: Callable[[bytes], int]) -> bool:
    """Whether frames follow one another from there; a file that ends sooner has fewer, but one at least."""
    for number in range(_FRAMES):
        file.seek(at)
        head = file.read(8)
        if number and len(head) < 8:
            return True
        size = bytes_of(head)
        if not size:
            return False
        at += size
    return True


def _mp3_frame_bytes(head: bytes) -> int:
    """How long the frame of MPEG audio, layer III, is that begins so; 0 where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, bit_rate, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bit_rate in {0, 15} or rate == 3:
        return 0
    factor = 144 if version == 3 else 72
    return factor * 1000 * _BIT_RATES[version][bit_rate] // _RATES[version][rate] + (head[2] >> 1 & 1)


def _aac_frame_bytes(head: bytes) -> int:
    """How long the ADTS frame of AAC (ISO/IEC 13818-7, section 6.2) is that begins so; 0 where none does."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0
