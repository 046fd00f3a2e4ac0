"""A real browser for the pages the server serves itself: Debian's Chromium, driven by Playwright."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.world import Person, World

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_MS = 10_000


@cache
def chromium() -> str:
    """Where Chromium is; a bare machine of continuous integration installs it, other machines skip."""
    with (Path(tempfile.gettempdir()) / "quintet-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers ask at once, and apt serves one at a time
        found = next((path for name in NAMES if (path := shutil.which(name))), None)
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
            quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            for command in (["apt-get", "update"], install):
                subprocess.run(command, env=quietly, capture_output=True, check=False)
            found = shutil.which("chromium")
    if found is None:
        pytest.skip(
            "no Chromium here: install it (Debian: apt-get install chromium), or run as root with apt"
        )
    return found


@asynccontextmanager
async def browsing() -> AsyncGenerator[Browser]:
    """A fresh Chromium with a profile of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            await browser.close()


class Visitor:
    """Somebody with a browser window; what went wrong in it, and where it called, is kept."""

    def __init__(self, context: BrowserContext, page: Page, world: World) -> None:
        self.context, self.page, self.world = context, page, world
        self.person: Person | None = None
        self.wrong: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda line: line.type in {"error", "warning"} and self.wrong.append(line.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    @classmethod
    async def enter(cls, browser: Browser, world: World, person: Person | None, **window: Any) -> Self:
        """Open a window, as somebody who is signed in there already, or as a stranger."""
        context = await browser.new_context(base_url=f"http://127.0.0.1:{world.port}", **window)
        if person is not None:
            session = {
                "user": {"id": person.id, "username": person.username},
                "access_token": person.access_token,
                "refresh_token": person.refresh_token,
                "expires_at": (time.time() + 600) * 1000,
            }
            kept = json.dumps(json.dumps(session))
            await context.add_init_script(
                'sessionStorage.getItem("quintet.session")'
                f' ?? sessionStorage.setItem("quintet.session", {kept})'
            )
        visitor = cls(context, await context.new_page(), world)
        visitor.person = person
        return visitor

    async def look_at(self, title_id: str) -> Self:
        """Open the title's page, and wait until it is alive."""
        await self.page.goto(f"/stage/wigg/{title_id}")
        await self.page.wait_for_selector(".bar", state="attached")
        if await self.page.locator("#sign-out").is_visible():
            await self.sees("#state[data-state=live]")
        return self

    async def sees(self, selector: str, count: int | None = None) -> None:
        """Wait until it is there, or is there so many times."""
        if count is None:
            await self.page.wait_for_selector(selector, state="attached")
        else:
            await self.until(f"document.querySelectorAll({selector!r}).length === {count}")

    async def until(self, condition: str) -> None:
        await self.page.wait_for_function(f"() => {condition}")

    async def point(self, pct: float, score: float) -> tuple[float, float]:
        """Where on the screen that place of the curve is."""
        box: Any = await self.page.evaluate(
            """() => {
                const line = document.querySelector(".scale .base").getBoundingClientRect();
                const top = document.querySelector(".scale line:nth-last-of-type(1)").getBoundingClientRect();
                return { left: line.left, width: line.width, bottom: line.top, top: top.top };
            }"""
        )
        x = box["left"] + pct / 100 * box["width"]
        return x, box["bottom"] - score / 4 * (box["bottom"] - box["top"])

    async def click(self, pct: float, score: float = 1) -> None:
        await self.page.mouse.click(*await self.point(pct, score))

    async def drag(self, *points: tuple[float, float]) -> None:
        """Press at the first point, pass the others, let go."""
        mouse = self.page.mouse
        await mouse.move(*await self.point(*points[0]))
        await mouse.down()
        for point in points[1:]:
            await mouse.move(*await self.point(*point), steps=8)
        await mouse.up()


Enter = Callable[..., Awaitable[Visitor]]
