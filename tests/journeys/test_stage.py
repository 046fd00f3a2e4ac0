"""The stage, in a real browser: two people at one title, with mouse, finger and keyboard, on and off line."""

import asyncio
import json
import statistics
from pathlib import Path
from typing import Any

from playwright.async_api import Route, WebSocketRoute
from tests.browser import Enter
from tests.waiting import look_again
from tests.world import PASSWORD, Person, World, mark, new_title

from quintet.console import stage


async def marks_of(person: Person, title: str) -> list[dict[str, Any]]:
    return (await person.get(f"/api/titles/{title}/wiggs")).json()["entries"]


async def test_somebody_new_enters_a_title_and_marks_it(enter: Enter, live: World) -> None:
    new = await enter()
    page = new.page
    await page.goto("/stage/wigg")
    await page.fill("#enter [name=title]", "Stalker & <b>Sons</b>")
    await page.fill("#enter [name=minutes]", "160")
    await page.click("#enter button")
    name = f"new-{live.port}"  # asked to sign in first, since nobody is
    await page.get_by_text("New here").click()
    await page.fill("#account [name=name]", f"{name}@example.com")
    await page.fill("#account [name=username]", name)
    await page.fill("#account [name=password]", PASSWORD)
    await page.click("#submit")
    await page.wait_for_selector("#sign-out")
    await page.click("#enter button")
    await page.wait_for_url("**/stage/wigg/*")
    await new.sees("#state[data-state=live]")
    assert await page.inner_text("h1") == "Stalker & <b>Sons</b>"
    await page.get_by_text("peak", exact=True).last.click()
    await new.click(30)
    await new.sees("[data-mark]:not(.waits)", 1)
    rows = live.sql(
        "select w.position, w.rating from wigg.wiggs w join accounts.users u on u.id = w.user_id"
        " where u.username = %s",
        name,
    )
    assert [rating for _, rating in rows] == [3]
    assert abs(rows[0][0] / 1_000_000 - 30) < 0.5


async def test_strokes_are_seen_by_others_within_a_blink(enter: Enter, live: World, tmp_path: Path) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    title = await new_title(ada)
    painter, looker = await enter(ada), await enter(ben, color_scheme="dark")
    await painter.look_at(title)
    await looker.look_at(title)
    await looker.sees(".face", 1)
    await painter.page.evaluate("addEventListener('pointermove', () => (window.moved ??= Date.now()))")
    await looker.page.evaluate(
        """() => {
            window.seen = [];
            const note = (changes) => changes.some((one) => one.addedNodes.length) && seen.push(Date.now());
            new MutationObserver(note).observe(document.querySelector(".tints"), { childList: true });
        }"""
    )
    blinks: list[int] = []
    for start in (10, 40, 70):
        await painter.page.mouse.move(*await painter.point(start, 1))
        await painter.page.mouse.down()
        await looker.page.evaluate("window.seen = []")
        await painter.page.evaluate("window.moved = undefined")
        await painter.page.mouse.move(*await painter.point(start + 8, 3))
        await looker.until("window.seen.length > 0")
        await painter.page.mouse.up()
        blinks.append(await looker.page.evaluate("seen[0]") - await painter.page.evaluate("moved"))
    print(f"from one hand to the other's eyes: {blinks} ms")
    assert max(blinks) < 1000
    assert statistics.median(blinks) < 500
    await looker.sees('.face[data-mode="editing"]', 1)
    spoken = ".bar:not(.level-none)"
    await looker.until(f"document.querySelectorAll('{spoken}').length >= 5")
    for _ in range(3):  # a stroke is one step, however many requests it was
        await painter.page.keyboard.press("Control+z")
    await painter.sees(spoken, 0)
    await looker.sees(spoken, 0)
    assert await painter.page.is_disabled("#undo")
    await painter.page.click("#redo")
    await looker.until(f"document.querySelectorAll('{spoken}').length >= 2")
    await painter.page.screenshot(path=tmp_path / "light.png")
    await looker.page.screenshot(path=tmp_path / "dark.png")
    await painter.context.close()
    await looker.sees(".face", 0)


async def test_keys_alone_mark_and_paint_and_a_reload_keeps_all(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    title = await new_title(ada)
    visitor = await (await enter(ada)).look_at(title)
    keys = visitor.page.keyboard
    while await visitor.page.evaluate("document.activeElement.id") != "curve":
        await keys.press("Tab")
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "3", "Enter"):
        await keys.press(key)
    await visitor.sees("[data-mark]:not(.waits)", 1)
    assert [(one["pct"], one["rating"]) for one in await marks_of(ada, title)] == [(16, 3)]
    for key in ("e", "End", "ArrowUp", "ArrowUp", "ArrowUp"):  # an unpainted segment starts at good
        await keys.press(key)
    await visitor.until("document.querySelector('#curve').ariaValueText.includes('you: peak 3.5')")
    await visitor.until("document.querySelector('#undo').disabled === false")
    await visitor.page.click("#edit")  # leaving sends what is left and ends the session
    await visitor.until("document.querySelector('#edit').ariaPressed === 'false'")
    cells = (await ada.get(f"/api/titles/{title}/segments/cells")).json()["items"]
    assert [(one["start_pct"], one["score"]) for one in cells] == [(95, 3.5)]
    await visitor.page.reload()
    await visitor.sees("#state[data-state=live]")
    await visitor.sees("[data-mark]", 1)
    await visitor.sees(".own .line", 1)
    assert await visitor.page.inner_text("#me") == ada.username
    for number in (12, 30, 40):
        await visitor.page.locator(f"#counts [value='{number}'] + span").click()
        await visitor.sees(".bar", number)


