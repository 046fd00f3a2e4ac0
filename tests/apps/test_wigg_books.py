"""Books: an EPUB's table of contents is placed by text length, and a hostile archive does no harm."""

import io
import struct
import time
import zipfile
from typing import Any

import pytest
from tests.books import CONTAINER, DOCTYPE, NAV, NCX, OPF, PARTS, archive, book, page

from quintet.apps.wigg.milestones.chapters import Unreadable, read_chapters

ONE, TWO, NAV_PATH = "OEBPS/text/one.xhtml", "OEBPS/text/two parts.xhtml", "OEBPS/nav/toc.xhtml"


def entries(content: bytes) -> list[tuple[int, str]]:
    return [(int(one.at), one.label) for one in read_chapters(content, "epub").items]


def refusal(content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        read_chapters(content, "epub")
    return str(refused.value)


def test_without_a_navigation_document_the_ncx_counts() -> None:
    found = [(0, "Uno"), (40, "Due")]
    without = OPF.replace(' properties="nav"', "")
    assert entries(book(**{"OEBPS/content.opf": without})) == found
    assert entries(book(**{"OEBPS/content.opf": without.replace(' toc="ncx"', "")})) == found
    assert entries(book(**{NAV_PATH: NAV.replace('"toc"', '"lot"')})) == found
    assert entries(book(**{NAV_PATH: None, "OEBPS/content.opf": without})) == found


def test_where_an_entry_stands() -> None:
    """A missing place is the beginning of its document; indentation and what is not linear do not count."""
    assert entries(book(**{NAV_PATH: NAV.replace("late%20one", "nowhere")}))[2] == (30, "Two, later")
    assert entries(
        book(**{NAV_PATH: NAV.replace("../text/two%20parts.xhtml#late", "../text/notes.xhtml#l")})
    )[2] == (30, "Two, later")
    indented = page(f"\n\n\n<p>\t{'a' * 30}</p>" + "\n" * 1000)
    assert entries(book(**{ONE: indented})) == [(0, "One bright day"), (30, "Two"), (40, "Two, later")]
    pictured = NAV.replace("Two<", '<img alt="Deux"/><')
    assert entries(book(**{NAV_PATH: pictured}))[1] == (30, "Deux")
    bare = page("<a name='late one'/>" + "c" * 70, "<!DOCTYPE html>")
    assert entries(book(**{TWO: bare}))[2] == (30, "Two, later")


def test_fonts_may_be_encrypted_and_text_may_not() -> None:
    listed = (
        "<encryption><EncryptedData><CipherData><CipherReference URI='{}'/></CipherData></EncryptedData>"
        "</encryption>"
    )
    assert len(entries(book(**{"META-INF/encryption.xml": listed.format("OEBPS/font.otf")}))) == 3
    assert "encrypted" in refusal(
        book(**{"META-INF/encryption.xml": listed.format("OEBPS/text/two%20parts.xhtml")})
    )


DECLARED = "<!DOCTYPE html [\n<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"META-INF/container.xml": None}, "META-INF/container.xml: is missing"),
        ({"META-INF/container.xml": "<container/>"}, "names no package"),
        ({"META-INF/container.xml": CONTAINER.replace("content.opf", "other.opf")}, "other.opf: is missing"),
        ({"OEBPS/content.opf": "<package/>"}, "no manifest"),
        ({"OEBPS/content.opf": OPF.replace('"c2"/>', '"c3"/>')}, "line 11: the spine names a file"),
        ({"OEBPS/content.opf": OPF.replace('idref="c2"', 'idref="c1"')}, "line 11: stands twice"),
        ({"OEBPS/content.opf": OPF.replace("text/one", "https:///x")}, "spine names|leads out"),
        ({"OEBPS/content.opf": OPF.replace(' properties="nav"', "").replace("dtbncx", "x")}, "no table"),
        ({NAV_PATH: None}, "toc.xhtml: is missing"),
        ({TWO: None}, "the spine names a file"),
        ({ONE: page(""), TWO: page("")}, "no text"),
        ({ONE: "<html><p></html>"}, f"{ONE} line 1: mismatched tag"),
        ({ONE: page("x", DECLARED)}, f"{ONE} line 2: declares an entity"),
        ({"OEBPS/content.opf": DECLARED + OPF.partition("?>")[2]}, "declares an entity"),
        ({NAV_PATH: NAV.replace('../text/one.xhtml">One', '../../../etc/passwd">One')}, "line 5: leads to"),
        ({NAV_PATH: NAV.replace('../text/one.xhtml">One', 'file:///etc/passwd">One')}, "line 5: leads out"),
        ({NAV_PATH: NAV.replace('../text/one.xhtml">One', '//[x">One')}, "line 5: not an address"),
        ({NAV_PATH: NAV.replace("<li><span>", "<a href='../text/one.xhtml'>x</a>" * 1001 + "<li><span>")},
         "more than 1000"),
        ({NAV_PATH: NAV.replace('"toc"', '"lot"'), "OEBPS/toc.ncx": "<ncx/>"}, "toc.ncx line 1: no navMap"),
        ({NAV_PATH: NAV.replace('"toc"', '"lot"'), "OEBPS/toc.ncx": NCX.replace("src=", "href=")}, "nowhere"),
        ({"../evil": "x"}, "leads out of the archive"),
        ({"/evil": "x"}, "leads out of the archive"),
        ({"C:/evil": "x"}, "leads out of the archive"),
        ({"a\\..\\evil": "x"}, "leads out of the archive"),
        ({str(number): "" for number in range(2000)}, "more than 2000 parts"),
        ({"bomb": b"\0" * (65 * 1024 * 1024)}, "bomb: unpacks to too much"),
        ({ONE: page("<i/>" * 1_000_000)}, f"{ONE} line 3: too many elements"),
        ({ONE: page("&nbsp;" * 1_000_000, DOCTYPE)}, f"{ONE} line 3: too many elements"),
    ],
)  # fmt: skip
def test_a_broken_book_is_refused(changed: dict[str, Any], said: str) -> None:
    began = time.process_time()
    message = refusal(book(**changed))
    assert any(one in message for one in said.split("|")), message
    assert time.process_time() - began < 10


