"""Pictures of tier lists: whatever titles are called, everything stays in its place and nothing gets out."""

import io
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from quintet.apps.marquee.pictures.drawing_process import draw
from quintet.apps.marquee.pictures.layout import MOST_HEIGHT, WIDTH, Drawing, Panel, Width, lay_out
from quintet.apps.marquee.pictures.model import MOST_TITLES, TIERS, Job, ListedTier, ListedTitle, TierList
from quintet.apps.marquee.pictures.svg import svg_of
from quintet.apps.marquee.pictures.typefaces import family_of, width_of
from quintet.apps.marquee.pictures.wording import ELLIPSIS, MOST_CHARACTERS, cut, plain, wrapped

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "]]><script>alert(1)</script><!-- & \" ' &amp; &#0;",
    "W" * 300,
    "千と千尋の神隠し" * 12,
    "ואלס עם באשיר \u202e reversed \u2066",
    "Z" + "\u0351" * 200 + "algo",
    "bell \x07 null-ish \x01 \x0b \ufffe \uffff \x85 end",
    "👨\u200d👩\u200d👧 family " * 9,
    " \t\n ",
    "",
    "\u200b\u2060",
)
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=320), st.text("Wil —千é\u0301\u200d", max_size=80)
)
titles = st.builds(ListedTitle, texts, st.none() | st.integers(1, 9999))


@st.composite
def lists(draw_: st.DrawFn) -> TierList:
    tiers: list[ListedTier] = []
    for name in TIERS:
        shown = draw_(st.lists(titles, max_size=9)) * draw_(st.sampled_from([1, 1, 4]))
        hidden = draw_(st.sampled_from([0, 1, 9_960])) if shown else 0
        tiers.append(ListedTier(name, shown, len(shown) + hidden))
    return TierList(draw_(texts), draw_(st.sampled_from(["", "30 September 2026"])), tiers)


def widest(text: str, size: int, bold: bool) -> float:
    """A font like a typewriter's."""
    return len(text) * size * (0.75 if bold else 0.65)


def check_in_place(drawing: Drawing, width: Width) -> None:
    assert drawing.height <= MOST_HEIGHT
    for panel in drawing.panels:
        assert 0 <= panel.x < panel.x + panel.width <= WIDTH
        assert 0 <= panel.y < panel.y + panel.height <= drawing.height
        for line in panel.lines:
            wide = width(line.text, line.size, line.bold)
            left = line.x - {"start": 0, "middle": wide / 2, "end": wide}[line.anchor]
            assert left >= -0.01, line
            assert left + wide <= panel.width + 0.01, line
            assert line.size * 0.75 <= line.baseline <= panel.height - 2, line
        for above, below in pairwise(panel.lines[1:] if len(panel.lines) > 2 else []):
            assert above.baseline <= below.baseline
    assert not any(
        overlap(one, other) for nth, one in enumerate(drawing.panels) for other in drawing.panels[:nth]
    )


def overlap(one: Panel, other: Panel) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@settings(max_examples=15)
@given(lists(), st.sampled_from([width_of, widest]))
def test_nothing_overlaps_or_leaves_the_picture(listed: TierList, width: Width) -> None:
    drawing = lay_out(listed, width)
    check_in_place(drawing, width)
    # Every title has a tile, and what has none is counted.
    places = len(TIERS) + 1 + sum(len(t.titles) + (t.total > len(t.titles)) for t in listed.tiers)
    assert len(drawing.panels) == places


def test_the_fullest_list_is_as_high_as_a_picture_gets() -> None:
    full = [
        ListedTier(name, [ListedTitle("W" * 300, 2026)] * MOST_TITLES, 10_000 - nth)
        for nth, name in enumerate(TIERS)
    ]
    drawing = lay_out(TierList("W" * 300, "30 September 2026", full), width_of)
    check_in_place(drawing, width_of)
    assert drawing.height == MOST_HEIGHT == 3192
    assert len(svg_of(drawing)) < 100_000
    said = [line.text for panel in drawing.panels for line in panel.lines]
    assert "+ 9,960 more" in said
    assert "10,000" in said


@given(texts)
def test_plain_text_is_fit_for_xml_and_keeps_to_its_place(text: str) -> None:
    line = plain(text)
    assert len(line) <= MOST_CHARACTERS
    assert line == line.strip()
    assert not set(line) & set("\n\r\t\0\x07\x85\u202e\u2066\u2028\ufffe\uffff")
    assert plain(line) == line
    ET.fromstring(f"<a>{line.replace('&', '').replace('<', '').replace('>', '')}</a>")  # noqa: S314 (our own)


@given(texts, st.integers(10, 400), st.integers(1, 4))
@example("Supercalifragilisticexpialidocious", 60, 2)
@example("a b c d", 10, 4)
def test_wrapped_lines_fit_and_lose_nothing_silently(text: str, width: int, most_lines: int) -> None:
    line = plain(text)

    def measure(part: str) -> float:
        return 7.5 * len(part)

    lines = wrapped(line, measure, width, most_lines)
    assert len(lines) <= most_lines
    assert all(measure(one) <= width for one in lines)
    shown = "".join("".join(lines).split())
    whole = "".join(line.split())
    if shown != whole and lines and shown:
        assert lines[-1].endswith(ELLIPSIS)
        assert whole.startswith(shown.removesuffix(ELLIPSIS))
    assert cut(line, measure, 1e9) == line


@settings(max_examples=10)
@given(lists())
def test_svg_holds_text_and_nothing_that_runs_or_loads(listed: TierList) -> None:
    drawing = lay_out(listed, width_of)
    document = svg_of(drawing)
    root = ET.fromstring(document)  # noqa: S314 (our own)
    assert {one.tag.removeprefix(NAMESPACE) for one in root.iter()} <= {"svg", "rect", "text", "title"}
    for one in root.iter():
        for name, value in one.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name
            assert "url(" not in value
            assert "://" not in value
    said = [one.text or "" for one in root.iter(f"{NAMESPACE}text")]
    assert said == [line.text for panel in drawing.panels for line in panel.lines]


@pytest.mark.parametrize("title", HOSTILE)
def test_png_draws_whatever_a_title_is(title: str) -> None:
    tiers = [ListedTier(name, [ListedTitle(title, 1999)] * 2, 2) for name in TIERS]
    body = draw(Job("png", TierList(title, "", tiers)))
    with Image.open(io.BytesIO(body)) as picture:
        picture.load()
        assert picture.size[0] == WIDTH
        assert picture.size[1] <= MOST_HEIGHT
    assert body == draw(Job("png", TierList(title, "", tiers))), "the same list is the same picture"


def test_letters_of_many_languages_are_drawn_and_others_are_boxes() -> None:
    drawn = {letter: family_of(letter) for letter in "Aéşλжअ千神기か"}
    assert {letter for letter, family in drawn.items() if family == "wide"} == set("千神기か")
    assert family_of("ש") == family_of("👨") == "plain"  # in no font of ours: its box stands for them
    assert width_of("ש", 16, bold=True) > 4
