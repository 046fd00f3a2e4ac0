"""Fingerprints and masks: the same has one fingerprint, no secret is shown, and no text takes long."""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.apps.sidechain.errors.masking import MASK, is_secret_name, masked, masked_text
from quintet.apps.sidechain.errors.merging import reports_of
from quintet.apps.sidechain.errors.model import NewError
from quintet.apps.sidechain.errors.rules import (
    FOLDED_CHARACTERS,
    fingerprint_of,
    folded,
    group_id_of,
    hours_until,
    like_pattern,
    seconds_left_today,
)
from quintet.kernel.clock import Instant

NOW = Instant.fromisoformat("2026-03-01T23:59:58.500+00:00")


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("timed out after 3000 ms", "timed out after <n> ms"),
        ("gain -12.5 dB, not +3,000.25e-7", "gain <n> dB, not <n>"),
        ("sample rate 44.1kHz", "sample rate <n>kHz"),
        ("track12 of Track 3", "track<n> of Track <n>"),
        ("retry 3/10 (30%)", "retry <n>/<n> (<n>%)"),
        ("user 01890000-0000-7000-8000-00000000000a left", "user <id> left"),
        ("take 01ARZ3NDEKTSV4RRFFQ69G5FAV is lost", "take <id> is lost"),
        ("commit deadbeef01 and 1234567890", "commit <n> and <n>"),
        ("at 0x7FFF5fbff8c0 in AudioProcessorGraphNode12", "at <address> in AudioProcessorGraphNode<n>"),
        ("cannot connect to 10.0.0.7:8443", "cannot connect to <host>"),
        ("cannot connect to [fe80::1%en0]:80", "cannot connect to [<host>]:<n>"),
        ("no route to api.example.com:443", "no route to <host>"),
        ("localhost:8000 refused", "<host> refused"),
        ("GET https://a.b/c?d=1#e failed", "GET <url> failed"),
        ("mail to ada.l+x@example.co.uk bounced", "mail to <email> bounced"),
        ('cannot open "a b.wav" nor \'c.wav\'', "cannot open <quoted> nor <quoted>"),
        ("don't and can't stay words", "don't and can't stay words"),
        ("read /Users/ada/x.wav and C:\\Users\\b\\y.wav", "read <path> and <path>"),
        ("GET /api/v1/posts answered 404", "GET /api/v<n>/posts answered <n>"),
        ("and/or std::vector ::free", "and/or std::vector ::free"),
        ("at 2024-01-02T03:04:05.678Z or 12:30:45", "at <time> or <time>"),
        ("  two\t\n lines  ", "two lines"),
        ("Grüße, 日本 ١٢", "Grüße, 日本 <n>"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_folded(message: str, pattern: str) -> None:
    assert folded(message) == pattern


words = st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=8).filter(
    lambda word: folded(word) == word
)
changing = st.one_of(
    st.integers(0, 10**12).map(str),
    st.floats(0, 1e6).map(lambda number: f"{number:.3f}"),
)


@given(st.lists(words, min_size=1, max_size=5), st.data())
def test_numbers_ids_and_quotations_make_no_difference(said: list[str], data: st.DataObject) -> None:
    kinds = (
        changing,
        st.uuids().map(str),
        st.text(st.characters(codec="utf-8", exclude_characters='"\n'), max_size=20).map(
            lambda text: f'"{text}"'
        ),
        st.integers(0, 2**64).map(hex),
        st.tuples(*[st.integers(0, 255)] * 4).map(lambda parts: ".".join(map(str, parts))),
    )
    chosen = [data.draw(st.sampled_from(kinds)) for _ in said]
    one, other = (
        " ".join(f"{word} {data.draw(kind)}" for word, kind in zip(said, chosen, strict=True))
        for _ in range(2)
    )
    assert folded(one) == folded(other)
    assert [word for word in said if word not in folded(one)] == []


@given(st.lists(words, min_size=1, max_size=5), st.lists(words, min_size=1, max_size=5))
def test_other_words_are_another_group(one: list[str], other: list[str]) -> None:
    same = [*one] == [*other]
    patterns = [folded(" ".join(said)) for said in (one, other)]
    assert (fingerprint_of(patterns[0]) == fingerprint_of(patterns[1])) == same
    assert (group_id_of("UI", "Info", patterns[0]) == group_id_of("UI", "Info", patterns[1])) == same


