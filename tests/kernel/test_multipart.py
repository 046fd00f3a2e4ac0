"""Forms: what honest clients send is read, what is hostile or broken is refused by a stable code."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.kernel.http.call import Rules
from quintet.kernel.http.multipart import MOST_PARTS, Form, form_of, read_form
from quintet.kernel.refusals import (
    InvalidRequest,
    MalformedMultipart,
    NotUtf8,
    Refusal,
    TooLarge,
    UnsupportedMediaType,
)

MOST = 10_000
JPEG = b"\xff\xd8\r\n--x\r\n\0\xff"


def part(headers: str, content: bytes = b"v") -> bytes:
    return b"--x\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n"


def named(name: str, content: bytes = b"v", more: str = "") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"{more}', content)


END = b"--x--\r\n"


def test_what_clients_send_is_read() -> None:
    request = httpx2.Request(
        "POST",
        "http://a/",
        data={"format": "text", "source": "größe"},
        files={"file": ("ka pitel.jpg", JPEG.replace(b"x", b"y"), "image/jpeg")},
    )
    boundary = request.headers["content-type"].partition("boundary=")[2]
    form = form_of(request.read(), boundary, MOST)
    file = form.file("file")
    assert (file.filename, file.content_type) == ("ka pitel.jpg", "image/jpeg")
    assert file.content == JPEG.replace(b"x", b"y")
    assert (form.text("format", 10), form.text("source", 10), form.text("none", 10)) == (
        "text",
        "größe",
        None,
    )
    form.check_names({"file", "format", "source"})
    assert form_of(END, "x", MOST) == Form([])
    assert form_of(named("a", b"") + END, "x", MOST).file("a").content == b""


@given(
    st.lists(st.tuples(st.text("abcä", min_size=1, max_size=5), st.binary(max_size=300)), max_size=MOST_PARTS)
)
def test_parts_come_back_as_they_went_in(given_parts: list[tuple[str, bytes]]) -> None:
    boundary = "b" * 40
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in given_parts
    )
    form = form_of(body + f"--{boundary}--".encode(), boundary, MOST)
    assert [(one.name, one.content) for one in form.parts] == given_parts


@pytest.mark.parametrize(
    ("body", "boundary", "refusal"),
    [
        (b"", "x", MalformedMultipart),
        (b"{}", "x", MalformedMultipart),
        (named("a"), "x", MalformedMultipart),  # ends early
        (named("a") + END, "", MalformedMultipart),
        (named("a") + END, "y", MalformedMultipart),
        (b"junk" + named("a") + END, "x", MalformedMultipart),
        (part("Content-Type: text/plain") + END, "x", MalformedMultipart),
        (part("Content-Disposition: form-data") + END, "x", MalformedMultipart),
        (part('Content-Disposition: attachment; name="a"') + END, "x", MalformedMultipart),
        (named("a", more="\r\nContent-Length: 7") + END, "x", MalformedMultipart),
        (named("a", more="\r\nContent-Transfer-Encoding: base64") + END, "x", MalformedMultipart),
        (b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nv\r\n' + END, "x", MalformedMultipart),
        (named("a") * (MOST_PARTS + 1) + END, "x", TooLarge),
        (named("a", b"v" * (MOST + 1)) + END, "x", TooLarge),
        (named("a" * 2000) + END, "x", TooLarge),
        (named("a", more="\r\nX-H: 1" * 9) + END, "x", TooLarge),
        (named("a\0") + END, "x", InvalidRequest),
    ],
)  # fmt: skip
def test_what_is_broken_is_refused(body: bytes, boundary: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        form_of(body, boundary, MOST)


@given(st.binary(max_size=200), st.lists(st.sampled_from([
    b"--x", b"\r\n", b"\n", b"--", b"Content-Disposition: form-data; name=", b'"a"', b";", b" ", b":",
    b"\xff", b"\0", b"Content-Length: -1", b"filename=",
])))  # fmt: skip
def test_nothing_else_is_ever_raised(junk: bytes, words: list[bytes]) -> None:
    for body in (junk, b"".join(words), b"--x\r\n" + b"".join(words) + junk):
        with suppress(MalformedMultipart, TooLarge, InvalidRequest):
            form_of(body, "x", MOST)


def test_fields_are_text() -> None:
    def text(content: bytes) -> str | None:
        return form_of(named("a", content) + END, "x", MOST).text("a", 5)

    assert text("größe".encode()) == "größe"
    with pytest.raises(NotUtf8):
        text(b"\xff")
    for content, code in ((b"a\0", "invalid_text"), (b"123456", "too_long")):
        with pytest.raises(InvalidRequest) as refused:
            text(content)
        assert (refused.value.errors[0].code, refused.value.errors[0].pointer) == (code, "/a")


def test_names_are_known_and_stand_once() -> None:
    form = form_of(named("a") + named("a") + END, "x", MOST)
    for wrong, code, pointer in (
        (lambda: form.part("a"), "too_many", "/a"),
        (lambda: form.file("b"), "missing", "/b"),
        (lambda: form.check_names({"b"}), "unknown_field", "/a"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            wrong()
        assert (refused.value.errors[0].code, refused.value.errors[0].pointer) == (code, pointer)


async def test_only_forms_are_read() -> None:
    def request(kind: str) -> Any:
        async def body() -> bytes:
            return named("a") + END

        return SimpleNamespace(
            headers={"content-type": kind}, media_type=kind.partition(";")[0], body=body, rules=Rules()
        )

    assert (await read_form(request("multipart/form-data; boundary=x"))).file("a").content == b"v"
    assert (await read_form(request('multipart/form-data; charset=utf-8; boundary="x"'))).parts
    for kind in ("", "application/json", "multipart/mixed; boundary=x"):
        with pytest.raises(UnsupportedMediaType):
            await read_form(request(kind))
    for kind in ("multipart/form-data", "multipart/form-data; boundary=" + "x" * 300):
        with pytest.raises(MalformedMultipart):
            await read_form(request(kind))
