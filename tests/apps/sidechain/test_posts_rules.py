"""Keys, tags, emoji and mentions, by properties."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.apps.sidechain.posts import rules
from quintet.apps.sidechain.posts.model import MOST_TAG, MOST_TAGS
from quintet.kernel.refusals import InvalidRequest

NOTES = [f"{note}{sign}" for note in "ABCDEFG" for sign in ("", "#", "b")]


@given(
    st.sampled_from(NOTES), st.sampled_from(["", " "]), st.sampled_from(["", "m", "M", "maj", "Minor", "MIN"])
)
def test_a_key_has_one_spelling(note: str, space: str, mode: str) -> None:
    told = rules.key_of(f" {note[0].lower()}{note[1:]}{space}{mode} ")
    due = "minor" if mode == "m" or mode.lower().startswith("min") else "major"
    assert told == f"{note} {due}"
    assert rules.key_of(told) == told


@pytest.mark.parametrize("text", ["", "H", "A##", "major", "C maj7", "Cm#", "1A", "C\nmajor x"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(InvalidRequest):
        rules.key_of(text)


@given(st.lists(st.text("aB1 #-_!éﬁ😀", max_size=40), max_size=15))
def test_tags_are_few_short_different_and_stay_as_they_are(tags: list[str]) -> None:
    try:
        told = rules.tags_of(tags)
    except InvalidRequest:
        return
    assert len(told) <= MOST_TAGS
    assert len(set(told)) == len(told)
    assert all(0 < len(tag) <= MOST_TAG for tag in told)
    assert rules.tags_of(told) == told


@given(st.text(min_size=1, max_size=12))
def test_text_is_no_emoji(text: str) -> None:
    if not any(unicodedata.category(letter) in {"So", "Sk", "Cn", "Sm", "Po", "Nd"} for letter in text):
        with pytest.raises(InvalidRequest):
            rules.emoji_of(text)


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "🇩🇪", "#️⃣", "👨‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"])
def test_an_emoji_stays_as_it_is(emoji: str) -> None:
    assert rules.emoji_of(emoji) == emoji == rules.emoji_of(emoji.replace("\ufe0f", ""))


def test_mentions() -> None:
    text = "@ada, (@ben-2) a@mail.example, @@no x/@y @ada @it_s! @toolongtoolongtoolongtoolongtool"
    assert rules.mentioned_in(text) == ["ada", "ben-2", "it_s"]
    assert len(rules.mentioned_in(" ".join(f"@name{n}" for n in range(99)))) == rules.MOST_MENTIONS
    assert rules.mentioned_in(None) == []
