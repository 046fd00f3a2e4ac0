"""Parts and signed addresses: pure rules against slow and obvious twins."""

import base64
import re
import string
from datetime import UTC, datetime, timedelta

from hypothesis import assume, example, given
from hypothesis import strategies as st

from quintet.kernel.clock import Instant
from quintet.kernel.files.ranges import Part, Unsatisfiable, part_asked_for
from quintet.kernel.files.signing import LEAST, STEP, expiry_from, signed_address, signed_for
from quintet.kernel.ids import new_id
from quintet.kernel.secrets import Secrets

ETAG = '"abc"'
SECRETS = Secrets({"file": b"k" * 32})
numbers = st.one_of(st.just(""), st.integers(0, 12).map(str), st.just("007"), st.just("999999999999999"))


def twin(first: str, last: str, size: int) -> list[int] | str | None:
    """The bytes asked for, one by one, as RFC 9110 (14.1.2) words it."""
    every = list(range(size))
    if first == last == "":
        return None
    if first == "":
        suffix = every[max(0, size - int(last)) :] if int(last) else []
        return suffix or "unsatisfiable"
    if last and int(last) < int(first):
        return None
    chosen = [one for one in every if one >= int(first) and (last == "" or one <= int(last))]
    return chosen or "unsatisfiable"


def asked(header: str | None, size: int, if_range: str | None = None) -> list[int] | str | None:
    try:
        part = part_asked_for(header, if_range, size, ETAG)
    except Unsatisfiable:
        return "unsatisfiable"
    return None if part is None else list(range(part.start, part.stop))


@given(numbers, numbers, st.integers(0, 12), st.sampled_from(["bytes=", "Bytes = ", "BYTES="]))
def test_one_range_is_the_twins(first: str, last: str, size: int, unit: str) -> None:
    assert asked(f"{unit}{first}-{last}", size) == twin(first, last, size)


@given(st.text(max_size=30) | st.from_regex(re.compile(r"[a-z]*=[0-9, -]*"), fullmatch=True))
@example("bytes=0-1,3-4")
@example("bytes=0-1,")
@example("bytes=\u0661-\u0662")
@example("bytes=-" + "9" * 5000)
@example("bytes=1")
@example("items=0-1")
@example("bytes=--1")
@example("bytes=+1-2")
def test_whatever_else_is_asked_is_the_whole(header: str) -> None:
    assume(not re.fullmatch(r"(?i)\s*bytes[ \t]*=[ \t]*[0-9]{0,15}-[0-9]{0,15}\s*", header))
    assert asked(header, 100) is None


def test_if_range_takes_the_tag_and_nothing_weaker() -> None:
    assert asked(None, 9) is None
    assert asked("bytes=2-3", 9, ETAG) == [2, 3]
    for other in ('"abd"', 'W/"abc"', "abc", "Sun, 22 Nov 2026 00:00:00 GMT", "*", ""):
        assert asked("bytes=2-3", 9, other) is None
    assert part_asked_for("bytes=0-", None, 9, ETAG) == Part(0, 9)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_addresses_stay_and_last(moment: datetime) -> None:
    now = Instant.at(moment)
    left = expiry_from(now) - now.timestamp()
    assert LEAST.total_seconds() <= left <= (LEAST + STEP).total_seconds()
    assert expiry_from(now) % STEP.total_seconds() == 0
    later = Instant.at(moment + timedelta(seconds=1))
    assert expiry_from(later) - expiry_from(now) in {0, STEP.total_seconds()}


def parts_of(address: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"http://a/files/([0-9a-f-]{36})\?expires=(\d+)&signature=([\w-]{43})", address)
    assert match is not None, address
    return match[1], match[2], match[3]


@given(st.data())
def test_nothing_of_an_address_can_be_changed(data: st.DataObject) -> None:
    good = parts_of(signed_address(SECRETS, "http://a", new_id(), 1_800_000_000))
    assert signed_for(SECRETS, *good)
    which = data.draw(st.integers(0, 2))
    text = good[which]
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(st.text(max_size=3))
    changed = text[:at] + put + text[at + data.draw(st.integers(0, 3)) :]
    assume(changed != text)
    assert not signed_for(SECRETS, *good[:which], changed, *good[which + 1 :])


def test_no_other_spelling_and_no_other_key_will_do() -> None:
    file_id, expires, signature = parts_of(signed_address(SECRETS, "http://a", new_id(), 1_800_000_000))
    raw = base64.urlsafe_b64decode(signature + "=")
    spellings = [signature + "=", base64.b64encode(raw).decode().rstrip("="), raw.hex()]
    ends = (signature[:-1] + last for last in string.ascii_letters + string.digits + "-_")
    spellings += [spelling for spelling in ends if base64.urlsafe_b64decode(spelling + "=") == raw]
    assert len(set(spellings)) > 4
    for spelling in set(spellings) - {signature}:
        assert not signed_for(SECRETS, file_id, expires, spelling)
    assert not signed_for(SECRETS, file_id.upper(), expires, signature) or file_id.upper() == file_id
    assert not signed_for(SECRETS, file_id.replace("-", ""), expires, signature)
    assert not signed_for(SECRETS, file_id, "0" + expires, signature)
    assert not signed_for(SECRETS, file_id + expires[0], expires[1:], signature)
    assert not signed_for(Secrets({"file": b"j" * 32}), file_id, expires, signature)
