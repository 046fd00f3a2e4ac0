"""Writing a document over the live connection: operations, acks, and what others hear."""

from tests.domains.documents.notes import extended, new_note, plain, send, text_of
from tests.sockets import connected
from tests.world import World


async def test_an_operation_is_acknowledged_and_told(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, connected(ben) as other:
        subscribed = await other.ask("subscribe", room=f"document:{document}")
        assert subscribed["type"] == "subscribed", subscribed
        ack = await send(one, plain(document, "Insert", 0, "hello"), "a1")
        assert ack["type"] == "operation_ack", ack
        print(ack)
        told = await other.until("operation")
        print(told)
        ack = await send(one, plain(document, "Insert", 5, " world"), "a2")
        assert ack["rev"] == 2
        told = await other.until("operation")
    assert await text_of(ada, document) == "hello world"


async def test_the_extended_form(noted: World) -> None:
    ada, ben = await noted.person("ada"), await noted.person("ben")
    document = await new_note(noted, ada, ben)
    async with connected(ada) as one, connected(ben) as other:
        ack = await send(one, extended(document, [{"insert": "abc"}], 0, session="s", session_seq=1))
        assert ack["type"] == "operation_ack", ack
        ack = await send(other, extended(document, [{"insert": "xyz"}], 0, session="s", session_seq=1))
        assert ack["type"] == "operation_ack", ack
        print(ack)
        assert await text_of(ada, document) == "xyzabc"
