"""A browser for the pages of the stage, and a door to let people in through."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from playwright.async_api import Browser
from tests.browser import Enter, Visitor, browsing
from tests.world import Person, World


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with browsing() as browser:
        yield browser


@pytest.fixture
async def enter(browser: Browser, live: World) -> AsyncGenerator[Enter]:
    """Lets people in, and looks at the end whether their browsers had anything to complain about."""
    visitors: list[Visitor] = []

    async def let_in(person: Person | None = None, **window: Any) -> Visitor:
        visitors.append(await Visitor.enter(browser, live, person, **window))
        return visitors[-1]

    yield let_in
    for visitor in visitors:
        await visitor.context.close()
        assert visitor.wrong == [], "errors in the console, refused by the Content-Security-Policy, or thrown"
        assert visitor.hosts <= {f"127.0.0.1:{live.port}"}, "no other host is ever asked"
