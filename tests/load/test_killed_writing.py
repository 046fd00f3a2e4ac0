"""Two browsers write into a channel's description while the server is killed again and again."""

import asyncio
import json
import re

import httpx2
import pytest
from playwright.async_api import Browser
from tests.browser import browsing
from tests.clients.writing import Writing, site
from tests.process import ServerProcess, server_process
from tests.world import Person, World

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]
KILLS = 3
WRITING = """
window.written = [];
window.writer = setInterval(() => {
  const mark = `<NAME${written.length}>`;
  const gaps = [...doc.text.matchAll(/>|^/g)].map((found) => found.index + found[0].length);
  doc.insert(gaps[Math.floor(Math.random() * gaps.length)], mark);
  written.push(mark);
}, 50);
"""


async def channel_of_two(server: ServerProcess) -> tuple[Person, Person, str]:
    """Ada's channel, with Ben in it; the id of its description."""
    async with httpx2.AsyncClient(base_url=server.url) as http:
        world = World(http=http, kernel=None, clock=None, dsn="", port=server.port)  # type: ignore[arg-type]
        ada, ben = await world.person("ada"), await world.person("ben")
        made = await ada.post("/api/v1/channels", json={"name": "Duet"})
        assert made.status_code == 201, made.text
        channel = made.json()["id"]
        joined = await ben.put(f"/api/v1/channels/{channel}/members/{ben.id}")
        assert joined.status_code < 300, joined.text
    return ada, ben, f"channel:{channel}:description"


async def write_through_kills(browser: Browser, address: str, server: ServerProcess) -> int:
    """How many marks were written."""
    ada, ben, document = await channel_of_two(server)
    writing = Writing(browser, address)
    windows = [await writing.open(server.url, one.access_token, document) for one in (ada, ben)]
    for name, window in zip("ab", windows, strict=True):
        await window.do(WRITING.replace("NAME", name))
    for _ in range(KILLS):
        revs = [await window.do("doc.rev") for window in windows]
        for rev, window in zip(revs, windows, strict=True):
            await window.until(f"doc.rev > {rev + 10}")
        server.kill()
        await windows[0].until("doc.state === 'offline'")
        server.start()
        await asyncio.to_thread(server.wait_until_ready)
    for window in windows:
        await window.do("clearInterval(writer)")
    for window in windows:
        await window.until("doc.isSaved && doc.state === 'live'")
    written = [mark for window in windows for mark in await window.do("written")]
    async with httpx2.AsyncClient(base_url=server.url) as http:
        headers = {"Authorization": f"Bearer {ada.access_token}"}
        answer = await http.get(f"/api/v1/documents/{document}", headers=headers)
    text: str = answer.json()["content"]
    for window in windows:
        await window.until(f"doc.text === {json.dumps(text)}")
        assert await window.wrong() == []
    assert sorted(re.findall(r"<\w+>", text)) == sorted(written)
    assert len(text) == sum(map(len, written))
    return len(written)


async def test_nothing_is_lost_or_doubled_while_the_server_is_killed() -> None:
    with server_process() as server, site() as address:
        async with browsing() as browser:
            count = await write_through_kills(browser, address, server)
    print(f"{count} insertions of two browsers through {KILLS} kills: 0 lost, 0 doubled, one text")
