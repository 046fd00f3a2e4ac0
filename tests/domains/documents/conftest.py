"""The world with a kind of documents in it."""

import pytest
from tests.domains.documents.notes import have_notes
from tests.world import World


@pytest.fixture
def noted(live: World) -> World:
    """The world, with notes."""
    have_notes(live)
    return live
