"""What usernames, e-mail addresses and passwords may be."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.domains.accounts import rules

NAMES = st.from_regex(r"[A-Za-z0-9_-]{3,30}", fullmatch=True)


@given(NAMES)
def test_a_skeleton_is_its_own_and_knows_no_case(name: str) -> None:
    bare = rules.skeleton(name)
    assert rules.skeleton(bare) == bare
    assert rules.skeleton(name.upper()) == bare == rules.skeleton(name.lower())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "ADA"),
        ("oscar", "0scar"),
        ("lion", "1ion"),
        ("lily", "Iily"),
        ("ian", "lan"),
        ("sam", "5am"),
        ("marnie", "mamie"),
        ("wanda", "vvanda"),
        ("a-b-c", "a_b_c"),
        ("ada", "\uff41\uff44\uff41"),
    ],
)
def test_look_alikes_have_one_skeleton(one: str, other: str) -> None:
    assert rules.skeleton(one) == rules.skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ada", "adb"), ("ben", "hen"), ("cleo", "clea"), ("ada2", "ada3")]
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert rules.skeleton(one) != rules.skeleton(other)


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("ab", "out_of_range"),
        ("", "out_of_range"),
        ("a" * 31, "too_long"),
        ("ada lovelace", "invalid_text"),
        ("ada.l", "invalid_text"),
        ("ada/../x", "invalid_text"),
        ("аdа", "invalid_text"),  # noqa: RUF001 (Cyrillic on purpose)
        ("ada\n", "invalid_text"),
        ("profile", "reserved"),
        ("upload-profile-picture", "reserved"),
        ("upload_profile_picture", "reserved"),
        ("Admin", "reserved"),
        ("adm1n", "reserved"),
        ("undefined", "reserved"),
    ],
)
def test_bad_usernames(username: str, code: str) -> None:
    (fault,) = rules.username_faults(username)
    assert (fault.code, fault.pointer) == (code, "/username")


@pytest.mark.parametrize("username", ["ada", "A" * 30, "a-b_C-9", "---"])
def test_good_usernames(username: str) -> None:
    assert rules.username_faults(username) == []


def test_an_operator_may_take_an_office_but_no_path() -> None:
    assert rules.username_faults("admin", by_operator=True) == []
    assert rules.username_faults("profile", by_operator=True)


@pytest.mark.parametrize(
    "email", ["ada@example.com", "a+b@mail.example.co", "zoë@exämple.de", "root@localhost", "A@B.CH"]
)
def test_good_addresses(email: str) -> None:
    assert rules.email_faults(email) == []


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "ada@example", "a@b@c.de", "a b@c.de", "a@c .de", "a@.de", "a@c..de",
     "<a@c.de>", "a@c.de\n", "a\u202e@c.de", "a,b@c.de", "a" * 65 + "@c.de", "ada@" + "x" * 250 + ".de"],
)  # fmt: skip
def test_bad_addresses(email: str) -> None:
    (fault,) = rules.email_faults(email)
    assert fault.pointer == "/email"


def test_addresses_compare_without_case() -> None:
    assert rules.fold_email("Zoë@Example.COM") == rules.fold_email("ZOE\u0308@example.com")
    assert rules.fold_email("a@example.com") != rules.fold_email("b@example.com")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("1234567", "out_of_range"),
        ("x" * 257, "too_long"),
        ("password1", "guessable"),
        ("PassWord1", "guessable"),
        ("ada@example.com", "guessable"),
        ("ADA-lovelace", "guessable"),
    ],
)
def test_bad_passwords(password: str, code: str) -> None:
    (fault,) = rules.password_faults(password, ["ada@example.com", "ada-lovelace", None])
    assert (fault.code, fault.pointer) == (code, "/password")


@pytest.mark.parametrize(
    "password", ["abcdefg!", "x" * 256, "пароль и ключ", "🦊🦊🦊🦊🦊🦊🦊🦊", " leading space"]
)
def test_good_passwords(password: str) -> None:
    assert rules.password_faults(password, [None]) == []


def test_the_list_of_common_passwords_is_there_and_long() -> None:
    common = rules.common_passwords()
    assert len(common) > 10_000
    assert min(map(len, common)) >= rules.PASSWORD_MIN
    assert rules.common_passwords() is common


@given(st.text(max_size=300))
def test_a_password_is_the_same_however_it_was_composed(password: str) -> None:
    apart = unicodedata.normalize("NFD", password)
    assert rules.normalize_password(apart) == rules.normalize_password(password)


@pytest.mark.parametrize("name", ["Ada", "Ada Lovelace", "أدا", "👩\u200d💻", "x" * 100, "O'Neil-Šafářová"])
def test_good_display_names(name: str) -> None:
    assert rules.display_name_faults(name) == []


@pytest.mark.parametrize("name", ["", " ", "\u200d", "a\nb", "a\u202eb", "x" * 101, "a\u2028b"])
def test_bad_display_names(name: str) -> None:
    (fault,) = rules.display_name_faults(name)
    assert fault.pointer == "/display_name"


@given(st.text(max_size=80), st.lists(st.from_regex("[bcdfghjkmpqtwxyz]{6}", fullmatch=True), max_size=3))
def test_made_usernames_are_good_ones(name: str, suffixes: list[str]) -> None:
    made = rules.username_candidates(name, suffixes)
    assert len(made) >= len(suffixes)
    assert [one for one in made if rules.username_faults(one)] == []


@pytest.mark.parametrize(
    ("name", "made"),
    [("Ada.Lovelace+films", "ada-lovelace-films"), ("Zoë", "zoe"), ("x" * 60, "x" * 22)],
)
def test_made_usernames_are_near_the_name(name: str, made: str) -> None:
    assert rules.username_candidates(name, [])[0] == made


def test_a_name_of_nothing_makes_a_user() -> None:
    (only,) = rules.username_candidates("名前", ["bcdfgh"])
    assert re.fullmatch(r"user-bcdfgh", only)
