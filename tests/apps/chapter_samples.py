"""A chapter file of every format, as its makers document it, and what is in it."""

from fractions import Fraction

from tests.books import book

from quintet.apps.wigg.milestones.chapters import Format

WEBVTT = """WEBVTT - chapters of Heat
Kind: chapters

NOTE
made by hand

STYLE
::cue { color: red }

REGION
id:fred

1
00:00.000 --> 31:05.250 align:start position:0%
<v Neil>The &amp; bank</v>
and the <c.loud>street</c>

NOTE a comment

second
01:31:05.250 --> 02:50:00.000
The heist
"""
FFMETADATA = r""";FFMETADATA1
title=Heat
major_brand=isom
; a comment
# another

[STREAM]
title=not this
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1865250
title=The \= bank\; \#1 \\ \
and the street
[CHAPTER]
START=5465250000000
END=10200000000000
Title=The heist
[CHAPTER]
TIMEBASE=1/90000
START=540000000
artist=nobody
"""
MATROSKA = """<?xml version="1.0" encoding="UTF-8"?>
<!-- <!DOCTYPE Chapters SYSTEM "matroskachapters.dtd"> -->
<Chapters>
  <EditionEntry><EditionFlagHidden>1</EditionFlagHidden>
    <ChapterAtom><ChapterTimeStart>00:00:00.000000000</ChapterTimeStart></ChapterAtom></EditionEntry>
  <EditionEntry>
    <ChapterAtom><ChapterTimeStart>00:09:00</ChapterTimeStart></ChapterAtom></EditionEntry>
  <EditionEntry>
    <EditionFlagDefault>1</EditionFlagDefault>
    <EditionUID>123</EditionUID>
    <ChapterAtom>
      <ChapterUID>1</ChapterUID>
      <ChapterTimeStart>00:00:00.000000000</ChapterTimeStart>
      <ChapterTimeEnd>02:50:00.000000000</ChapterTimeEnd>
      <ChapterFlagHidden>0</ChapterFlagHidden>
      <ChapterFlagEnabled>1</ChapterFlagEnabled>
      <ChapterDisplay><ChapterString>Die Bank</ChapterString><ChapterLanguage>ger</ChapterLanguage>
        </ChapterDisplay>
      <ChapterDisplay><ChapterString>The bank</ChapterString><ChapterLanguage>eng</ChapterLanguage>
        <ChapLanguageIETF>en-US</ChapLanguageIETF></ChapterDisplay>
      <ChapterAtom>
        <ChapterTimeStart>01:31:05.250000001</ChapterTimeStart>
        <ChapterDisplay><ChapterString>Der Überfall</ChapterString><ChapterLanguage>ger</ChapterLanguage>
          </ChapterDisplay>
      </ChapterAtom>
    </ChapterAtom>
    <ChapterAtom><ChapterTimeStart>01:40:00.0</ChapterTimeStart><ChapterFlagHidden>1</ChapterFlagHidden>
      <ChapterAtom><ChapterTimeStart>01:41:00.0</ChapterTimeStart></ChapterAtom></ChapterAtom>
    <ChapterAtom><ChapterTimeStart>01:42:00.0</ChapterTimeStart><ChapterFlagEnabled>0</ChapterFlagEnabled>
      </ChapterAtom>
    <ChapterAtom><ChapterTimeStart>01:43:00.5</ChapterTimeStart></ChapterAtom>
  </EditionEntry>
</Chapters>
"""
PODCASTING20 = """{
  "version": "1.2.0",
  "author": {"chapters": [1, 2]},
  "chapters": [
    {"startTime": 0, "title": "The bank", "img": "https://example.com/a.jpg"},
    {"startTime": 12.5, "title": "An advertisement", "toc": false, "location": {"name": "x"}},

    {
      "startTime": 5465.25, "endTime": 10200, "title": "The heist", "toc": true},
    {"startTime": 6000.1}
  ],
  "more": null
}
"""
PODLOVE = """<?xml version="1.0"?>
<rss version="2.0"><channel><item>
<psc:chapters version="1.2" xmlns:psc="http://podlove.org/simple-chapters">
<psc:chapter start="0" title="Welcome" />
<psc:chapter start="03:07" title="The &quot;bank&quot;" href="http://podlove.org/" image="x" />
<psc:chapter start="01:31:05.250" title="The heist" />
<psc:chapter start="6000.5" title="After" />
</psc:chapters></item></channel></rss>
"""
TEXT = """
0:00 Welcome
31:05 - The bank

1:31:05.25 The heist: a 12:30 train
95:00\tAfter
"""
SAMPLES: dict[Format, bytes] = {
    "webvtt": WEBVTT.encode(), "ffmetadata": FFMETADATA.encode(), "matroska": MATROSKA.encode(),
    "podcasting20": PODCASTING20.encode(), "podlove": PODLOVE.encode(), "epub": book(), "text": TEXT.encode(),
}  # fmt: skip
HEIST = Fraction("5465.25")
READ: dict[Format, tuple[list[tuple[float | Fraction, str, int]], float | None]] = {
    "webvtt": ([(0, "The & bank and the street", 14), (HEIST, "The heist", 21)], 10200),
    "ffmetadata": (
        [(0, "The = bank; #1 \\ and the street", 9), (HEIST, "The heist", 15), (6000, "Chapter 3", 19)],
        10200,
    ),
    "matroska": (
        [
            (0, "The bank", 11),
            (HEIST + Fraction(1, 10**9), "Der Überfall", 21),
            (Fraction("6180.5"), "Chapter 3", 31),
        ],
        10200,
    ),
    "podcasting20": (
        [(0, "The bank", 5), (HEIST, "The heist", 8), (Fraction("6000.1"), "Chapter 3", 10)],
        10200,
    ),
    "podlove": (
        [
            (0, "Welcome", 4),
            (187, 'The "bank"', 5),
            (HEIST, "The heist", 6),
            (Fraction("6000.5"), "After", 7),
        ],
        None,
    ),
    "epub": ([(0, "One bright day", 5), (30, "Two", 7), (40, "Two, later", 8)], 100),
    "text": (
        [
            (0, "Welcome", 2),
            (1865, "The bank", 3),
            (HEIST, "The heist: a 12:30 train", 5),
            (5700, "After", 6),
        ],
        None,
    ),
}
