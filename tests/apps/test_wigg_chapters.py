"""Chapter files: what is read out of them, and what is refused with its line."""

import codecs
import re
import tracemalloc
from contextlib import suppress
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apps.chapter_samples import READ, SAMPLES
from tests.books import NAV, book

from quintet.apps.wigg.milestones.chapters import READERS, Format, Unreadable, format_of, read_chapters
from quintet.apps.wigg.milestones.chapters.model import Chapters


def told(chapters: Chapters) -> list[tuple[Fraction, str, int]]:
    return [(one.at, one.label, one.line) for one in chapters.items]


def test_every_format_has_a_sample() -> None:
    assert set(SAMPLES) == set(READ) == set(READERS) == set(get_args(Format))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read(name: Format) -> None:
    for chapters in (read_chapters(SAMPLES[name], name), read_chapters(SAMPLES[name])):
        assert (told(chapters), chapters.whole) == READ[name]
        assert chapters.counts_seconds == (name != "epub")


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"epub"}))
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_may_end_in_any_way_and_a_byte_order_mark_is_read_over(name: Format, end: str) -> None:
    if name == "podcasting20" and end == "\r":
        return  # lines of JSON are only counted by \n
    content = codecs.BOM_UTF8 + SAMPLES[name].replace(b"\n", end.encode())
    assert told(read_chapters(content)) == READ[name][0]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"WEBVTT", "webvtt"),
        (b";FFMETADATA", "ffmetadata"),
        (b" \n<!-- <a> --><Chapters/>", "matroska"),
        ('<?xml version="1.0" encoding="utf-16"?><chapters/>'.encode("utf-16"), "podlove"),
        (b"<p:chapters xmlns:p='x'>", "podlove"),
        (b"\n {", "podcasting20"),
        (b"PK\x03\x04", "epub"),
        (b"\n\n 12:34 x", "text"),
        (b"", None),
        (b"hello", None),
        (b"<html/>", None),
        (b"\xff\xd8", None),
    ],
)
def test_sniffing(content: bytes, name: str | None) -> None:
    if name is None:
        with pytest.raises(Unreadable, match="line 1"):
            format_of(content)
    else:
        assert format_of(content) == name


def vtt(text: str) -> bytes:
    return f"WEBVTT\n\n{text}".encode()


def ff(text: str) -> bytes:
    return f";FFMETADATA1\n{text}".encode()


def mkv(inside: str, before: str = "") -> bytes:
    return f"{before}<Chapters>\n<EditionEntry>\n{inside}</EditionEntry></Chapters>".encode()


def psc(inside: str) -> bytes:
    return f"<chapters>\n{inside}</chapters>".encode()


