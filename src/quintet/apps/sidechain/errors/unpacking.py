"""Bodies that come packed.

Invariant: nothing is unpacked beyond the bytes allowed, so a small body never becomes a large one in memory.
"""

import zlib
from typing import Final

from quintet.apps.sidechain.errors.model import MalformedGzip
from quintet.kernel.refusals import TooLarge, UnsupportedMediaType

_GZIP_FORMAT: Final = 31  # zlib's number for: a gzip header, the largest window


def unpacked(body: bytes, encoding: str, most_bytes: int) -> bytes:
    """The body without its `Content-Encoding`.

    Raises TooLarge as soon as more than `most_bytes` come out, MalformedGzip for what is cut off, altered or
    followed by more, and UnsupportedMediaType for other encodings.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":  # RFC 9110, 8.4.1.3: the same
            return _without_gzip(body, most_bytes)
        case _:
            raise UnsupportedMediaType("Content-Encoding: gzip, or none", headers={"Accept-Encoding": "gzip"})


def _without_gzip(body: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP_FORMAT)
    try:
        plain = unpacker.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise MalformedGzip from error
    if len(plain) > most_bytes:
        raise TooLarge(f"at most {most_bytes} bytes unpacked")
    # A second member after the first would be another body: a mebibyte of empty ones is only work.
    if not unpacker.eof or unpacker.unused_data:
        raise MalformedGzip
    return plain