async def test_a_session_goes_on_when_its_token_has_run_out(enter: Enter, live: World) -> None:
    """Many requests at once find the token spent; the refresh token is good once."""
    ada = await live.person("ada")
    title = await new_title(ada)
    visitor = await enter(ada)
    spent: list[str] = []
    visitor.page.on(
        "request", lambda request: spent.append(request.url) if "refresh" in request.url else None
    )
    await visitor.page.add_init_script(
        """const kept = JSON.parse(sessionStorage.getItem("quintet.session"));
        if (!window.name)
            sessionStorage.setItem("quintet.session", JSON.stringify({ ...kept, expires_at: 0 }));
        window.name = "older";"""
    )
    await visitor.look_at(title)
    assert len(spent) == 1
    await visitor.page.reload()
    await visitor.sees("#state[data-state=live]")
    assert len(spent) == 1, "the new tokens were kept"
    await ada.post("/auth/logout")  # somewhere else: it is over here, too
    await visitor.page.wait_for_selector("#guest")
    visitor.wrong.clear()  # the browser tells of each 401


async def test_a_mark_made_off_line_is_placed_once(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    title = await new_title(ada)
    visitor = await (await enter(ada)).look_at(title)
    await visitor.context.set_offline(True)
    await visitor.click(20)
    await visitor.click(60)
    await visitor.sees(".marks .waits", 2)
    assert await marks_of(ada, title) == []
    await visitor.context.set_offline(False)
    await visitor.sees("[data-mark]:not(.waits)", 2)
    await visitor.sees("#state[data-state=live]")
    # And one whose answer gets lost on the way: the server has it, the browser does not know.
    lost = asyncio.Event()

    async def done() -> int:
        return len((await ada.get(f"/api/titles/{title}/actions")).json()["items"])

    async def lose_once(route: Route) -> None:
        if lost.is_set() or route.request.method != "POST":
            await route.continue_()
            return
        await route.fetch()
        await route.abort()
        lost.set()

    await visitor.page.route("**/wiggs", lose_once)
    await visitor.click(90)
    await asyncio.wait_for(lost.wait(), 10)
    await visitor.sees(".marks .waits", 1)
    assert len(await marks_of(ada, title)) == 3
    before = await done()
    await visitor.page.evaluate("dispatchEvent(new Event('online'))")
    await visitor.sees(".marks .waits", 0)
    assert len(await marks_of(ada, title)) == 3
    assert await done() == before, "what came a second time was known, not merged into the first"
    assert all("ERR_" in line for line in visitor.wrong)
    visitor.wrong.clear()


async def test_no_event_is_missed_whatever_the_line_does(enter: Enter, live: World) -> None:
    """A socket that loses an event, then one whose server counts in another epoch."""
    ada, ben = await live.person("ada"), await live.person("ben")
    title = await new_title(ada)
    visitor = await enter(ada)
    said: list[dict[str, Any]] = []
    state = {"lose": 0, "epoch": ""}
    routes: list[WebSocketRoute] = []

    def between(route: WebSocketRoute) -> None:
        routes.append(route)
        server = route.connect_to_server()

        def up(message: Any) -> None:
            said.append(json.loads(message))
            server.send(
                json.dumps(
                    said[-1] | ({"epoch": state["epoch"]} if state["epoch"] and "since" in said[-1] else {})
                )
            )

        def down(message: Any) -> None:
            if state["lose"] and '"milestone_added"' in str(message):
                state["lose"] -= 1
            else:
                route.send(message)

        route.on_message(up)
        server.on_message(down)

    await visitor.page.route_web_socket("**/ws?*", between)
    await visitor.look_at(title)

    async def name(pct: float, label: str) -> None:
        answer = await ben.post(f"/api/titles/{title}/milestones", json={"pct": pct, "label": label})
        assert answer.status_code == 201

    await name(5, "Heard")
    await visitor.sees("#milestones li", 1)
    state["lose"] = 1
    await name(10, "Lost")
    await name(20, "Shows the hole")
    await visitor.sees("#milestones li", 3)
    assert [one["since"] for one in said if one["type"] == "subscribe" and "since" in one] == [
        live.sql("select seq from kernel.rooms where room = %s", f"title:{title}")[0][0] - 2
    ]
    # Off the line meanwhile, and nothing to go on from afterwards: all is read anew.
    state["epoch"] = "00000000-0000-0000-0000-000000000000"
    state["lose"] = 1000
    await name(30, "While away")
    await mark(ben, title, 40, rating=3)
    await routes[-1].close(code=1012)
    await visitor.sees("#milestones li", 4)
    await visitor.sees(".bar:not(.level-none)", 1)
    state["epoch"], state["lose"] = "", 0
    await name(50, "And on")
    await visitor.sees("#milestones li", 5)


async def test_a_small_phone_is_enough(enter: Enter, live: World, tmp_path: Path) -> None:
    ada = await live.person("ada")
    title = await new_title(
        ada, title="A title of so many words that no phone has ever shown them on one line"
    )
    await ada.post(f"/api/titles/{title}/milestones", json={"pct": 40, "label": "Unbreakable" * 9})
    phone = {"width": 360, "height": 740}
    visitor = await enter(ada, viewport=phone, has_touch=True, is_mobile=True)
    await visitor.look_at(title)
    await visitor.sees("#milestones li", 1)
    await visitor.page.touchscreen.tap(*await visitor.point(70, 2))
    await visitor.sees("[data-mark]:not(.waits)", 1)
    # A finger that moves along the curve paints.
    protocol = await visitor.context.new_cdp_session(visitor.page)
    for step, kind in [(0, "Start"), *((pct, "Move") for pct in range(4, 44, 4)), (0, "End")]:
        x, y = await visitor.point(10 + step, 3)
        points = [] if kind == "End" else [{"x": x, "y": y}]
        await protocol.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    await visitor.until("document.querySelectorAll('.bar:not(.level-none)').length >= 8")
    await visitor.until("document.querySelector('#undo').disabled === false")
    for path in (f"/stage/wigg/{title}", "/stage/wigg"):
        await visitor.page.goto(path)
        await visitor.sees("#milestones li, #found li")
        assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= 360
        small = await visitor.page.evaluate(
            """() => [...document.querySelectorAll("button, a, .choice label, input:not([type=radio])")]
                .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
                .filter(([, box]) => box.width && Math.min(box.height, box.width) < 44)
                .map(([html]) => html)"""
        )
        assert small == [], "a finger needs 44 px"
        await visitor.page.screenshot(path=tmp_path / "phone.png", full_page=True)
    sessions = "select ended_at is not null from wigg.edit_sessions where title_id = %s"
    async with asyncio.timeout(10):  # leaving the page has ended the edit session
        while live.sql(sessions, title) != [(True,)]:
            await look_again()


async def test_a_stranger_sees_the_answer_change(enter: Enter, live: World) -> None:
    people = [await live.person(name) for name in ("ada", "ben", "cleo")]
    title = await new_title(people[0], kind="play")
    visitor = await (await enter()).look_at(title)
    await visitor.page.wait_for_selector("#guest")
    for person in people:
        await mark(person, title, 50, rating=3)
    await visitor.until("document.querySelector('#why-answer').textContent.includes('3 voices')")
    assert await visitor.page.inner_text("#answer") == "1 h 25 min"
    await visitor.sees(".bar:not(.level-none)", 1)
    await visitor.click(30)  # is invited in instead
    await visitor.page.wait_for_selector("#account[open]")


async def test_a_title_that_is_not_there_is_told_in_words(enter: Enter) -> None:
    visitor = await enter()
    await visitor.page.goto("/stage/wigg/no-such-title")
    await visitor.until("document.querySelector('#title').textContent === 'No such title'")
    assert "not_found" in await visitor.page.inner_text("#said code")
    assert all("404" in line for line in visitor.wrong)
    visitor.wrong.clear()


async def test_pages_allow_nothing_but_this_server(live: World) -> None:
    for path in (
        "/stage/wigg",
        "/stage/wigg/no-such-title",
        "/stage/marquee",
        "/stage/sidechain",
        "/stage/sidechain/errors",
    ):
        answer = await live.get(path)
        policy = answer.headers["content-security-policy"]
        assert "'unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "//" not in policy
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert "http" not in answer.text.replace("http-equiv", "")
        named = {word.split('"')[1] for word in answer.text.split() if f"/{stage.VERSION}/" in word}
        for address in named:
            file = await live.get(address)
            assert file.status_code == 200, address
            assert file.headers["cache-control"] == "public, max-age=31536000"
            assert file.headers["x-content-type-options"] == "nosniff"
    hostile = await live.get("/stage/wigg/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>" not in hostile.text
    assert (await live.get("/stage/static/old/shared/live.js")).headers["cache-control"] == "no-cache"
    for name in ("live.js", "shared/live.py", "..%2f__init__.py", "shared/%2e%2e%2f__init__.py", "shared"):
        assert (await live.get(f"/stage/static/{stage.VERSION}/{name}")).status_code == 404


def test_scripts_are_small_and_stand_alone() -> None:
    scripts = {name: body.decode() for name, body in stage.FILES.items() if name.endswith(".js")}
    for name, text in scripts.items():
        assert len(text.splitlines()) <= 250, name
        assert text.startswith("//"), f"{name} says what it is for"
        assert "innerHTML" not in text, name
        assert "://" not in text.replace("http://www.w3.org/2000/svg", ""), name