BOMB = '<!DOCTYPE Chapters [\n<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE Chapters [\n<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("webvtt", b"", 1, "does not begin"),
        ("webvtt", b"WEBVTTX\n\n", 1, "does not begin"),
        ("webvtt", vtt("00:00.000 -> 00:01.000\nx"), 3, "neither a cue"),
        ("webvtt", vtt("a\n00:00.00 --> 00:01.000\nx"), 4, "not a timing"),
        ("webvtt", vtt("00:61.000 --> 00:71.000"), 3, "not a timing"),
        ("webvtt", vtt("00:00.000 --> 00:01.000x"), 3, "not a timing"),
        ("webvtt", vtt("00:02.000 --> 00:01.000"), 3, "ends before"),
        ("webvtt", vtt("00:00.000 --> 00:01.000\na\n\nb"), 6, "neither a cue"),
        ("webvtt", vtt("NOTES\nx"), 3, "neither a cue"),
        ("webvtt", b"WEBVTT\n\n\xff", 3, "UTF-8"),
        ("webvtt", b"WEBVTT\n\n\n\0", 4, "NUL"),
        ("ffmetadata", b"FFMETADATA1", 1, "does not begin"),
        ("ffmetadata", ff("a=b\nnonsense"), 3, "neither key=value"),
        ("ffmetadata", ff("[CHAPTER]\nEND=3"), 2, "without START"),
        ("ffmetadata", ff("[CHAPTER]\nSTART=x"), 3, "not a number"),
        ("ffmetadata", ff("[CHAPTER]\nSTART=-1"), 3, "before the beginning"),
        ("ffmetadata", ff("[CHAPTER]\nSTART=2\nEND=1"), 4, "ends before"),
        ("ffmetadata", ff("[CHAPTER]\nTIMEBASE=1/0\nSTART=2"), 3, "not a TIMEBASE"),
        ("ffmetadata", ff("[CHAPTER]\nSTART=" + "9" * 20), 3, "not a number"),
        ("matroska", b"<Chapters>", 1, "no element|unclosed"),
        ("matroska", b"<chapters/>", 1, "root is not"),
        ("matroska", b"<Chapters/>", 1, "no edition"),
        ("matroska", mkv("<ChapterAtom/>"), 3, "without ChapterTimeStart"),
        ("matroska", mkv("<ChapterAtom>\n<ChapterTimeStart>1:2</ChapterTimeStart></ChapterAtom>"), 4, "time"),
        ("matroska", mkv("<a></b>"), 3, "mismatched"),
        ("matroska", mkv("", BOMB), 2, "entity"),
        ("matroska", mkv("", OUTSIDE), 2, "entity"),
        ("matroska", mkv("<a>" * 300), 3, "too many elements"),
        ("matroska", mkv("<a/>" * 100_001), 3, "too many elements"),
        ("matroska", b'<?xml version="1.0" encoding="nonsense"?><Chapters/>', 1, "encoding"),
        ("podcasting20", b"[]", 1, "expected"),
        ("podcasting20", b'{"a": 1}', 1, "no list"),
        ("podcasting20", b'{"chapters": null}', 1, "expected"),
        ("podcasting20", b'{"chapters": [\n{"title": "a"}]}', 2, "without startTime"),
        ("podcasting20", b'{"chapters": [\n{"startTime": "0"}]}', 2, "no number"),
        ("podcasting20", b'{"chapters": [\n{"startTime": -1}]}', 2, "out of range"),
        ("podcasting20", b'{"chapters": [\n{"startTime": 1e999}]}', 2, "out of range"),
        ("podcasting20", b'{"chapters": [\n{"startTime": NaN}]}', 2, "not a number"),
        ("podcasting20", b'{"chapters": [\n{"startTime": 1' + b"0" * 5000 + b"}]}", 2, "not a number"),
        ("podcasting20", b'{"chapters": [\n{"startTime": true}]}', 2, "no number"),
        ("podcasting20", b'{"chapters": [\n{"startTime": 0, "title": 1}]}', 2, "no text"),
        ("podcasting20", b'{"chapters": [\n{"startTime": 0, "title": "a\\u0000"}]}', 2, "NUL"),
        ("podcasting20", b'{"chapters": [\n{"startTime": 0, "title": "\\ud800"}]}', 2, "surrogate"),
        ("podcasting20", b'{"chapters": [\n3]}', 2, "no object"),
        ("podcasting20", b'{"chapters": [\n{"startTime": 0}', 2, "expected"),
        ("podcasting20", b'{"chapters": []}\nx', 2, "behind the end"),
        ("podcasting20", b'{"a":' + b"[" * 100, 1, "deep"),
        ("podlove", b"<a/>", 1, "no list"),
        ("podlove", b"<a><chapters/>\n<chapters/></a>", 2, "several"),
        ("podlove", psc('<chapter start="0"/>'), 2, "without start or title"),
        ("podlove", psc('<chapter title="a"/>'), 2, "without start or title"),
        ("podlove", psc('<chapter start="1:2" title="a"/>'), 2, "not a time"),
        ("podlove", psc('<chapter start="1:60:00" title="a"/>'), 2, "not a time"),
        ("podlove", psc('<chapter start="-1" title="a"/>'), 2, "not a time"),
        ("text", b"", 1, "empty"),
        ("text", b"0:00 a\nb", 2, "not “MM:SS label”"),
        ("text", b"0:00 a\n0:61 b", 2, "not “MM:SS label”"),
        ("text", b"0:00 a\n1:60:00 b", 2, "not “MM:SS label”"),
        ("text", b"0:00 a\n\n0:01 ", 3, "without a label"),
        ("text", b"0:00 a\n0:01\xff", 2, "UTF-8"),
        ("text", b"0:00 a\n" * 1001, 1001, "more than 1000"),
    ],
)  # fmt: skip
def test_what_is_broken_is_refused_with_its_line(
    name: Format, content: bytes, line: int, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason) as refused:
        read_chapters(content, name)
    assert refused.value.line == line
    assert f"line {line}" in str(refused.value)
    assert len(str(refused.value)) < 200


def test_details_of_webvtt() -> None:
    """An arrow ends a cue as in the specification's parser; a cue may be called NOTE or have no text."""
    text = "NOTE\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\n\n00:05.000\t-->\t100:00:00.000 x\n<b"
    labels = [(float(one.at), one.label) for one in read_chapters(vtt(text)).items]
    assert labels == [(1, "a"), (3, "Chapter 2"), (5, "Chapter 3")]
    assert read_chapters(b"WEBVTT").items == []
    assert read_chapters(b"WEBVTT\n00:01.000 --> 00:02.000\na").items[0].label == "a"


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (vtt("00:01.000 --> 00:02.000"), 2),
        (vtt("00:02.000 --> 00:02.000"), None),
        (ff("[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=60\n[CHAPTER]\nTIMEBASE=1/1\nSTART=60"), None),
        (ff("[CHAPTER]\nTIMEBASE=1/1\nSTART=60\nEND=90\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=60"), 90),
        (ff("[CHAPTER]\nTIMEBASE= 1/1 \nSTART=\x1f0\nEND=60\x1f"), 60),  # a space to str, but not to int
        (b'{"chapters": [{"startTime": 1, "endTime": 3}, {"startTime": 2}]}', 3),
        (b'{"chapters": [{"startTime": 1, "endTime": 2}, {"startTime": 2}]}', None),
    ],
)
def test_a_file_tells_its_length_only_where_its_last_chapter_ends(content: bytes, whole: int | None) -> None:
    assert read_chapters(content).whole == whole


