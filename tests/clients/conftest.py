"""A browser, and windows in it that have the JavaScript client."""

from collections.abc import AsyncGenerator, Generator

import pytest
from playwright.async_api import Browser
from tests.browser import browsing
from tests.clients.writing import Writing, site


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def application() -> Generator[str]:
    with site() as address:
        yield address


@pytest.fixture
async def writing(browser: Browser, application: str) -> AsyncGenerator[Writing]:
    """Opens windows to write in, and looks at the end whether anything went wrong in them."""
    windows = Writing(browser, application)
    yield windows
    for window in windows.opened:
        wrong = await window.wrong()
        await window.page.context.close()
        assert wrong == []
