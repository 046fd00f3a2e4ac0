"""Sidechain's page in a real browser: who is here, texts written at once, posts that sound, errors."""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from tests.apps.sidechain.cast import follow, open_channel
from tests.apps.sidechain.cast import post as post_something
from tests.apps.sounds import BY_NAME, encoded, fade
from tests.browser import Enter, Visitor
from tests.waiting import look_again
from tests.world import Person, World

DESK = {"width": 1360, "height": 1000}
TEXTS = ("description", "notes")


async def open_page(visitor: Visitor, channel_id: str = "") -> Page:
    """Open the page at a channel, alive, its texts ready to be written in."""
    await visitor.page.goto(f"/stage/sidechain#{channel_id}")
    await visitor.sees("#state[data-state=live]")
    if channel_id:
        for field in TEXTS:
            await visitor.sees(f"#{field} [data-state=saved]")
    return visitor.page


async def reads(visitor: Visitor, field: str, text: str) -> None:
    """Wait until the text is this one here, and the server has it."""
    await visitor.page.wait_for_function(
        """([field, text]) => document.querySelector(`#${field}-text`).value === text
            && document.querySelector(`#${field} [data-state=saved]`)""",
        arg=[field, text],
    )


async def text_of(person: Person, channel_id: str, field: str) -> str:
    return (await person.get(f"/api/v1/documents/channel:{channel_id}:{field}")).json()["content"]


