"""A file of chapters on its way in: from a form or from JSON, then read in threads of their own.

Invariant: at most two files are read at a time and at most twenty wait, so that costly ones (a book unpacks
to 64 MiB) hold up each other, never the server.
"""

import asyncio
import base64
import binascii
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from quintet.apps.wigg.milestones.chapters import Chapters, Format, Unreadable, read_chapters
from quintet.apps.wigg.milestones.model import MOST_FILE_BYTES, ChapterFile, ImportedSource
from quintet.apps.wigg.milestones.rules import PastTheEnd
from quintet.kernel.http import Call, Form, read_form
from quintet.kernel.http.multipart import MULTIPART
from quintet.kernel.refusals import Fault, InvalidRequest, TooLarge, Unavailable, invalid

THREADS: Final = 2
MOST_WAITING: Final = 20
_ZIP_IN_BASE64: Final = "UEsD"
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="chapters")


class Upload(msgspec.Struct, frozen=True):
    """A file as it came, and where in the request it stood."""

    content: bytes
    format: Format | None
    source: ImportedSource
    pointer: str


async def upload_of(request: Call) -> Upload:
    """The file that a request brings, as a form or as JSON; raises TooLarge above 2 MiB."""
    if request.media_type == MULTIPART:
        upload = _from_form(await read_form(request))
    else:
        upload = _from_json(await request.json_as(ChapterFile))
    if len(upload.content) > MOST_FILE_BYTES:
        raise TooLarge(f"a file has at most {MOST_FILE_BYTES} bytes")
    return upload


def _from_form(form: Form) -> Upload:
    form.check_names({"file", "format", "source"})
    content = form.file("file").content
    format_: Format | None = _choice(form, "format", Format)
    source: ImportedSource = _choice(form, "source", ImportedSource) or "scraped"
    return Upload(content, format_, source, "/file")


def _choice(form: Form, name: str, choices: Any) -> Any:
    """A field that names one of several; None where it is missing or left empty, as browsers send it."""
    text = form.text(name, 40)
    if not text:
        return None
    try:
        return msgspec.convert(text, choices)
    except msgspec.ValidationError as error:
        raise invalid("out_of_range", str(error), pointer=f"/{name}") from error


def _from_json(given: ChapterFile) -> Upload:
    content = given.content.encode()
    if given.format == "epub" or (given.format is None and given.content.startswith(_ZIP_IN_BASE64)):
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error as error:
            raise invalid("malformed_file", "a book stands here in base64", pointer="/content") from error
    return Upload(content, given.format, given.source or "scraped", "/content")


class _Queue:
    """How many files are being read or wait for it."""

    length = 0


async def chapters_of(upload: Upload) -> Chapters:
    """The chapters of a file; raises Unreadable, or Unavailable when too many wait."""
    if _Queue.length >= THREADS + MOST_WAITING:
        raise Unavailable("too many files are being read at this moment", retry_after_seconds=2)
    _Queue.length += 1
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(_threads, read_chapters, upload.content, upload.format)
    future.add_done_callback(_leave)  # where its caller has gone meanwhile, the thread is still busy
    return await asyncio.shield(future)


def _leave(future: asyncio.Future[Chapters]) -> None:
    _Queue.length -= 1
    if not future.cancelled():
        future.exception()  # told to whoever waits; nobody may be left


@contextmanager
def unreadable_is_refused(upload: Upload) -> Generator[None]:
    """Turn Unreadable into an `invalid_request` whose entry names the line and the reason."""
    try:
        yield
    except Unreadable as error:
        code = "past_the_end" if isinstance(error, PastTheEnd) else "malformed_file"
        fault = Fault(code, str(error), pointer=upload.pointer)
        raise InvalidRequest(str(error), errors=[fault], members={"line": error.line or None}) from error
