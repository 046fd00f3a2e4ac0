"""The storage: where files' bytes lie, a folder of ours or a bucket of S3's kind.

Invariant: what was put survives a crash, of the machine too; a file is there whole or not at all.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from quintet.kernel.ids import new_id
from quintet.kernel.refusals import Unavailable

CHUNK_BYTES: Final = 256 * 1024  # what one reader holds in memory
_LOCAL_PART_BYTES: Final = 1024 * 1024
_S3_PART_BYTES: Final = 5 * 1024 * 1024  # S3 takes no smaller part
_MOST_PARTS_AT_ONCE: Final = 2
_MOST_PUTS_AT_ONCE: Final = 4  # so that all of them hold at most 40 MiB


class Storage:
    """One folder or bucket."""

    def __init__(self, url: str, data: Path) -> None:
        self._url = url
        self._folder = None if url else data / "files"
        self._turn = asyncio.Semaphore(_MOST_PUTS_AT_ONCE)

    @cached_property
    def _store(self) -> Any:
        # Opened when it is first needed: a server that keeps no files makes no folder.
        if self._folder is None:
            return from_url(self._url)
        return LocalStore(self._folder, mkdir=True)

    async def put(self, file_id: UUID, content: BinaryIO) -> None:
        """Store all of `content`, from its beginning; raises Unavailable."""
        part = _S3_PART_BYTES if self._folder is None else _LOCAL_PART_BYTES
        async with self._turn, _away_is_unavailable():
            content.seek(0)
            await obstore.put_async(
                self._store, _place(file_id), content, chunk_size=part, max_concurrency=_MOST_PARTS_AT_ONCE
            )
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / _place(file_id))

    async def read(self, file_id: UUID, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`, in chunks; raises FileNotFoundError or Unavailable.

        `start` lies before `stop`, and `stop` not behind the end.
        """
        async with _away_is_unavailable():
            got = await obstore.get_async(self._store, _place(file_id), options={"range": (start, stop)})
        return _chunks(got)

    async def remove(self, file_ids: Iterable[UUID]) -> None:
        """Remove these files; those that are not there are removed already. Raises Unavailable."""
        async with _away_is_unavailable():
            for file_id in file_ids:
                try:
                    await obstore.delete_async(self._store, _place(file_id))
                except FileNotFoundError:
                    if self._folder is None:  # of a bucket it means that the bucket is missing
                        raise Unavailable from None

    def try_out(self) -> None:
        """Write something and remove it; raises OSError or obstore's BaseError where that does not work."""
        place = f"trial/{new_id().hex}"
        obstore.put(self._store, place, b"quintet")
        obstore.delete(self._store, place)


def _place(file_id: UUID) -> str:
    """Where a file lies: spread over 256 folders by the random end of its id."""
    return f"{file_id.hex[-2:]}/{file_id.hex}"


def _sync(path: Path) -> None:
    """Wait until the disk has the file and its names."""
    for one in (path, path.parent, path.parent.parent):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


async def _chunks(got: Any) -> AsyncGenerator[bytes]:
    async with _away_is_unavailable():
        async for chunk in got.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)


@asynccontextmanager
async def _away_is_unavailable() -> AsyncGenerator[None]:
    """Turn what can go wrong with the storage into Unavailable; what is missing stays FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise Unavailable("The storage of files is away for the moment.") from error
