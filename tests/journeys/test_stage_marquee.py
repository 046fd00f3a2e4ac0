"""Marquee's page in a real browser: search, drag, keys, two tabs, friends, the leaderboard, the picture."""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Route
from tests.browser import Enter, Visitor
from tests.waiting import look_again
from tests.world import PASSWORD, Person, World

TIERS = "SABCD"
DESK = {"width": 1280, "height": 1300}  # all shelves at once: what is carried to the edge scrolls the page


async def film(person: Person, title: str, **given: Any) -> str:
    """Enter a film; its id."""
    body = {"title": title, "media_type": "MOVIE", "year": 1995, "confirm": True, **given}
    answer = await person.post("/media/create_stub", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def rank(person: Person, tier: str, *titles: str) -> list[str]:
    """Rank new films, the best first; their rankings' ids."""
    ids: list[str] = []
    for title in titles:
        body = {"media_id": await film(person, title), "tier": tier}
        answer = await person.post("/rankings", json=body)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return ids


async def ranked(person: Person) -> dict[str, list[str]]:
    """The titles of a list as the server has it, by tier."""
    items = (await person.get("/rankings/me?limit=1000")).json()["items"]
    return {
        tier: [one["media"]["title"] for one in items if one["tier"] == tier]
        for tier in TIERS
        if any(one["tier"] == tier for one in items)
    }


async def becomes(person: Person, **tiers: list[str]) -> None:
    """Wait until the server has the list so."""
    async with asyncio.timeout(10):
        while await ranked(person) != tiers:
            await look_again()


async def open_page(visitor: Visitor) -> Page:
    await visitor.page.goto("/stage/marquee")
    if visitor.person is not None:
        await visitor.sees("#state[data-state=live]")
    return visitor.page


async def shelf(visitor: Visitor, tier: str) -> list[str]:
    return await visitor.page.locator(f"[data-tier={tier}] .tile .name").all_inner_texts()


async def shows(visitor: Visitor, tier: str, *titles: str) -> None:
    """Wait until the shelf holds these titles and nothing on it waits for an answer."""
    wanted = list(titles)
    await visitor.page.wait_for_function(
        """([tier, wanted]) => {
            const tiles = [...document.querySelectorAll(`[data-tier=${tier}] .tile`)];
            return !document.querySelector(".waits")
                && JSON.stringify(tiles.map((one) => one.querySelector(".name").textContent))
                    === JSON.stringify(wanted);
        }""",
        arg=[tier, wanted],
    )


def tile(page: Page, title: str) -> Any:
    return page.locator(".shelf .tile", has=page.get_by_text(title, exact=True))


async def carry(page: Page, start: Any, end: Any, *, x: float = 0.5, y: float = 0.5) -> None:
    """Drag with the mouse from the middle of one thing to a place on another."""
    one, other = await start.bounding_box(), await end.bounding_box()
    await page.mouse.move(one["x"] + one["width"] / 2, one["y"] + one["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(one["x"] + one["width"] / 2 + 12, one["y"] + one["height"] / 2 + 8)
    await page.mouse.move(other["x"] + x * other["width"], other["y"] + y * other["height"], steps=6)
    await page.mouse.up()


async def test_somebody_new_searches_as_they_type_and_ranks(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    name = f"Zzyzx{live.port}"
    for title in (f"{name} Road", f"{name} & <b>Sons</b>"):
        await film(ada, title)
    visitor = await enter(viewport=DESK)
    page = await open_page(visitor)
    await page.wait_for_selector("#guest")
    asked: list[str] = []
    first = asyncio.Event()

    async def delay(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:  # the answer to the first question comes last, and must not be shown
            await first.wait()
        await route.continue_()

    await page.route("**/media/search?*", delay)
    await page.fill("#query", "Nothing like it")
    async with asyncio.timeout(10):
        while not asked:
            await look_again()
    await page.fill("#query", name.lower())
    await visitor.sees(".result", 2)
    async with page.expect_response(lambda answer: answer.url == asked[0]) as late:
        first.set()
    await (await late.value).finished()
    assert await page.locator(".result").count() == 2
    assert await page.inner_text("#search-state") == "2 found."
    await page.fill("#query", f"{name} rod")  # misspelt
    await visitor.until("document.querySelector('.result strong')?.textContent.endsWith(' Road')")
    await page.get_by_label(f"{name} Road into tier A").click()
    await page.get_by_text("New here").click()
    await page.fill("#account [name=name]", f"{name}@example.com")
    await page.fill("#account [name=username]", name)
    await page.fill("#account [name=password]", PASSWORD)
    await page.click("#submit")
    await visitor.sees("#state[data-state=live]")
    await page.get_by_label(f"{name} Road into tier A").click()
    await shows(visitor, "A", f"{name} Road")
    await visitor.sees(f'[aria-label="{name} Road into tier A"][aria-pressed=true]')
    await page.fill("#query", name)
    await visitor.sees(".result", 2)
    await carry(
        page, page.locator(".result", has_text="Sons").locator(".tile"), tile(page, f"{name} Road"), x=0.1
    )
    await shows(visitor, "A", f"{name} & <b>Sons</b>", f"{name} Road")
    await page.fill("#query", f"{name} nowhere to be found")
    await visitor.until("document.querySelector('#enter [name=title]').value.endsWith('found')")
    await page.evaluate("document.querySelector('#entering').open = true")
    await page.fill("#enter [name=year]", "1601")
    await page.locator("#enter").get_by_text("Play").click()
    await page.click("#enter button")
    await visitor.until("document.querySelector('#search-state').textContent.startsWith('Entered')")
    await page.get_by_label("into tier D").first.click()
    await shows(visitor, "D", f"{name} nowhere to be found")


async def test_titles_move_with_the_mouse_and_a_second_tab_follows(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    await rank(ada, "S", "Heat", "Ran")
    await rank(ada, "B", "Alien", "Brazil", "Chinatown")
    one, other = await enter(ada, viewport=DESK), await enter(ada)
    page = await open_page(one)
    await open_page(other)
    await shows(one, "B", "Alien", "Brazil", "Chinatown")
    await carry(page, tile(page, "Chinatown"), tile(page, "Alien"), x=0.2)
    await shows(one, "B", "Chinatown", "Alien", "Brazil")
    await shows(other, "B", "Chinatown", "Alien", "Brazil")
    await carry(page, tile(page, "Brazil"), tile(page, "Heat"), x=0.9)
    await carry(page, tile(page, "Heat"), page.locator(".tier[data-tier=D]"))
    for visitor in (one, other):
        await shows(visitor, "S", "Brazil", "Ran")
        await shows(visitor, "D", "Heat")
    await becomes(ada, S=["Brazil", "Ran"], B=["Chinatown", "Alien"], D=["Heat"])
    # Not where anything can be put: it goes back.
    await carry(page, tile(page, "Ran"), page.locator("#board-heading"))
    await shows(one, "S", "Brazil", "Ran")
    # Refused: it goes back, too, and the page says why.
    await page.route(
        "**/move", lambda route: route.fulfill(status=409, json={"code": "tier_full", "title": "Full"})
    )
    await carry(page, tile(page, "Ran"), tile(page, "Heat"), x=0.1)
    await page.wait_for_selector("#said code:text('tier_full')")
    await shows(one, "S", "Brazil", "Ran")
    await page.unroute("**/move")
    assert all("409" in line for line in one.wrong)
    one.wrong.clear()
    # A note, then out, and back on second thoughts; then out for good.
    await tile(page, "Ran").click()
    await page.fill("#details textarea", "The battle without sound.")
    await page.click("#details button.main")
    await other.until("document.querySelector('[data-tier=S] .tile:last-child .flag').textContent === '✎'")
    await tile(page, "Ran").click()
    await page.click("#details [value=remove]")
    await shows(one, "S", "Brazil")
    await page.click("#undo button")
    await shows(one, "S", "Brazil", "Ran")
    await tile(page, "Ran").click()
    await page.click("#details [value=remove]")
    await page.goto("/docs")  # leaving is not thinking again
    await shows(other, "S", "Brazil")


async def test_titles_move_with_keys_alone(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    await rank(ada, "A", "Heat", "Ran")
    await rank(ada, "C", "Alien")
    visitor = await enter(ada)
    page = await open_page(visitor)
    await shows(visitor, "A", "Heat", "Ran")
    keys = page.keyboard
    while "Heat" not in await page.evaluate("document.activeElement.ariaLabel ?? ''"):
        await keys.press("Tab")
    for key in ("ArrowRight", "Space", "ArrowLeft", "ArrowUp"):
        await keys.press(key)
    assert await page.inner_text("#spoken") == "1 of 1 in tier S"
    await keys.press("Escape")
    assert await shelf(visitor, "A") == ["Heat", "Ran"]
    for key in ("Space", "ArrowDown", "ArrowDown", "ArrowLeft"):
        await keys.press(key)
    assert await page.inner_text("#spoken") == "1 of 2 in tier C"
    await keys.press("Space")
    await shows(visitor, "C", "Ran", "Alien")
    await becomes(ada, A=["Heat"], C=["Ran", "Alien"])
    assert "Ran" in await page.evaluate("document.activeElement.ariaLabel"), "the focus stays with it"
    await keys.press("ArrowRight")
    await keys.press("Delete")
    await shows(visitor, "C", "Ran")
    await keys.press("Enter")
    await page.wait_for_selector("#details[open]")


async def test_what_friends_rank_arrives_as_they_do_it(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    await rank(ben, "C", "Long ago")
    visitor = await enter(ada)
    page = await open_page(visitor)
    await page.wait_for_selector("#no-feed")
    await page.fill("#friend", ben.username)
    await page.click("#follow button")
    await visitor.sees("#feed li", 1)
    (heat,) = await rank(ben, "B", "Heat")
    await visitor.sees("#feed li", 2)
    assert f"{ben.username} ranked Heat in B" in await page.locator("#feed li p").first.inner_text()
    await ben.patch(f"/rankings/{heat}/move", json={"tier": "S"})
    await visitor.until(
        "document.querySelector('#feed li p').textContent.includes('moved Heat, from B to S')"
    )
    await page.select_option("#scope", "following")
    await visitor.sees("#board li", 2)
    assert await page.locator("#board .name").first.inner_text() == "Heat (1995)"
    await page.select_option("#of", "users")
    await visitor.until("document.querySelector('#board .figure')?.textContent === '2 titles'")
    assert await page.locator("#board .name").all_inner_texts() == [ben.username]


async def test_a_list_is_shared_as_a_picture_and_taken_back(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    await rank(ada, "S", "Heat & <Dust>")
    visitor = await enter(ada)
    page = await open_page(visitor)
    await page.click("#share")
    await page.click("#publish")
    await visitor.until("document.querySelector('#picture img').naturalWidth === 1200")
    address = await page.input_value("#address")
    path = address.removeprefix(live.kernel.settings.issuer)
    stranger = await enter()
    shown = await stranger.page.goto(path)
    assert shown is not None
    assert (shown.status, shown.headers["content-type"]) == (200, "image/png")
    await stranger.page.goto(path.replace(".png", ".svg"))
    assert "Heat & <Dust>" in await stranger.page.locator("text").all_text_contents()
    await page.click("#withdraw")
    await page.wait_for_selector("#publish")
    assert (await live.get(path)).status_code == 404
    assert len(visitor.wrong) == 1, "the browser tells that the list was not shared"
    visitor.wrong.clear()


async def test_the_server_helps_to_find_a_place(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    await rank(ada, "A", "One", "Two", "Three")
    name = f"Between{live.port}"
    await film(ada, name)
    visitor = await enter(ada)
    page = await open_page(visitor)
    await page.fill("#query", name)
    await page.get_by_label(f"Help me find the place of {name}").click()
    await page.get_by_label("Tier A", exact=True).click()
    await visitor.sees("#placing-answers button", 2)
    # Worse than Two, better than Three.
    while await page.locator("#placing").is_visible():
        question = page.locator("#placing-answers button")
        other = await question.nth(1).inner_text()
        await question.nth(0 if other == "Three" else 1).click()
        await visitor.until(
            f"!document.querySelector('#placing').open"
            f" || document.querySelectorAll('#placing-answers button')[1].textContent !== {other!r}"
        )
    await shows(visitor, "A", "One", "Two", name, "Three")


async def test_a_small_phone_is_enough(enter: Enter, live: World, tmp_path: Path) -> None:
    ada = await live.person("ada")
    await rank(ada, "S", "Heat", "Unbreakable" * 9)
    await rank(ada, "B", *(f"Film {number}" for number in range(7)))
    visitor = await enter(ada, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = await open_page(visitor)
    await visitor.sees(".shelf .tile", 9)
    # A finger that moves at once scrolls; one that holds first carries.
    protocol = await visitor.context.new_cdp_session(page)
    await tile(page, "Film 6").scroll_into_view_if_needed()
    one, other = await tile(page, "Film 6").bounding_box(), await tile(page, "Film 0").bounding_box()
    x, y = one["x"] + 30, one["y"] + 30

    async def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        await protocol.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    await touch("Start", x, y)
    await page.wait_for_selector(".ghost")
    for step in range(1, 7):
        await touch("Move", x + (other["x"] + 8 - x) * step / 6, y + (other["y"] + 40 - y) * step / 6)
    await touch("End")
    await shows(visitor, "B", "Film 6", *(f"Film {number}" for number in range(6)))
    await page.fill("#query", "Heat")
    await visitor.sees(".result")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    small = await page.evaluate(
        """() => [...document.querySelectorAll("button, a, select, .choice label, input:not([type=radio])")]
            .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
            .filter(([, box]) => box.width && Math.min(box.height, box.width) < 44)
            .map(([html]) => html)"""
    )
    assert small == [], "a finger needs 44 px"
    await page.screenshot(path=tmp_path / "phone.png", full_page=True)
