"""Where a capture is: the rule, and its twin in the database."""

import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from tests.apps.capture.capturing import (
    LENGTH,
    start,
)
from tests.clock import Stopwatch
from tests.world import Person, World, new_title

from quintet.apps.wigg.capture import rules
from quintet.apps.wigg.capture.model import Capture, CaptureId
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant


def capture_of(position: int, speed: float, length: float | None, mode: Any, started: Instant) -> Capture:
    return Capture(
        id=CaptureId(UUID(int=1)), user_id=UserId(UUID(int=2)), title_id=WorkId("t"), mode=mode, speed=speed,
        length_seconds=length, anchor_position=position, anchor_at=started, paused_at=None,
        started_at=started,
        updated_at=started, stopped_at=None,
    )  # fmt: skip


AT = Instant.at(Stopwatch().now())
CAPTURES = st.builds(
    capture_of,
    st.integers(0, rules.WHOLE),
    st.floats(0, 16, exclude_min=True),
    st.floats(0.001, 100_000_000) | st.none(),
    st.sampled_from(["manual", "timed", "player"]),
    st.just(AT),
)
SECONDS = st.floats(-10, 1e7)


def later(seconds: float) -> Instant:
    return Instant.at(Instant.fromtimestamp(AT.timestamp() + seconds, AT.tzinfo))


@given(CAPTURES, SECONDS, SECONDS)
def test_a_position_only_grows_and_stays_on_the_title(capture: Capture, some: float, more: float) -> None:
    first, second = sorted((some, more))
    positions = [rules.position_at(capture, later(seconds)) for seconds in (first, second)]
    assert capture.anchor_position <= positions[0] <= positions[1] <= rules.WHOLE


@given(CAPTURES, st.integers(0, rules.WHOLE))
def test_it_is_there_when_it_is_said_to_be(capture: Capture, position: int) -> None:
    at = rules.passes_at(capture, position)
    if at is None:
        return
    assert rules.position_at(capture, at) >= position
    earlier = Instant.at(Instant.fromtimestamp(at.timestamp() - 0.01, at.tzinfo))
    if earlier > AT and position > capture.anchor_position:
        step = 0.02 * capture.speed / (capture.length_seconds or 1) * rules.WHOLE + 1
        assert rules.position_at(capture, earlier) >= position - step - 1


async def test_database_and_server_know_the_same_position(world: World, ada: Person) -> None:
    title = await new_title(ada, total_length_seconds=LENGTH)
    capture = await start(ada, title, speed=1.7, start_pct=3.3)
    for seconds in (0.001, 1, 59.999, 1234.567, 9999):
        at = Instant.at(Instant.fromtimestamp(world.clock.now().timestamp() + seconds, AT.tzinfo))
        ((there, row),) = world.sql(
            "select wigg.capture_position(c, %s), to_jsonb(c) from wigg.captures c where id = %s",
            at,
            capture["id"],
        )
        stored = capture_of(
            row["anchor_position"], row["speed"], row["length_seconds"], row["mode"],
            Instant.fromisoformat(json.loads(json.dumps(row["anchor_at"]))),
        )  # fmt: skip
        assert abs(rules.position_at(stored, at) - there) <= 1
