"""Forms: the parts of a `multipart/form-data` body (RFC 7578), read whole and within bounds.

Invariant: a body counts against its route's `most_bytes` before it is taken apart, and no part, name or
header is larger or more numerous than said here.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser
from multipart import parse_options_header as options_of

from quintet.kernel.http.call import Call
from quintet.kernel.json import check_text
from quintet.kernel.refusals import MalformedMultipart, NotUtf8, TooLarge, UnsupportedMediaType, invalid

MULTIPART: Final = "multipart/form-data"
MOST_PARTS: Final = 20
_MOST_HEADER_BYTES: Final = 1024
_MOST_HEADERS: Final = 8
_LONGEST_CONTENT_TYPE: Final = 300  # the parser's patterns never see more than an honest boundary needs
_PLAIN_ENCODINGS: Final = {"", "7bit", "8bit", "binary"}

# How a route's form type names a file: its bytes as they are, not as the base64 that JSON would need.
File = Annotated[
    bytes,
    Meta(
        extra_json_schema={"format": "binary", "contentMediaType": "application/octet-stream"},
    ),
]


class FormPart(msgspec.Struct, frozen=True):
    """One part: a text field, or a file where it has a filename."""

    name: str
    filename: str | None
    content_type: str | None
    content: bytes


class Form(msgspec.Struct, frozen=True):
    """The parts of a form, in their order."""

    parts: list[FormPart]

    def part(self, name: str) -> FormPart | None:
        """The part of that name, or None; raises InvalidRequest where there are several."""
        found = [part for part in self.parts if part.name == name]
        if len(found) > 1:
            raise invalid("too_many", f"{name} stands there {len(found)} times", pointer=f"/{name}")
        return found[0] if found else None

    def file(self, name: str) -> FormPart:
        """The part of that name; raises InvalidRequest where it is missing."""
        part = self.part(name)
        if part is None:
            raise invalid("missing", f"a part named {name} is needed", pointer=f"/{name}")
        return part

    def text(self, name: str, most_characters: int) -> str | None:
        """A field's text, or None where it is not there.

        Raises NotUtf8, or InvalidRequest for NUL and for more than `most_characters`.
        """
        part = self.part(name)
        if part is None:
            return None
        try:
            text = part.content.decode()
        except UnicodeDecodeError as error:
            raise NotUtf8 from error
        check_text(text, f"/{name}")
        if len(text) > most_characters:
            raise invalid("too_long", f"at most {most_characters} characters", pointer=f"/{name}")
        return text

    def check_names(self, known: Collection[str]) -> None:
        """Raise `unknown_field` for a part of another name, so that a typo is never silently lost."""
        for part in self.parts:
            if part.name not in known:
                raise invalid("unknown_field", "no part has this name here", pointer=f"/{part.name}")


async def read_form(request: Call, *, most_part_bytes: int | None = None) -> Form:
    """The request's form.

    Raises UnsupportedMediaType for any other content, MalformedMultipart, TooLarge (the body by the route's
    `most_bytes`, a part by `most_part_bytes`, too many parts or headers), and `invalid_text` for a name
    with NUL.
    """
    boundary = _boundary_of(request)
    return form_of(await request.body(), boundary, most_part_bytes or request.rules.most_bytes)


def form_of(body: bytes, boundary: str, most_part_bytes: int) -> Form:
    """Take a body apart; raises as `read_form` does."""
    parts: list[FormPart] = []
    segment: MultipartSegment | None = None
    pieces: list[bytes] = []
    with malformed_is_refused(), _parser(boundary, most_part_bytes) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment, pieces = event, []
            elif event is not None:
                pieces.append(bytes(event))
            elif segment is not None:
                parts.append(_part(segment, b"".join(pieces)))
    return Form(parts)


def parser_of(request: Call, most_part_bytes: int) -> PushMultipartParser:
    """What takes the request's body apart piece by piece, for forms too large to be read whole.

    To be used within `malformed_is_refused`. Raises UnsupportedMediaType and MalformedMultipart.
    """
    with malformed_is_refused():
        return _parser(_boundary_of(request), most_part_bytes)


@contextmanager
def malformed_is_refused() -> Generator[None]:
    """Turn what the parser raises into TooLarge or MalformedMultipart."""
    try:
        yield
    except ParserLimitReached as error:
        raise TooLarge(str(error)) from error
    except MultipartError as error:
        raise MalformedMultipart(str(error)) from error


def checked_segment(segment: MultipartSegment) -> MultipartSegment:
    """The head of a part; raises `invalid_text` for NUL in its names, MalformedMultipart for an encoding."""
    check_text([segment.name or "", segment.filename], "")
    encoding = str(segment.header("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in _PLAIN_ENCODINGS:  # RFC 7578, 4.7: not for forms; taken as it is it would be garbage
        raise MalformedMultipart("a part has a Content-Transfer-Encoding")
    return segment


def _boundary_of(request: Call) -> str:
    if request.media_type != MULTIPART:
        raise UnsupportedMediaType(f"send {MULTIPART}")
    header = request.headers.get("content-type", "")
    if len(header) > _LONGEST_CONTENT_TYPE:
        raise MalformedMultipart("the boundary is too long")
    return options_of(header)[1].get("boundary", "")


def _parser(boundary: str, most_part_bytes: int) -> PushMultipartParser:
    return PushMultipartParser(
        boundary,
        max_header_size=_MOST_HEADER_BYTES,
        max_header_count=_MOST_HEADERS,
        max_segment_size=most_part_bytes,
        max_segment_count=MOST_PARTS,
        strict=True,
    )


def _part(segment: MultipartSegment, content: bytes) -> FormPart:
    checked_segment(segment)
    return FormPart(segment.name or "", segment.filename, segment.content_type, content)
