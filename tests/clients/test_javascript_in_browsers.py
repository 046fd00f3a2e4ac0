"""The JavaScript client in real browsers, against the real server."""

import asyncio

import pytest
from tests.clients.writing import Window, Writing
from tests.domains.documents.notes import extended, have_notes, new_note, text_of
from tests.sockets import connected
from tests.world import Person, World


class Table:
    """Ada and Ben, each in front of a window, and the text on the table."""

    def __init__(self, owner: Person, document: str, ada: Window, ben: Window) -> None:
        self.owner, self.document, self.ada, self.ben = owner, document, ada, ben

    async def agree(self) -> str:
        """Wait until all is saved and both show the server's text; that text."""
        for window in (self.ada, self.ben):
            await window.until("doc.isSaved && doc.state === 'live'")
        text = await text_of(self.owner, self.document)
        await asyncio.gather(self.ada.shows(text), self.ben.shows(text))
        assert {await window.do("doc.text") for window in (self.ada, self.ben)} == {text}
        return text


async def laid(live: World, writing: Writing, text: str = "") -> Table:
    have_notes(live)
    ada, ben = await live.person("ada"), await live.person("ben")
    document = await new_note(live, ada, ben, text=text)
    url = f"http://127.0.0.1:{live.port}"
    windows = [await writing.open(url, one.access_token, document) for one in (ada, ben)]
    return Table(ada, document, *windows)


async def test_two_people_type_into_one_text_at_once(live: World, writing: Writing) -> None:
    table = await laid(live, writing, "|")
    await table.ada.place(0)
    await table.ben.place(1)
    for part in ("Hello", " dear", " 😀 "):
        await asyncio.gather(table.ada.type(part), table.ben.type(part.upper()))
        await table.ada.break_off()
    assert await table.agree() == "Hello dear 😀 |HELLO DEAR 😀 "


async def test_what_others_write_moves_cursor_and_selection_along(live: World, writing: Writing) -> None:
    table = await laid(live, writing, "one two three")
    await table.ada.place(4, 7)  # two
    await table.ben.place(0)
    await table.ben.type("zero 😀 ")
    await table.ada.shows("zero 😀 one two three")
    assert await table.ada.do("[area.selectionStart, area.selectionEnd]") == [12, 15]
    await table.ada.type("2")
    await table.ben.shows("zero 😀 one 2 three")
    assert await table.ben.do("area.selectionStart") == 8
    assert await table.agree() == "zero 😀 one 2 three"


async def test_others_see_where_one_is(live: World, writing: Writing) -> None:
    table = await laid(live, writing, "some text")
    await table.ada.do("doc.setCursor(4)")
    await table.ben.until("doc.cursors.length === 1 && doc.cursors[0].position === 4")
    assert await table.ben.do("doc.cursors[0].user_id") == table.owner.id
    await table.ben.place(0)
    await table.ben.type("😀")
    assert await table.ben.do("doc.cursors[0].position") == 6


async def test_what_others_write_waits_for_the_end_of_a_composition(live: World, writing: Writing) -> None:
    """As an input method for Japanese has it: changing the text in the middle would break it off."""
    table = await laid(live, writing, "ab")
    await table.ada.place(1)
    await table.ada.page.focus("textarea")
    hand = await table.ada.page.context.new_cdp_session(table.ada.page)
    composing = {"text": "にほ", "selectionStart": 2, "selectionEnd": 2}
    await hand.send("Input.imeSetComposition", composing)
    await table.ben.place(0)
    await table.ben.type("x")
    await table.ada.until("doc.text === 'xab'")
    assert await table.ada.do("area.value") == "aにほb"
    await hand.send("Input.insertText", {"text": "日本"})
    await table.ada.shows("xa日本b")
    assert await table.ada.do("area.selectionStart") == 4
    assert await table.agree() == "xa日本b"


async def test_line_ends_that_a_textarea_cannot_show_are_left_alone(live: World, writing: Writing) -> None:
    table = await laid(live, writing, "one\r\ntwo\rthree")
    assert await table.ada.do("area.value") == "one\ntwo\nthree"
    await table.ada.place(5)
    await table.ada.type("_")
    await table.ada.until("doc.isSaved")
    assert await text_of(table.owner, table.document) == "one\r\nt_wo\rthree"
    await table.ben.until(r"doc.text === 'one\r\nt_wo\rthree'")
    await table.ben.place(13)
    await table.ben.type("!")
    await table.ada.until(r"area.value === 'one\nt_wo\nthre!e'")
    assert await table.ada.do("area.selectionStart") == 6


@pytest.mark.soak
async def test_who_was_away_for_more_than_a_thousand_revs_keeps_what_they_wrote(
    live: World, writing: Writing
) -> None:
    table = await laid(live, writing, "[]")
    await table.ada.place(1)
    await table.ada.type("before ")
    await table.agree()
    await table.ada.cut_off()
    await table.ada.type("during ")
    for _ in range(11):  # a connection may say a hundred things at once
        async with connected(table.owner) as socket:
            base = await table.ben.do("doc.rev")
            for number in range(95):
                payload = extended(table.document, [{"insert": "x"}], base)
                await socket.say("operation", id=number, payload=payload)
            ack = await socket.until(lambda message: message.get("id") == 94)
            await table.ben.until(f"doc.rev >= {ack['rev']}")
    await table.ada.reconnect()
    assert await table.agree() == "x" * 11 * 95 + "[before during ]"


async def test_the_example_in_the_readme_works(live: World, writing: Writing) -> None:
    have_notes(live)
    ada = await live.person("ada")
    document = await new_note(live, ada, text="world")
    window = await writing.open(f"http://127.0.0.1:{live.port}", ada.access_token, document, "example")
    await window.shows("Hello world")
    assert await window.do("document.title") == "saved"
    assert await text_of(ada, document) == "Hello world"
