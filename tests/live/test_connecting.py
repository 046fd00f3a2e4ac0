"""Connecting: how a socket is opened, who it is, and how that ends."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.conftest import reachable, serving, settings_for_tests
from tests.live.wire import answer_to, handshake
from tests.sockets import Socket, connected, socket_to
from tests.waiting import look_again
from tests.world import Person, World
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

MOST_CONNECTIONS = 20


async def refusal_of(socket: Socket) -> tuple[list[str], int]:
    """The codes of the errors a socket is told, and the code it is closed with."""
    code = await socket.closed()
    return [one.get("code") or one["type"] for one in socket.heard], code


async def test_the_welcome_says_who_one_is(live: World) -> None:
    ada = await live.person()
    async with socket_to(live, f"?token={ada.access_token}") as socket:
        welcome = await socket.hear()
    fields = {"event", "connection_id", "user_id", "server_time"}
    assert welcome.keys() == {"type", "payload"} | fields
    assert welcome["payload"] == {name: welcome[name] for name in fields}
    assert (welcome["type"], welcome["event"], welcome["user_id"]) == ("system", "connected", ada.id)
    assert welcome["server_time"].endswith("Z")


async def test_a_header_a_ticket_and_a_first_message_sign_in_as_well(live: World) -> None:
    ada = await live.person()
    async with socket_to(live, additional_headers={"Authorization": f"bearer {ada.access_token}"}) as socket:
        assert (await socket.hear())["user_id"] == ada.id
    answer = await ada.post("/ws/ticket")
    assert (answer.status_code, answer.json()["expires_in"]) == (201, 30)
    assert answer.headers["cache-control"] == "no-store"
    async with socket_to(live, f"?ticket={answer.json()['ticket']}") as socket:
        assert (await socket.hear())["user_id"] == ada.id
    async with socket_to(live) as socket:
        await socket.say("auth", token=ada.access_token)
        assert (await socket.hear())["user_id"] == ada.id
    async with socket_to(live) as socket:
        await socket.say("auth", payload={"token": ada.access_token})
        assert (await socket.hear())["user_id"] == ada.id


async def test_a_ticket_opens_one_socket_within_thirty_seconds(live: World) -> None:
    ada = await live.person()
    used, late = [(await ada.post("/ws/ticket")).json()["ticket"] for _ in range(2)]
    async with socket_to(live, f"?ticket={used}") as socket:
        assert (await socket.hear())["type"] == "system"
    live.clock.go(seconds=31)
    for ticket in (used, late, "invented", "%00", "%ff"):
        async with socket_to(live, f"?ticket={ticket}") as socket:
            assert await refusal_of(socket) == (["not_signed_in"], 4401), ticket
    again = (await ada.post("/ws/ticket")).json()["ticket"]
    opened = 0
    async with AsyncExitStack() as stack:
        for socket in await asyncio.gather(
            *(stack.enter_async_context(socket_to(live, f"?ticket={again}")) for _ in range(5))
        ):
            opened += (await socket.hear())["type"] == "system"
    assert opened == 1


@pytest.mark.parametrize("token", ["garbage", "%FF%FE", "a.b.c", "%00", "%ED%A0%80", "x" * 7000])
async def test_who_is_nobody_is_told_once_and_closed(live: World, token: str) -> None:
    async with socket_to(live, f"?token={token}") as socket:
        assert await refusal_of(socket) == (["not_signed_in"], 4401)
    async with socket_to(live) as socket:
        await socket.say("auth", token=token)
        assert await refusal_of(socket) == (["not_signed_in"], 4401)


async def test_nothing_is_answered_before_signing_in(live: World) -> None:
    for message in ("ping", "subscribe", "nonsense"):
        async with socket_to(live) as socket:
            await socket.say(message, id=1, room="title:x")
            assert await refusal_of(socket) == (["not_signed_in"], 4401)
    async with socket_to(live) as socket:
        await socket.say("auth")  # without a token
        assert (await socket.hear())["code"] == "invalid_message"


async def test_an_expired_token_is_refused(live: World) -> None:
    ada = await live.person()
    live.clock.go(minutes=16)
    async with socket_to(live, f"?token={ada.access_token}") as socket:
        assert await refusal_of(socket) == (["not_signed_in"], 4401)


async def test_who_does_not_sign_in_within_five_seconds_is_closed(live: World) -> None:
    async with socket_to(live) as socket:
        live.clock.go(seconds=4)
        async with asyncio.timeout(5):
            live.clock.go(seconds=2)
            assert await refusal_of(socket) == (["not_signed_in"], 4401)


async def test_foreign_origins_are_refused_before_the_upgrade(live: World) -> None:
    ada = await live.person()
    target = f"/ws?token={ada.access_token}"
    own = live.kernel.settings.issuer
    for origins, status in (
        (("https://evil.example",), 403),
        (("null",), 403),
        (("",), 403),
        ((f"{own}.evil.example",), 403),
        ((own, "https://evil.example"), 403),
        (("https://evil.example", own), 403),
        (("http://\xff",), 403),
        ((own,), 101),
        ((), 101),
    ):
        request = handshake(target, *(f"Origin: {origin}" for origin in origins))
        assert (await answer_to(live.port, request))[0] == status, origins


async def test_only_one_path_takes_sockets(live: World) -> None:
    for target in ("/", "/ws/", "/wsx", "/api/titles", "//[", "//x/ws", "/ws;a", "/%77s"):
        assert (await answer_to(live.port, handshake(target)))[0] == 404, target
    assert (await live.get("/ws")).status_code == 426
    assert (await live.get("/ws")).headers["upgrade"] == "websocket"
    for broken in (
        handshake().replace(b"Version: 13", b"Version: 8"),
        handshake().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
        handshake("/ws", *(f"X-{n}: y" for n in range(200))),
        handshake("/ws?" + "x" * 9000),
    ):
        assert 400 <= (await answer_to(live.port, broken))[0] < 500


async def test_doubled_headers_break_nothing(live: World) -> None:
    ada = await live.person()
    bearer = f"Authorization: Bearer {ada.access_token}"
    with capture_logs() as lines:
        assert (await answer_to(live.port, handshake("/ws", bearer, bearer)))[0] == 101
        assert (await answer_to(live.port, handshake("/ws", "Authorization: Bearer \xff")))[0] == 101
    assert not [line for line in lines if line["log_level"] == "error"]


async def test_nobody_is_let_in_while_the_server_stops(live: World) -> None:
    ada = await live.person()
    live.kernel.draining = True
    try:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{live.port}/ws?token={ada.access_token}")
        assert refused.value.response.status_code == 503
    finally:
        live.kernel.draining = False


async def crowd(stack: AsyncExitStack, person: Person, worlds: list[World]) -> list[dict[str, Any]]:
    """Connect to all of these at once; the first message of each."""

    async def one(world: World) -> dict[str, Any]:
        socket = await stack.enter_async_context(socket_to(world, f"?token={person.access_token}"))
        first = await socket.hear()
        if first["type"] == "error":
            assert await socket.closed() == 1013
        return first

    return await asyncio.gather(*(one(world) for world in worlds))


async def test_a_user_has_twenty_connections_at_most(live: World) -> None:
    ada = await live.person()
    async with AsyncExitStack() as stack:
        first = await crowd(stack, ada, [live] * 40)
        assert sum(one["type"] == "system" for one in first) == MOST_CONNECTIONS
        assert {one.get("code") for one in first} == {None, "too_many_connections"}
        async with connected(await live.person()) as other:  # nobody else is concerned
            await other.ask("ping")
    async with asyncio.timeout(5):
        while live.kernel.presence.users_here:
            await look_again()
    async with connected(ada):
        pass


async def test_a_user_has_twenty_connections_over_two_nodes_too(live: World) -> None:
    rounds = 5  # what could go wrong is a race
    async with serving(settings_for_tests(), live.dsn) as other, reachable(other):
        async with asyncio.timeout(10):
            while live.kernel.wakeups.is_alone or other.kernel.wakeups.is_alone:
                await look_again()
        for _ in range(rounds):
            async with AsyncExitStack() as stack:
                first = await crowd(stack, await live.person(), [live, other] * 20)
                assert sum(one["type"] == "system" for one in first) == MOST_CONNECTIONS
    print(f"{rounds} times 40 connections at once to two nodes: exactly 20 live")


async def test_no_token_or_ticket_is_written_anywhere(live: World, caplog: Any) -> None:
    ada = await live.person()
    ticket = (await ada.post("/ws/ticket")).json()["ticket"]
    secrets = [ada.access_token, ticket, "garbage-token-x"]
    said = ""
    caplog.set_level("DEBUG")
    with capture_logs() as lines:
        for query in (
            f"?token={secrets[0]}",
            f"?ticket={ticket}",
            f"?ticket={ticket}",
            f"?token={secrets[2]}",
        ):
            async with socket_to(live, query) as socket:
                said += str(await socket.hear())
        async with socket_to(live) as socket:
            await socket.say("auth", token={"x": secrets[2]})
            said += str(await socket.hear())
        await live.get(f"/ws?token={secrets[0]}")
    theirs = [
        one.getMessage() for one in caplog.records if not one.name.startswith(("websockets.client", "httpx2"))
    ]
    metrics = (await live.get("/metrics")).text
    for secret in secrets:
        for place in (str(lines), str(theirs), metrics, said):
            assert secret not in place