async def test_people_meet_in_a_channel(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    one, other = await enter(ada, viewport=DESK), await enter(ben, viewport=DESK)
    page, name = await open_page(one), f"Night {live.port} & <b>co</b>"
    await page.click("#new-channel")
    await page.fill("#opening [name=name]", name)
    await page.click("#opening .main")
    await one.sees("#description [data-state=saved]")
    assert await page.inner_text("h1:visible") == name
    await one.sees(f"#members [data-user='{ada.id}'][data-status=online]")
    # Ben finds it by a part of its name, looks in, and joins.
    second = await open_page(other)
    await second.fill("#find", f"night {live.port}")
    await second.click("#public-channels a")
    await other.sees("#description [data-state=saved]")
    assert await second.is_editable("#description-text") is False, "only members write"
    assert await second.is_hidden("#composer")
    await one.until("document.querySelector('#people-count').textContent === '1 member here now, 1 guest'")
    await second.click("#join")
    await one.sees(f"#members [data-user='{ben.id}'][data-status=online]")
    await one.until("document.querySelector('#channel-facts').textContent.includes('2 members')")
    await other.until("!document.querySelector('#description-text').readOnly")
    await second.click("#studio")
    await one.sees(f"#members [data-user='{ben.id}'][data-status=in_studio]")
    await other.context.close()
    await one.sees(f"#members [data-user='{ben.id}'][data-status=offline]")


async def test_a_private_channel_is_not_there_for_a_stranger(enter: Enter, live: World) -> None:
    ada, ben, cleo = [await live.person(name) for name in ("ada", "ben", "cleo")]
    channel = await open_channel(ada, name=f"Secret {live.port}", private=True)
    await follow(ada, ben)
    owner, guest, stranger = await enter(ada), await enter(ben), await enter(cleo)
    await open_page(guest)
    await owner.page.goto(f"/stage/sidechain#{channel}")
    await owner.page.click("#manage")
    await owner.page.select_option("#managing [name=member]", ben.id)
    await owner.page.click("#managing .main")
    await guest.sees(f"#own-channels [data-channel='{channel}']")  # without a reload
    page = await open_page(stranger)
    await page.fill("#find", "Secret")
    await stranger.until("!document.querySelector('#no-public').hidden")
    await page.goto(f"/stage/sidechain#{channel}")
    await page.wait_for_selector("#said code:text('not_found')")
    await page.wait_for_url("**/stage/sidechain#feed")
    assert all("404" in line for line in stranger.wrong)
    stranger.wrong.clear()
    # Put out of it, Ben sees it no more, from the same moment on.
    await guest.page.goto(f"/stage/sidechain#{channel}")
    await guest.sees("#description [data-state=saved]")
    await guest.sees("#no-posts:not([hidden])")
    await ada.delete(f"/api/v1/channels/{channel}/members/{ben.id}")
    await guest.sees(f"#own-channels [data-channel='{channel}']", 0)
    await guest.page.wait_for_url("**/stage/sidechain#feed")
    guest.wrong.clear()  # what it asked for at that moment was refused


async def test_two_write_at_once_and_see_each_others_cursors(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    channel = await open_channel(ada, ben)
    one, other = await enter(ada, viewport=DESK), await enter(ben, viewport=DESK, color_scheme="dark")
    first, second = await open_page(one, channel), await open_page(other, channel)
    await first.fill("#description-text", "Start 🎧 End")
    await reads(other, "description", "Start 🎧 End")
    # Both at the same time, at both sides of an astral character, and into it from both sides.
    await second.focus("#description-text")
    await second.evaluate("document.querySelector('#description-text').setSelectionRange(8, 8)")
    await first.evaluate("document.querySelector('#description-text').setSelectionRange(0, 0)")
    await asyncio.gather(
        first.keyboard.type("𝄞 do re mi 🥁 "), second.keyboard.type(" 👩‍🎤 fa so la 𝄢", delay=5)
    )
    await first.keyboard.type("!")
    expected = "𝄞 do re mi 🥁 !Start 🎧 👩‍🎤 fa so la 𝄢 End"
    for visitor in (one, other):
        await reads(visitor, "description", expected)
    assert await text_of(ada, channel, "description") == expected
    # Each sees where the other is, by name.
    for visitor, person in ((one, ben), (other, ada)):
        flag = visitor.page.locator(f"#description .carets [data-user='{person.id}'] .flag")
        await flag.wait_for(state="attached")
        assert await flag.inner_text() == person.username
    # One's own last change is taken back, and nobody else's; and done again.
    await first.keyboard.press("Control+z")
    await reads(other, "description", expected.replace("!", ""))
    await first.click("#description .redo")
    await reads(other, "description", expected)
    # How it was, and so again.
    await second.click("#description .past")
    await second.locator("#description .history input").fill("1")
    await other.until("document.querySelector('#description .then').textContent === 'Start 🎧 End'")
    await other.until(
        f"document.querySelector('#description .history p').textContent.includes('{ada.username}')"
    )
    await second.click("#description .restore")
    for visitor in (one, other):
        await reads(visitor, "description", "Start 🎧 End")
    await first.context.close()
    await other.sees("#description .caret", 0)


async def test_what_is_written_off_line_comes_together(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    channel = await open_channel(ada, ben)
    one, other = await enter(ada), await enter(ben)
    first, second = await open_page(one, channel), await open_page(other, channel)
    await first.fill("#notes-text", "one\n\ntwo")
    await reads(other, "notes", "one\n\ntwo")
    await one.context.set_offline(True)
    await one.sees("#notes [data-state=offline]")
    await first.focus("#notes-text")
    await first.keyboard.press("Control+Home")
    await first.keyboard.type("zero 🎹\n")
    assert "kept here" in await first.inner_text("#notes .writing-state")
    await second.focus("#notes-text")
    await second.keyboard.press("Control+End")
    await second.keyboard.type("\nthree")
    await reads(other, "notes", "one\n\ntwo\nthree")
    await ben.post("/api/v1/posts", json={"text": "While you were away", "channel_id": channel})
    await one.context.set_offline(False)
    for visitor in (one, other):
        await reads(visitor, "notes", "zero 🎹\none\n\ntwo\nthree")
    await one.sees("#posts .post", 1)
    await one.sees("#members .online", 2)
    assert all("ERR_" in line for line in one.wrong)
    one.wrong.clear()


SOUND = encoded(BY_NAME["mp3-low"], fade(6.0), 6.0)


async def test_a_sound_is_posted_and_heard(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    channel = await open_channel(ada, ben)
    one, other = await enter(ada, viewport=DESK), await enter(ben, viewport=DESK)
    first, second = await open_page(one, channel), await open_page(other, channel)
    await first.click("#send-post")
    await first.wait_for_selector("#said:has-text('words, or a sound')")
    no_sound = {"name": "no.wav", "mimeType": "audio/wav", "buffer": b"RIFFno"}
    await first.set_input_files("#post-file", no_sound)
    await first.wait_for_selector("#said code:text('unsupported_media_type')")
    assert all("415" in line for line in one.wrong)
    one.wrong.clear()
    await first.set_input_files("#post-file", no_sound | {"name": "fade.mp3", "buffer": SOUND})
    await one.sees("#audio-state .wave path")
    fields = {"text": "Second take & <i>more</i>", "bpm": "122.5", "key": "a minor", "tags": "House, #stems"}
    for field, value in fields.items():
        await first.fill(f"#composer [name={field}]", value)
    await first.click("#send-post")
    await other.sees(".post .wave.played path")
    assert await second.inner_text(".post .text") == fields["text"]
    chips = await second.locator(".post .chips li").all_inner_texts()
    assert chips == ["122.5 bpm", "A minor", "#house", "#stems"]
    # It sounds, from where the waveform was touched, and the others hear of it.
    box: Any = await second.locator(".post .wave-box").bounding_box()
    await second.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await other.until("document.querySelector('.post').classList.contains('plays')")
    await other.until("document.querySelector('.wave-box').ariaValueNow > 3")
    words = f"{ben.username} is listening to what {ada.username} posted"
    await one.until(f"document.querySelector('#listening').textContent === {words!r}")
    await second.click(".post .play")
    await one.until("document.querySelector('#listening').hidden")


async def test_what_people_do_with_a_post_is_seen_as_they_do_it(enter: Enter, live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    channel = await open_channel(ada, ben)
    await post_something(ada, text="Too dry?", channel_id=channel)
    one, other = await enter(ada, viewport=DESK), await enter(ben, viewport=DESK)
    first, second = await open_page(one, channel), await open_page(other, channel)
    await second.click(".like")
    await one.until("document.querySelector('.like b').textContent === '1'")
    await one.until("document.querySelector('.bell b').textContent === '1'")
    await first.click("#to-feed")
    await first.click(".bell")
    await first.click(f"#bell li button:has-text('{ben.username} liked')")
    await one.until("document.querySelector('.bell b').hidden")
    await first.wait_for_url(f"**/stage/sidechain#{channel}")  # where it is about
    await one.sees(".post.fresh")
    await second.click(".palette summary")
    await second.click(".palette button >> nth=0")
    await one.until("document.querySelector('.reaction b')?.textContent === '1'")
    await first.click(".reaction")
    await other.until("document.querySelector('.reaction b')?.textContent === '2'")
    await first.click(".talk")
    await second.click(".talk")
    await second.fill(".talking input", "That bass!")
    await second.keyboard.press("Enter")
    await one.until("document.querySelector('.comments li span')?.textContent === 'That bass!'")
    await one.until("document.querySelector('.talk b').textContent === '1'")
    await second.click(".like")
    await one.until("document.querySelector('.like b').textContent === ''")
    # In the feed of whoever follows, too; deleted, it is gone for all.
    cleo = await live.person("cleo")
    await follow(cleo, ada)
    third = await enter(cleo)
    await open_page(third)
    await post_something(ada, text="Outside of channels")
    await third.until("document.querySelector('.post .text')?.textContent === 'Outside of channels'")
    await first.click(".post .delete")
    await first.click(".post .delete")
    await other.sees(".post", 0)


async def test_keys_alone_are_enough(enter: Enter, live: World) -> None:
    ada = await live.person("ada")
    visitor = await enter(ada)
    page = await open_page(visitor)
    keys = page.keyboard

    async def go_to(selector: str) -> None:
        for _ in range(80):
            if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
            await keys.press("Tab")
        raise AssertionError(selector)

    await go_to("#new-channel")
    await keys.press("Enter")
    await keys.type("By hand")
    await keys.press("Enter")
    await visitor.sees("#notes [data-state=saved]")
    await go_to("#notes-text")
    await keys.type("Hello")
    await reads(visitor, "notes", "Hello")
    await go_to("#post-text")
    await keys.type("A question")
    await keys.press("Control+Enter")
    await visitor.sees(".post", 1)
    await go_to(".like")
    await keys.press("Space")
    await visitor.sees(".like[aria-pressed=true]")
    await go_to(".talk")
    await keys.press("Enter")
    await keys.type("An answer")
    await keys.press("Enter")
    await visitor.sees(".comments li", 1)
    unnamed = await page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, select, [role=slider]")]
            .filter((one) => one.checkVisibility())
            .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length))
            .map((one) => one.outerHTML.slice(0, 100))"""
    )
    assert unnamed == [], "who hears the page has to know what it is"


async def test_a_phone_is_enough(enter: Enter, live: World, tmp_path: Path) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    channel = await open_channel(ada, ben, name="Unbreakable" * 9)
    uploaded = await ada.post("/api/v1/audio/upload", files={"file": ("fade.mp3", SOUND, "audio/mpeg")})
    audio_id = uploaded.json()["id"]
    await post_something(ada, text="Longword" * 40, channel_id=channel, audio_id=audio_id, bpm=90)
    visitor = await enter(ben, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = await open_page(visitor, channel)
    await page.fill("#notes-text", "Unbreakable" * 30)
    await visitor.sees("#notes [data-state=saved]")
    await page.locator(".talk").tap()
    for path in (f"#{channel}", "#feed"):
        await page.goto(f"/stage/sidechain{path}")
        await visitor.sees(".post")
        await visitor.sees("#own-channels a")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        small = await page.evaluate(
            """() => [...document.querySelectorAll("button, summary, a, select, input:not([type=radio])")]
                .filter((one) => one.checkVisibility())
                .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
                .filter(([, box]) => box.width && Math.min(box.height, box.width) < 44)
                .map(([html]) => html)"""
        )
        assert small == [], "a finger needs 44 px"
    await page.screenshot(path=tmp_path / "phone.png", full_page=True)


async def test_errors_are_counted_and_resolved(enter: Enter, live: World) -> None:
    """That the page is there; the dashboard itself has journeys of its own."""
    ada = await live.person("ada")
    visitor = await enter(ada, viewport=DESK)
    page = visitor.page
    await page.goto("/stage/sidechain/errors")
    report = {"source": "Audio", "severity": "Critical", "message": "Buffer underrun", "occurrences": 3}
    answer = await ada.post("/api/v1/errors/batch", json={"errors": [report]})
    assert answer.status_code == 200, answer.text
    await page.reload()
    await page.click(".errors-list button:has-text('Buffer underrun')")
    await page.click("dialog >> text=Resolve")
    async with asyncio.timeout(10):
        while not (await ada.get("/api/v1/errors?resolved=true")).json()["items"]:
            await look_again()
    await page.goto("/stage/sidechain")
    await visitor.sees("#state[data-state=live]")
