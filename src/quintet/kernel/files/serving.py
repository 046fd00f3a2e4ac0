"""A file as an answer: whole or a part, streamed, at most one chunk of it in memory.

Invariant: what a browser takes a file for is what the database says: never guessed, never a page of ours.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, Final

from quintet.kernel.files.queries import FileRow
from quintet.kernel.files.ranges import Part, Unsatisfiable, part_asked_for
from quintet.kernel.http.answer import Answer, Rendered, names_tag
from quintet.kernel.http.call import Call, ClientGone
from quintet.kernel.refusals import NotFound, RangeNotSatisfiable, Unavailable
from quintet.kernel.telemetry import get_logger

CHUNK_SECONDS: Final = 60.0  # in which a reader takes a chunk; else it may come back for more
_SHOWN: Final = ("audio/", "video/", "image/png", "image/jpeg", "image/webp", "image/gif", "image/avif")
_HEADERS: Final = [
    (b"accept-ranges", b"bytes"),
    (b"x-content-type-options", b"nosniff"),
    # Should a browser show it as a page all the same, then one that may do nothing.
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"cross-origin"),  # whoever was told the address may use it anywhere
]


class FileAnswer(Answer[bytes]):
    """The file, or the part that the request asks for."""

    def __init__(self, file: FileRow, max_age_seconds: int) -> None:
        super().__init__(b"")
        self._file = file
        self._max_age_seconds = max_age_seconds

    def to_asgi_response(self, *, request: Call, status_code: int | None = None, **_: Any) -> Any:  # noqa: ARG002 (Litestar's)
        """The answer to this very request, as an ASGI application; raises RangeNotSatisfiable."""
        file, asked = self._file, request.headers
        tag = file.sha256.hex()[:32]
        headers = [
            *_HEADERS,
            (b"etag", f'"{tag}"'.encode()),
            (b"cache-control", b"private, max-age=%d" % self._max_age_seconds),
        ]
        if (known := asked.get("if-none-match")) and names_tag(known, tag):
            return Rendered(304, headers, b"")
        is_head = request.call_state.is_head  # a range means nothing to it
        try:
            part = None if is_head else part_asked_for(
                asked.get("range"), asked.get("if-range"), file.size_bytes, f'"{tag}"'
            )  # fmt: skip
        except Unsatisfiable as error:
            raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{file.size_bytes}"}) from error
        start, stop = (0, file.size_bytes) if part is None else (part.start, part.stop)
        shown = file.content_type.startswith(_SHOWN)
        headers += [
            (b"content-type", file.content_type.encode()),
            (b"content-disposition", b"inline" if shown else b"attachment"),
            (b"content-length", str(stop - start).encode()),
        ]
        if part is not None:
            headers.append((b"content-range", f"bytes {start}-{stop - 1}/{file.size_bytes}".encode()))
        status = 200 if part is None else 206

        async def run(_scope: Any, receive: Any, send: Any) -> None:
            head = {"type": "http.response.start", "status": status, "headers": headers}
            if is_head or start == stop:
                await send(head)
                await send({"type": "http.response.body", "body": b""})
            else:
                await _stream(request, file, Part(start, stop), head, receive, send)

        return run


async def _stream(request: Call, file: FileRow, part: Part, head: Any, receive: Any, send: Any) -> None:
    chunks = await _opened(request, file, part)
    gone = asyncio.create_task(_watch(receive))
    try:
        async with aclosing(chunks):  # pyright: ignore[reportArgumentType]
            await send(head)
            async for chunk in chunks:
                async with asyncio.timeout(CHUNK_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if gone.done():
                    raise ClientGone
        await send({"type": "http.response.body", "body": b""})
    except (TimeoutError, Unavailable) as error:
        # Too late for another status: the connection breaks off, short of the length that was announced.
        get_logger().warning("file_cut_off", file_id=str(file.id), why=type(error).__name__)
        raise ClientGone from error
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _opened(request: Call, file: FileRow, part: Part) -> AsyncIterator[bytes]:
    try:
        return await request.kernel.files.storage.read(file.id, part.start, part.stop)
    except FileNotFoundError as error:  # the row outlived the bytes: a backup was restored without them
        get_logger().error("file_without_bytes", file_id=str(file.id))
        raise NotFound from error


async def _watch(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