def test_the_version_of_fingerprints_is_kept() -> None:
    """A change of these makes new groups of everything: count VERSION up, and say so."""
    pattern = folded("Upload to 10.0.0.7 timed out after 3000 ms")
    assert pattern == "Upload to <host> timed out after <n> ms"
    assert str(fingerprint_of(pattern)) == "8563e54c-2aeb-26a7-64e4-25aedea8e8c3"
    assert str(group_id_of("Network", "Error", pattern)) == "77202e34-64fa-8ac0-ef80-5c4620809e6e"
    others = {
        group_id_of(source, severity, pattern)
        for source in ("Network", "UI")
        for severity in ("Error", "Info")
    }
    assert len(others) == 4


HOSTILE = [
    "a", "1", '"', "'", "' ", "a.", ":", "1:", "deadbeef-", "://", "a://", "a@", "/Users/", "0x", "1,",
    "1e", "-", " ", "token", "token=", 'token":"', "cookie:\n", "eyJ", "eyJaaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----", "bearer ", "basic ", "pass_", "token     ", 'token\\\\\\\\"', "x.com.",
    "\n", "[", "C:\\", "é", "sid ", "a1", "token=digest ", "session ", "-----", "1a", "::", "0:", "`", "“",
    "~/", "+", "1.1.1.",
]  # fmt: skip


