"""Arriving: the one file of a form on its way into a temporary file, a piece at a time.

Invariant: memory stays flat, however large and many the files; and the temporary file has no name, so that it
goes with whoever holds it, a server that is killed too.
"""

import asyncio
import hashlib
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from multipart import MultipartSegment, PushMultipartParser

from quintet.kernel.files.keeping import Arrival
from quintet.kernel.http.call import Call
from quintet.kernel.http.multipart import checked_segment, malformed_is_refused, parser_of
from quintet.kernel.json import check_text
from quintet.kernel.refusals import TooManyConnections, Unavailable, invalid

# What a slow client holds is a place and a temporary file; both are bounded.
MOST_AT_ONCE: Final = 100  # in this process
MOST_OF_ONE: Final = 20
FORM_BYTES: Final = 16 * 1024  # what a form may have around its file
_WRITE_BYTES: Final = 256 * 1024


class _Place:
    """Who has files arriving in this process."""

    arriving: ClassVar[Counter[str]] = Counter()


@asynccontextmanager
async def arriving(request: Call, name: str, most_bytes: int) -> AsyncGenerator[Arrival]:
    """The file that stands in the request's form under `name`, for as long as the block lasts.

    The route's `most_bytes` leave room for the form around it. Raises UnsupportedMediaType for what is no
    form, MalformedMultipart, TooLarge, RequestTimeout, InvalidRequest where the part is missing, stands
    there twice or among others, and TooManyConnections or Unavailable where too many arrive at once.
    """
    parser = parser_of(request, most_bytes)
    whose = request.call_state.address if request.viewer is None else str(request.viewer.id)
    if _Place.arriving[whose] >= MOST_OF_ONE:
        raise TooManyConnections(f"at most {MOST_OF_ONE} files at once")
    if _Place.arriving.total() >= MOST_AT_ONCE:
        raise Unavailable("Many files are arriving: try again in a moment.", 2)
    _Place.arriving[whose] += 1
    try:
        with await asyncio.to_thread(_nameless, request.kernel.settings.data / "arriving") as file:
            yield await _receive(request, parser, name, file)
    finally:
        _Place.arriving[whose] -= 1
        if not _Place.arriving[whose]:
            del _Place.arriving[whose]


def arriving_now(whose: str) -> int:
    """How many files of that user or address are arriving in this process."""
    return _Place.arriving[whose]


def _nameless(folder: Path) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    # Unbuffered, since processes that look into it move its one position under a buffer's feet.
    return tempfile.TemporaryFile(dir=folder, buffering=0)


async def _receive(request: Call, parser: PushMultipartParser, name: str, file: BinaryIO) -> Arrival:
    digest = hashlib.sha256()
    waiting, size, found = bytearray(), 0, False

    def write(data: bytes) -> None:
        digest.update(data)
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]

    with malformed_is_refused(), parser:
        async for piece in request.pieces():
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    _check_name(checked_segment(event).name or "", name, found=found)
                    found = True
                elif event is not None:
                    waiting += event
                    size += len(event)
            if len(waiting) >= _WRITE_BYTES:
                full, waiting = bytes(waiting), bytearray()
                await asyncio.to_thread(write, full)  # the disk may be slow, the loop must not be
    if not found:
        raise invalid("missing", f"a part named {name} is needed", pointer=f"/{name}")
    await asyncio.to_thread(write, bytes(waiting))
    return Arrival(file, size, digest.digest())


def _check_name(given: str, wanted: str, *, found: bool) -> None:
    check_text(given, "")
    if given != wanted:
        raise invalid("unknown_field", "no part has this name here", pointer=f"/{given}")
    if found:
        raise invalid("too_many", f"{wanted} stands there more than once", pointer=f"/{wanted}")