def test_what_is_no_zip_or_no_plain_one_is_refused() -> None:
    whole = book()
    for broken in (b"", b"PK\x03\x04", b"hello", whole[:-30], whole[: len(whole) // 2], whole[100:]):
        assert refusal(broken) == "not a whole zip archive"
    for packing in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", packing) as zipped:
            zipped.writestr("mimetype", PARTS["mimetype"])
        assert "another way than deflate" in refusal(kept.getvalue())
    encrypted = bytearray(archive({"mimetype": "x"}))
    at = encrypted.index(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    assert refusal(bytes(encrypted)) == "mimetype: is encrypted"
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as zipped:
        zipped.writestr(link, "/etc/passwd")
    assert refusal(kept.getvalue()) == "link: a link"
    twice = archive({"one": "a", "two": "b"}).replace(b"two", b"one")
    assert refusal(twice) == "one: stands twice in the archive"


def test_headers_that_lie_about_sizes_gain_nothing() -> None:
    """A part that unpacks to much more than its headers say is refused, whatever they say."""
    parts = {**PARTS, "lie": b"\0" * (100 * 1024 * 1024)}
    honest = archive(parts)
    size = struct.pack("<I", 100 * 1024 * 1024)
    assert honest.count(size) == 2
    assert "unpacks to too much" in refusal(honest)
    assert refusal(honest.replace(size, struct.pack("<I", 10))) == "not a whole zip archive"
    # A hundred parts of one megabyte each are too much together, too.
    assert "unpacks to too much" in refusal(book(**{f"p{n}": b"\0" * 1024 * 1024 for n in range(100)}))


def test_many_entries_that_share_one_packed_stream_are_counted_each() -> None:
    """The central directory may name the same bytes a thousand times: each time they count."""
    packed = archive({"a": b"\0" * (1024 * 1024)})
    end = packed.index(b"PK\x05\x06")
    begin = packed.index(b"PK\x01\x02")
    entry = packed[begin:end]
    count = 1000
    names = [f"{n:04}" for n in range(count)]
    directory = b"".join(entry[:28] + struct.pack("<H", 4) + entry[30:46] + name.encode() for name in names)
    tail = packed[end : end + 8] + struct.pack("<HHII", count, count, len(directory), begin) + b"\0\0"
    assert refusal(packed[:begin] + directory + tail)