def test_long_labels_are_cut() -> None:
    (one,) = read_chapters(("0:00 " + "ä" * 121).encode()).items
    assert one.label == "ä" * 119 + "…"
    (one,) = read_chapters(("0:00 " + "ä" * 120).encode()).items
    assert one.label == "ä" * 120
    (one,) = read_chapters(b'{"chapters": [{"startTime": 1, "title": " a \\n\\t b "}]}').items
    assert one.label == "a b"


def test_a_public_doctype_is_read_over_and_loads_nothing() -> None:
    content = mkv("", '<!DOCTYPE Chapters SYSTEM "http://127.0.0.1:1/x.dtd">')
    assert read_chapters(content, "matroska").items == []


def test_defaults_and_namespaces_do_not_multiply() -> None:
    """Half a megabyte declared once and implied by every element is never built for each of them."""
    long = "x" * 500_000
    nested = "<ChapterAtom><ChapterTimeStart>0:00:00</ChapterTimeStart>" + "<a>" * 100 + long + "</a>" * 100
    defaults = f'<!DOCTYPE C [<!ATTLIST a b CDATA "{long}">]>'
    namespace = f'<Chapters xmlns="{long}"><EditionEntry>{"<a/>" * 2000}</EditionEntry></Chapters>'
    tracemalloc.start()
    try:
        for content in (mkv("<a/>" * 2000, defaults), namespace.encode(), mkv(nested + "</ChapterAtom>")):
            assert len(read_chapters(content, "matroska").items) <= 1
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


TOKENS = st.sampled_from(
    ["WEBVTT", "\n", "\n\n", "00:01.000", " --> ", "NOTE", ";FFMETADATA1\n", "[CHAPTER]\n", "START=", "END=",
     "TIMEBASE=1/1000\n", "title=", "\\", "<Chapters>", "</Chapters>", "<EditionEntry>", "<ChapterAtom>",
     "<ChapterTimeStart>", "00:00:01.5", "</ChapterTimeStart>", "</ChapterAtom>", "</EditionEntry>", "<!--",
     "<!DOCTYPE a [", "<!ENTITY b 'c'>", "]>", "&b;", "&#0;", '<?xml version="1.0" encoding="', '"?>',
     "utf-7", "idna", "undefined", "unicode_escape", "utf-16", "{", "}", "[", "]", ",", ":",
     '"chapters"', '"startTime"', '"title"', "1e400", "0.1", "-0", "1" * 5000, "null", "true", '"\\ud800"',
     "<chapters>", "<chapter start='",
     "' title='", "'/>", "</chapters>", "0:00 a\n", "1:02:03 b\n", " ", "x", "é", "\0", "\u2028"]
)  # fmt: skip
BEGINS: dict[Format, list[str]] = {
    "webvtt": ["WEBVTT\n\n"], "ffmetadata": [";FFMETADATA1\n[CHAPTER]\n"], "text": ["0:00 a\n"],
    "matroska": ["<Chapters><EditionEntry><ChapterAtom>"], "podlove": ["<chapters>", "<chapters><chapter "],
    "podcasting20": ['{"chapters": [', '{"chapters": [{"startTime": '], "epub": ["PK\x03\x04"],
}  # fmt: skip


def read_or_refuse(content: bytes, name: Format | None) -> None:
    with suppress(Unreadable):
        for one in read_chapters(content, name).items:
            assert one.at >= 0
            assert 1 <= len(one.label) <= 120
            assert re.fullmatch("[^\0\ud800-\udfff]+", one.label)
            assert one.label == one.label.strip()


@settings(max_examples=400)
@given(st.sampled_from(sorted(SAMPLES)), st.lists(TOKENS, max_size=25), st.booleans(), st.data())
def test_any_text_is_read_or_refused(
    name: Format, tokens: list[str], begun: bool, data: st.DataObject
) -> None:
    begin = data.draw(st.sampled_from(BEGINS[name])) if begun else ""
    content = (begin + "".join(tokens)).encode()
    read_or_refuse(content, name)
    read_or_refuse(content, None)


@settings(max_examples=300)
@given(st.sampled_from(sorted(SAMPLES)), st.binary(max_size=60), st.integers(0, 4000), st.integers(0, 40))
def test_a_damaged_file_is_read_or_refused(name: Format, junk: bytes, at: int, gone: int) -> None:
    sample = SAMPLES[name]
    at %= len(sample)
    read_or_refuse(sample[:at] + junk + sample[at + gone :], name)
    read_or_refuse(junk, name)


@settings(max_examples=100)
@given(st.binary(max_size=30), st.integers(0, 700), st.integers(0, 30))
def test_a_book_with_damaged_insides_is_read_or_refused(junk: bytes, at: int, gone: int) -> None:
    for path in (
        "META-INF/container.xml",
        "OEBPS/content.opf",
        "OEBPS/nav/toc.xhtml",
        "OEBPS/text/one.xhtml",
    ):
        sample = NAV.encode() if path.endswith("toc.xhtml") else b"<package>" + junk * 3
        read_or_refuse(book(**{path: sample[:at] + junk + sample[at + gone :]}), "epub")
