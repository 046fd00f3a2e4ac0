"""The rules of likeness, against slow and obvious twins."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from quintet.domains.catalogue.rules import Like, edits, is_close, meant, normalised, weight

WORDS = st.text(alphabet="abc", max_size=7)


def slow_edits(a: str, b: str) -> int:
    """The distance by its definition: the cheapest of all ways, tried one by one."""

    @cache
    def rest(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        ways = [rest(i - 1, j) + 1, rest(i, j - 1) + 1, rest(i - 1, j - 1) + (a[i - 1] != b[j - 1])]
        if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
            ways.append(rest(i - 2, j - 2) + 1)
        return min(ways)

    return rest(len(a), len(b))


@given(WORDS, WORDS, st.integers(0, 5))
def test_edits_are_counted_up_to_the_most_wanted(a: str, b: str, most: int) -> None:
    assert edits(a, b, most) == min(slow_edits(a, b), most + 1)


@given(WORDS, WORDS)
def test_close_is_one_edit_per_four_letters(asked: str, name: str) -> None:
    assert is_close(asked, name) == (slow_edits(asked, name) <= len(asked) // 4)


@given(WORDS.filter(bool), WORDS.filter(bool), st.floats(0.01, 1))
def test_the_very_word_weighs_most(asked: str, word: str, similarity: float) -> None:
    told = weight(Like(1, asked, word, similarity))
    assert 0 < told <= 1
    assert (told == 1) == (asked == word)


def test_swapped_letters_weigh_more_than_a_missing_one() -> None:
    assert weight(Like(1, "hamelt", "hamlet", 0.27)) > weight(Like(1, "hamelt", "hamel", 0.63))


def test_what_was_meant() -> None:
    likes = [
        Like(1, "the", "the", 1), Like(1, "the", "they", 0.5), Like(3, "godfahter", "godfather", 0.43),
        Like(3, "godfahter", "goddaughter", 0.4), Like(3, "godfahter", "o'\\x", 1),
    ]  # fmt: skip
    words = meant(likes)
    assert words is not None
    assert (words.words, words.places) == (["the", "godfather", "o'\\x"], [1, 3, 3])
    assert words.weights[0] == 3 / 12
    assert words.of_all() == r"('the') & ('godfather' | 'o''\\x')"
    assert words.of_weightiest() == r"('godfather' | 'o''\\x')"
    assert meant([]) is None


def test_queries_that_ask_the_same() -> None:
    assert {normalised(one) for one in ("Amélie", "  AMELIE ", "ame\u0301lie", "\uff21melie")} == {"amelie"}
    assert normalised("Star \t wars") == "star wars"
    assert normalised("Straße") == "strasse"
    assert normalised("が") == normalised("か\u3099")