def test_no_message_takes_long() -> None:
    """64 KiB of whatever repeats worst: each far from what a pattern that looks back and forth would take."""
    slowest = (0.0, "")
    for piece in HOSTILE:
        for text in (piece * (65_536 // len(piece)), piece + "a" * 65_536, "a" * 65_536 + piece):
            began = time.process_time()
            masked_text(text)
            folded(text)
            slowest = max(slowest, (time.process_time() - began, text[:20]))
    print(
        f"{len(HOSTILE) * 3} hostile messages of 64 KiB: at most {slowest[0] * 1000:.0f} ms,"
        f" of {slowest[1]!r}"
    )
    assert slowest[0] < 0.5


@given(st.text(st.sampled_from("abeynjkotsp0123 .:-_/\\\"'@=%&<>[]{}\n"), max_size=200))
def test_time_is_linear(text: str) -> None:
    """What is 16 times as long may take no 100 times as long; a quadratic pattern takes 256 times."""
    short, long = text * 20, text * 320

    def took(given: str) -> float:
        began = time.process_time()
        masked_text(given)
        return time.process_time() - began

    assert took(long) < 0.05 + 100 * min(took(short) for _ in range(3))


def test_only_the_beginning_is_folded() -> None:
    assert len(folded("x" * 100_000)) == FOLDED_CHARACTERS


SECRET_NAMES = [
    "token", "access_token", "refreshToken", "X-Auth-Token", "id_token", "password", "Passwd",
    "user-password", "passphrase", "Authorization", "Proxy-Authorization", "authorisation", "cookie",
    "Set-Cookie", "api_key", "X-API-Key", "apiKey", "APIKEY", "private key", "client_secret",
    "AWS_SECRET_ACCESS_KEY", "session_id", "auth", "pwd", "csrf-token", "XSRF", "jwt", "bearer",
    "credentials", "oauth", "ticket", "otp", "pass", "pin", "sid", "\N{FULLWIDTH LATIN SMALL LETTER T}oken",
    "TOKEN", "license.key",
]  # fmt: skip
HARMLESS_NAMES = [
    "author", "key", "keys", "time_signature", "low_pass", "pin_count", "session", "release", "spinner",
    "monkey", "message", "code", "status", "path", "besides", "",
]  # fmt: skip


def test_names() -> None:
    assert [name for name in SECRET_NAMES if not is_secret_name(name)] == []
    assert [name for name in HARMLESS_NAMES if is_secret_name(name)] == []


# Any words in which plugins tell a secret by accident; `{}` stands for it.
TELLING = [
    "GET wss://x.example/ws?token={} closed", "https://x/y?a=1&access_token={}&b=2",
    "https://x/#id_token={}", "Authorization: Bearer {}", "authorization:bearer {} refused",
    "Authorization: {}", "'Authorization': 'Basic {}'", 'Authorization: Digest username="a", response="{}"',
    "bearer {}", "Cookie: a=1; session={}", "Set-Cookie: {}; Path=/", "password={}", "password: {}",
    "PASSWORD => {}", '{{"password": "{}"}}', '{{\\"token\\":\\"{}\\"}}', "api_key={}", "x-api-key: {}",
    "apiKey='{}'", "client_secret={}", "?pass={}", "pwd={};", "<token>{}</token>", "token%3D{}",
    "%22token%22%3A%22{}%22", "https://ada:{}@x.example/", "redis://:{}@localhost", "ticket={}", "sid={}",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "csrf={}", "auth: {}", "token[0]={}",
    "jwt={}",
]  # fmt: skip
secrets = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-.", min_size=12, max_size=40)


@given(st.sampled_from(TELLING), secrets, st.text(max_size=30), st.text(max_size=30))
def test_secrets_in_texts_are_masked(telling: str, secret: str, before: str, after: str) -> None:
    text = f"{before} {telling.format(secret)} {after}"
    hidden = masked_text(text)
    assert MASK in hidden
    if secret not in before + after:
        assert secret not in hidden


def test_a_web_token_is_known_by_itself() -> None:
    token = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
    assert masked_text(f"sent {token}, got 401") == f"sent eyJ{MASK}, got 401"
    assert masked_text("see keyJoints.of.it") == "see keyJoints.of.it"


def test_harmless_texts_stay() -> None:
    for text in (
        "low pass: 200 Hz", "author: Ada", "key: C minor", "time_signature=4/4", "no such token", "ab 3:4",
        "https://x.example/a@b", "see https://x.example/?q=1&page=2", "tokens were spent",
    ):  # fmt: skip
        assert masked_text(text) == text
    assert masked_text("password=a&b=c") == f"password={MASK}&b=c"


# No NUL, which bodies must not hold.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
plain: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def contexts_with(draw: st.DrawFn, secret: str) -> dict[str, Any]:
    """A context with the secret somewhere, told in one of the ways that contexts tell secrets."""
    name = draw(st.sampled_from(SECRET_NAMES[:-3]))
    secret_value = draw(st.sampled_from([secret, [secret], {"deeper": [secret]}]))
    told: Any = draw(
        st.sampled_from(
            [
                {name: secret_value},
                {"note": draw(st.sampled_from(TELLING)).format(secret)},
                [[name, secret], ["Accept", "x"]],
                ["Accept", "x", name, secret],
                [{"name": name, "value": secret}],
                {"key": name, "values": [secret]},
                {draw(st.sampled_from(TELLING)).format(secret): 1},
                json.dumps({name: secret}),
            ]
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        told = draw(
            st.sampled_from([[told], {"in": told}, [draw(plain), told], {"x": draw(plain), "y": told}])
        )
    return {"context": told, "other": draw(plain)}


@given(st.data(), secrets)
def test_a_planted_secret_is_masked_wherever_it_is(data: st.DataObject, secret: str) -> None:
    context = data.draw(contexts_with(secret))
    if secret in json.dumps(context["other"]):
        return
    hidden = masked(context)
    assert secret not in json.dumps(hidden)


def texts_in(value: Any) -> Iterator[str]:
    """Every name and every text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


@given(plain)
def test_what_tells_no_secret_stays(value: Any) -> None:
    texts = list(texts_in(value))
    if not any(is_secret_name(text) or masked_text(text) != text for text in texts):
        assert masked(value) == value


def test_entries_of_one_group_become_one_report() -> None:
    entries = [
        NewError(
            "Audio",
            "Error",
            f"underrun {number}",
            {"n": number, "release": f" r{number} "},
            occurrences=number + 1,
        )
        for number in range(7)
    ] + [NewError("UI", "Error", "underrun 1", timestamp=0.5)]
    reports = {report.source: report for report in reports_of(entries, NOW)}
    audio, ui = reports["Audio"], reports["UI"]
    assert (audio.message, audio.release, audio.occurrences) == ("underrun 0", "r0", 28)
    assert json.loads(bytes(audio.context)) == {"n": 6, "release": " r6 "}
    assert [sample.context["n"] for sample in audio.samples] == [0, 1, 2, 3, 4]
    assert (ui.occurrences, ui.samples[0].timestamp) == (1, "1970-01-01T00:00:00.500Z")
    assert audio.fingerprint == ui.fingerprint
    assert audio.group_id != ui.group_id
    groups = [report.group_id for report in reports_of(entries, NOW)]
    assert groups == sorted(groups)


def test_a_long_message_is_masked_before_it_is_cut() -> None:
    secret = uuid4().hex
    for before in range(4050, 4100):
        message = f"{'x' * before} https://ada:{secret}@host/ {'y' * 50_000}"
        [report] = reports_of([NewError("UI", "Info", message)], NOW)
        assert len(report.message) <= 4096
        assert report.message.endswith("…")
        assert secret[:4] not in report.message


def test_hours_and_days() -> None:
    assert [str(hour) for hour in hours_until(NOW, 3)] == [
        "2026-03-01T21:00:00.000Z", "2026-03-01T22:00:00.000Z", "2026-03-01T23:00:00.000Z",
    ]  # fmt: skip
    assert seconds_left_today(NOW) == 2
    assert seconds_left_today(Instant.fromisoformat("2026-03-01T00:00:00+00:00")) == 86_400
    assert like_pattern("100%_\\") == "%100\\%\\_\\\\%"
