"""Zip archives from strangers: unpacked within bounds, or refused. Pure.

Invariant: what is unpacked is counted while it is inflated; what headers say of sizes is never believed.
"""

import stat
import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from quintet.apps.wigg.milestones.chapters.model import Unreadable

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_PARTS: Final = 2000
# A single document of a book: War and Peace as one has five million characters.
MOST_BYTES_OF_ONE: Final = 16 * 1024 * 1024
_STEP: Final = 64 * 1024
_ENCRYPTED: Final = 0x1
_BROKEN: Final = (
    BadZipFile, LargeZipFile, NotImplementedError, RuntimeError, zlib.error, struct.error, EOFError, OSError,
    ValueError, LookupError, OverflowError,
)  # fmt: skip


class Archive:
    """A zip archive all of whose parts have been unpacked once; raises Unreadable while it is opened."""

    def __init__(self, content: bytes) -> None:
        with _broken_is_unreadable():
            self._zip = ZipFile(BytesIO(content))
            entries = self._zip.infolist()
            if len(entries) > MOST_PARTS:
                raise Unreadable(f"more than {MOST_PARTS} parts")
            self._parts: dict[str, ZipInfo] = {}
            for entry in entries:
                self._check(entry)
                self._parts[entry.filename] = entry
            left = MOST_BYTES
            for entry in entries:
                left -= sum(len(piece) for piece in self._pieces(entry, left))

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def read(self, name: str) -> bytes:
        """A part's bytes; raises Unreadable where it is missing or too large."""
        if name not in self._parts:
            raise Unreadable("is missing", part=name)
        with _broken_is_unreadable():
            return b"".join(self._pieces(self._parts[name], MOST_BYTES_OF_ONE))

    def _check(self, entry: ZipInfo) -> None:
        name = entry.filename
        if name in self._parts:
            raise Unreadable("stands twice in the archive", part=name)
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name.split("/")[0]:
            raise Unreadable("a name that leads out of the archive", part=name)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable("a link", part=name)
        if entry.flag_bits & _ENCRYPTED:
            raise Unreadable("is encrypted", part=name)
        if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:  # all that a book may use
            raise Unreadable("is packed in another way than deflate", part=name)

    def _pieces(self, entry: ZipInfo, most: int) -> Generator[bytes]:
        with self._zip.open(entry) as file:
            while piece := file.read(_STEP):
                most -= len(piece)
                if most < 0:
                    raise Unreadable("unpacks to too much", part=entry.filename)
                yield piece


@contextmanager
def _broken_is_unreadable() -> Generator[None]:
    try:
        yield
    except _BROKEN as error:
        raise Unreadable("not a whole zip archive") from error
