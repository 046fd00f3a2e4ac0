"""Somebody in front of a textarea that the JavaScript client binds to a document."""

import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.async_api import Browser, Page

CLIENT = Path(__file__).parent.parent.parent / "clients" / "javascript"
PATIENCE_MS = 20_000
PAGE = """
<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><textarea rows="10" cols="60"></textarea>
<script type="importmap">{"imports": {"quintet-text": "/index.js"}}</script>
<script type="module">
"""
CODE = """
import { QuintetText, bindTextarea } from "quintet-text";
const { url, token, id } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
window.troubles = [];
window.sockets = [];
window.onerror = window.onunhandledrejection = (problem) => troubles.push(String(problem.reason ?? problem));
class Watched extends WebSocket {
  constructor(...what) {
    if (window.isCutOff) throw new Error("no line");
    super(...what);
    sockets.push(this);
  }
}
const client = new QuintetText({ url, token, surroundings: { WebSocket: Watched } });
window.doc = await client.open(id);
for (const trouble of ["lost", "diverged"]) doc.on(trouble, (what) => troubles.push([trouble, what]));
window.area = document.querySelector("textarea");
bindTextarea(doc, area);
window.isReady = true;
"""


def example() -> str:
    """What the README shows, for the settings of the page."""
    code = (CLIENT / "README.md").read_text().partition("```js\n")[2].partition("```")[0]
    settings = "const { url, token, id } = JSON.parse(decodeURIComponent(location.hash.slice(1)));\n"
    code = re.sub(r'"https://[^"]*"', "url", re.sub(r'"channel:[^"]*"', "id", code))
    before = "window.troubles = [];\nconst session = { accessToken: token };\n"
    after = 'window.doc = doc;\nwindow.area = document.querySelector("textarea");\nwindow.isReady = true;\n'
    return settings + before + code + after


class Files(BaseHTTPRequestHandler):
    """The page, and the client's sources."""

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        if name.endswith(".js"):
            text = (CLIENT / "src" / name).read_text()
        else:
            text = PAGE + (example() if name == "example" else CODE) + "</script>"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if name.endswith(".js") else "text/html")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def site() -> Generator[str]:
    """A site of an origin of its own, as an application's is; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Window:
    """A page with a textarea."""

    page: Page

    async def do(self, code: str) -> Any:
        """What a piece of JavaScript gives."""
        return await self.page.evaluate(code)

    async def until(self, condition: str) -> None:
        await self.page.wait_for_function(f"() => {condition}", timeout=PATIENCE_MS)

    async def type(self, text: str) -> None:
        """Type it where the cursor is."""
        await self.page.focus("textarea")
        await self.page.keyboard.type(text)

    async def place(self, start: int, end: int | None = None) -> None:
        """Put the cursor there, or select."""
        await self.do(f"area.setSelectionRange({start}, {start if end is None else end})")

    async def shows(self, text: str) -> None:
        await self.until(f"area.value === {json.dumps(text)}")

    async def break_off(self) -> None:
        """Lose the connection."""
        await self.do("sockets.at(-1).close()")

    async def cut_off(self) -> None:
        """Lose the connection, and find no other."""
        await self.do("window.isCutOff = true")
        await self.break_off()
        await self.until("doc.state === 'offline'")

    async def reconnect(self) -> None:
        """Find a connection again."""
        await self.do("window.isCutOff = false")
        await self.do("window.dispatchEvent(new Event('online'))")

    async def wrong(self) -> list[Any]:
        return await self.do("troubles")


@dataclass
class Writing:
    """Windows, each somebody's own."""

    browser: Browser
    site: str
    opened: list[Window] = field(default_factory=list)

    async def open(self, url: str, token: str, document: str, page_name: str = "") -> Window:
        """A window of whoever has that token at that server."""
        page = await (await self.browser.new_context()).new_page()
        page.set_default_timeout(PATIENCE_MS)
        settings = json.dumps({"url": url, "token": token, "id": document})
        await page.goto(f"{self.site}/{page_name}#{quote(settings)}")
        window = Window(page)
        self.opened.append(window)
        await window.until("window.isReady || window.troubles?.length")
        return window
