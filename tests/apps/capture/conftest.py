"""A server of their own for captures, players and what they tell, since these tests move the clock."""

from collections.abc import AsyncGenerator

import pytest
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.travel import Traveller, traveller
from tests.world import World

from quintet.apps.wigg.capture import waking


@pytest.fixture(scope="module")
async def world(worker_name: str) -> AsyncGenerator[World]:
    """A server of its own: these tests move the clock by hours."""
    name = f"capture_world_{worker_name}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waking, "_LONGEST_SLEEP_SECONDS", 0.1)  # the clock jumps, which no sleep notices
        async with serving(settings_for_tests(), clone_database(name)) as made:
            yield made
    drop_database(name)


@pytest.fixture
async def ada(world: World) -> Traveller:
    return await traveller(world)
