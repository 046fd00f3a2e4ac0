"""The bell of Sidechain's page in a real browser: it counts live, folds, is read, asks how one is told."""

from playwright.async_api import Page
from tests.browser import Enter, Visitor
from tests.domains.notifying import PATH, do, listed, undo
from tests.world import World

BADGE = ".bell b"


async def open_page(visitor: Visitor) -> Page:
    await visitor.page.goto("/stage/sidechain")
    await visitor.sees("#state[data-state=live]")
    await visitor.sees(".bell")
    return visitor.page


async def test_the_bell_counts_live_and_its_list_is_read(enter: Enter, live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    await do(ben, ada, "mention", text="hear & <b>now</b>")
    tab, other = await enter(ada), await enter(ada)
    page = await open_page(tab)
    await open_page(other)
    await tab.until(f"document.querySelector('{BADGE}').textContent === '1'")
    await page.click(".bell")
    assert await page.inner_text(".notices li button > span:nth-child(2)") == (
        f"{ben.username} mentioned you: “hear & <b>now</b>”\njust now"
    )
    await do(ben, ada, object_id="p")
    await do(cleo, ada, object_id="p")
    await tab.until(f"document.querySelector('{BADGE}').textContent === '2'")
    await tab.sees(".notices li", 2)
    first = ".notices li:first-child"
    await tab.until(
        f"document.querySelector('{first}').textContent.includes('{cleo.username} and {ben.username} liked')"
    )
    await undo(cleo, ada, object_id="p")
    await tab.until(f"!document.querySelector('{first}').textContent.includes('{cleo.username}')")
    await page.click(f"{first} button")
    for visitor in (tab, other):
        await visitor.until(f"document.querySelector('{BADGE}').textContent === '1'")
        await visitor.sees(".notices .unread", 1)
    await page.click(".read-all")
    for visitor in (tab, other):
        await visitor.until(f"document.querySelector('{BADGE}').hidden")
        await visitor.sees(".notices .unread", 0)
    assert [item["read"] for item in await listed(ada)] == [True, True]
    await page.keyboard.press("Escape")
    assert await page.is_hidden(".notices")
    assert tab.wrong == other.wrong == []


async def test_older_ones_and_how_to_be_told(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    for number in range(25):
        await do(ben, ada, object_id=str(number))
    tab = await enter(ada)
    page = await open_page(tab)
    await tab.until(f"document.querySelector('{BADGE}').textContent === '25'")
    await page.click(".bell")
    await tab.sees(".notices li", 20)
    await page.click(".older")
    await tab.sees(".notices li", 25)
    await page.click(".ways summary")
    await page.uncheck("[name='post_liked.live']")
    await page.wait_for_selector("#said.shows")
    kept = (await ada.get(f"{PATH}/preferences")).json()["preferences"]["post_liked"]
    assert kept == {"live": False, "push": True, "email": False, "muted": False}
    assert tab.wrong == []
