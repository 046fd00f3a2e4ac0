"""The dashboard of error tracking in a real browser: a test batch, filters, details, resolving, groups."""

import json
import os
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect
from tests.apps.sidechain.reporting import entry, new_word, report
from tests.browser import Enter, Visitor
from tests.world import Person, World

from quintet.console.stage import VERSION

MOUNT = """async (folder) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = `${folder}/sidechain/errors.css`;
    document.head.append(style);
    const [{ mountErrors }, api] = await Promise.all(
        [import(`${folder}/sidechain/errors.js`), import(`${folder}/shared/api.js`)]);
    const place = document.createElement("main");
    place.id = "here";
    document.querySelector("main").hidden = true;
    document.querySelector("main").after(place);
    window.errors = mountErrors(place, api);
}"""


async def mount(visitor: Visitor, role: str = "user") -> Page:
    """Open any page of the stage, and put the dashboard behind what it shows."""
    page = visitor.page
    kept = f"""
        const session = JSON.parse(sessionStorage.getItem("quintet.session") ?? "null");
        if (session) {{
            session.user.role = {json.dumps(role)};
            sessionStorage.setItem("quintet.session", JSON.stringify(session));
        }}
    """
    await page.add_init_script(kept)
    await page.goto("/stage/wigg")
    await page.evaluate(MOUNT, f"/stage/static/{VERSION}")
    return page


def rows(page: Page) -> Any:
    return page.locator(".errors-list li")


async def stored(person: Person) -> list[dict[str, Any]]:
    return (await person.get("/api/v1/errors?limit=100")).json()["items"]


async def test_a_test_batch_is_sent_shown_and_resolved(live: World, enter: Enter) -> None:
    ada = await live.person()
    page = await mount(await enter(ada, viewport={"width": 1100, "height": 1400}))
    await expect(page.locator(".errors > .card p:visible", has_text="No reports match.")).to_be_visible()
    await page.locator("#here").get_by_role("button", name="Send a test batch").click()
    await expect(rows(page)).to_have_count(4)
    occurrences = sum(row["occurrences"] for row in await stored(ada))
    await expect(page.locator(".errors-figures dd").first).to_have_text(f"{occurrences:,}")
    chart = page.get_by_role("img", name=f"{occurrences:,} occurrences in 24 hours")
    await expect(chart).to_be_visible()
    await expect(chart.locator("rect")).to_have_count(24)
    await expect(page.locator(".errors-top li")).to_have_count(4)
    if folder := os.environ.get("QUINTET_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / "errors.png", full_page=True)

    upload = rows(page).filter(has_text="Upload to")
    await expect(upload).to_contain_text("4 times")
    await upload.get_by_role("button").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text('"[masked]"')
    await expect(dialog.locator(".errors-samples li")).to_have_count(4)
    assert "nobody-sees-this" not in await page.content()
    if folder := os.environ.get("QUINTET_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / "errors-details.png")
    await dialog.get_by_role("button", name="Resolve").click()
    await expect(dialog.get_by_role("button", name="Reopen")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(upload).to_contain_text("resolved")
    assert [row["is_resolved"] for row in await stored(ada) if "Upload" in row["message"]] == [True]

    await page.locator("#here").get_by_label("State").select_option("Open")
    await expect(rows(page)).to_have_count(3)
    await page.locator("#here").get_by_role("button", name="Send a test batch").click()
    await expect(rows(page)).to_have_count(4)
    await expect(upload).to_contain_text("came back")
    await page.locator("#here").get_by_label("Severity").select_option("Critical")
    await expect(rows(page)).to_have_count(1)
    await page.locator("#here").get_by_label("Severity").select_option("Any severity")
    await page.locator("#here").get_by_label("Words of the message").fill("underrun")
    await expect(rows(page)).to_have_count(1)
    await page.get_by_text("As a table").click()
    await expect(page.locator("table td").first).not_to_have_text("0")


async def test_what_people_wrote_is_text(live: World, enter: Enter) -> None:
    ada = await live.person()
    message = f"<img src=x onerror=alert(1)> {new_word()}"
    await report(ada, entry(message, context={"<b>": "<script>"}))
    page = await mount(await enter(ada))
    await expect(rows(page)).to_contain_text(message)
    await rows(page).get_by_role("button").click()
    await expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(message)
    assert await page.locator("#here img, #here b:not(.errors-top b), #here script").count() == 0


async def test_moderators_see_groups_and_everybody(live: World, enter: Enter) -> None:
    ada, ben = await live.person(), await live.person("ben")
    mo = await live.person("mo", role="moderator")
    word = new_word()
    await report(ada, entry(f"{word} 1", context={"release": "1.0"}))
    await report(ben, entry(f"{word} 2"))
    page = await mount(await enter(mo), "moderator")
    await page.locator("#here").get_by_label("Words of the message").fill(word)
    await expect(rows(page)).to_have_count(2)
    await page.locator("#here").get_by_label("What is listed").select_option("Groups")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text("2 people")
    await rows(page).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"{word} <n>")
    await dialog.get_by_role("button", name="Resolve").click()
    await expect(dialog.get_by_role("button", name="Reopen")).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()
    await expect(rows(page)).to_contain_text("resolved")
    await page.locator("#here").get_by_label("Whose reports are counted").select_option("Everybody's reports")
    await expect(page.locator(".errors-figures dd").nth(1)).to_have_text(re.compile(r"^([2-9]|\d{2,})$"))


async def test_older_reports_are_read_on(live: World, enter: Enter) -> None:
    ada = await live.person()
    words = [new_word() for _ in range(45)]
    await report(ada, *(entry(word) for word in words))
    page = await mount(await enter(ada))
    await expect(rows(page)).to_have_count(20)
    await page.locator("#here").get_by_role("button", name="Older").click()
    await expect(rows(page)).to_have_count(40)
    await page.evaluate("window.errors.read()")
    await page.locator("#here").get_by_role("button", name="Older").click()
    await expect(rows(page)).to_have_count(45)
    await expect(page.locator("#here").get_by_role("button", name="Older")).to_be_hidden()
    assert sorted(await page.locator(".errors-list .errors-message").all_inner_texts()) == sorted(words)


async def test_a_stranger_is_asked_in(enter: Enter) -> None:
    page = await mount(await enter())
    await expect(page.get_by_text("Sign in to see what your plugins report.")).to_be_visible()
    await expect(page.locator(".errors")).to_be_hidden()
    await page.evaluate("window.errors.close()")
    assert await page.locator("#here > *").count() == 0
