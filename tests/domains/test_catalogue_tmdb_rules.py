"""The breaker and what Retry-After means, against slow and obvious twins."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.domains.catalogue.tmdb.breaker import Breaker
from quintet.domains.catalogue.tmdb.client import rest_of
from quintet.domains.catalogue.tmdb.model import Busy, Failed, Gone, Refused, TmdbTrouble, TooManyWait

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.sampled_from([None, Failed(), Refused(), Busy(timedelta(seconds=40)), Gone(), TooManyWait()]),
    ),
    max_size=12,
)


@given(STEPS)
def test_it_rests_as_long_as_the_longest_reason(steps: list[tuple[int, TmdbTrouble | None]]) -> None:
    state, now = Breaker(0, None), NOW
    history: list[TmdbTrouble | None] = []
    until = NOW
    for seconds, trouble in steps:
        now += timedelta(seconds=seconds)
        state = state.after(trouble, now)
        if isinstance(trouble, (Failed, type(None))):
            history.append(trouble)
        if isinstance(trouble, Refused):
            until = max(until, now + timedelta(minutes=5))
        if isinstance(trouble, Busy):
            until = max(until, now + timedelta(seconds=40))
        if isinstance(trouble, Failed) and len(history) >= 3 and all(history[-3:]):
            until = max(until, now + timedelta(seconds=30))
        for later in (0, 1, 29, 30, 39, 40, 299, 300):
            then = now + timedelta(seconds=later)
            assert state.is_open(then) == (then < until)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17), (" 120 ", 120), ("0", 1), ("999999999999999", 86400), ("-5", 10), ("", 10), ("soon", 10),
        ("1.5", 10), ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("Thu, 01 Jan 2015 00:00:00 GMT", 1),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 86400), ("Thu, 99 Jan 2026 00:00:00 GMT", 10), ("٣", 10),
    ],
)  # fmt: skip
def test_how_long_a_header_asks_to_wait(header: str, seconds: int) -> None:
    assert rest_of(header, NOW) == timedelta(seconds=seconds)
