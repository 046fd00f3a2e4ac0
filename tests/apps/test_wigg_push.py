"""Web Push: messages that one browser can read, sent to public hosts only, and not lost on the way."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.apps.capture.capturing import LENGTH, events, milestone, seek, start
from tests.apps.push_service import Browser, PushService, Received
from tests.clock import Stopwatch
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.travel import Traveller, traveller
from tests.waiting import look_again
from tests.world import World, code_of, new_title

from quintet.apps.wigg.capture import waking
from quintet.apps.wigg.push import sending as push_sending
from quintet.apps.wigg.push.encryption import bytes_of, encrypted, is_point, vapid_key
from quintet.apps.wigg.push.endpoints import ForbiddenEndpoint, parts_of, target_of
from quintet.kernel import json

SUBSCRIPTIONS = "/api/v1/push/subscriptions"
# The example of RFC 8291, appendix A.
UA_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
UA_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
PLAIN = b"When I grow up, I want to be a watermelon"
CIPHER = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def raw(text: str) -> bytes:
    data = bytes_of(text)
    assert data is not None
    return data


def test_the_example_of_the_rfc() -> None:
    own = ec.derive_private_key(int.from_bytes(raw(AS_PRIVATE)), ec.SECP256R1())
    body = encrypted(PLAIN, raw(UA_PUBLIC), raw(AUTH), salt=raw(SALT), own_key=own)
    assert body == raw(CIPHER)
    browser = Browser(int.from_bytes(raw(UA_PRIVATE)), raw(AUTH))
    assert browser.read(body) == PLAIN
    assert browser.read(encrypted(b"x" * 4079, browser.point, browser.auth)) == b"x" * 4079
    with pytest.raises(ValueError, match="one record"):
        encrypted(b"x" * 4080, browser.point, browser.auth)


def test_no_two_messages_are_alike() -> None:
    browser = Browser()
    first, second = (encrypted(PLAIN, browser.point, browser.auth) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


def test_what_is_no_point() -> None:
    assert is_point(raw(UA_PUBLIC))
    assert not is_point(raw(UA_PUBLIC)[:-1])
    assert not is_point(b"\4" + b"\1" * 64)
    assert not is_point(b"")
    assert bytes_of("a") is None
    assert bytes_of("ü") is None


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x", "ftp://push.example.com/x", "push.example.com", "https://", "https:///x",
        "https://localhost/x", "https://db.localhost/x", "https://printer.local/x", "https://db.internal/x",
        "https://intranet/x", "https://127.0.0.1/x", "https://10.0.0.1/x", "https://192.168.1.1/x",
        "https://172.16.0.1/x", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/x",
        "https://100.64.0.1/x", "https://224.0.0.1/x", "https://[::1]/x", "https://[fe80::1]/x",
        "https://[fd00::1]/x", "https://[::ffff:127.0.0.1]/x", "https://[2002:7f00:1::]/x",
        "https://2130706433/x", "https://me:secret@push.example.com/x", "https://push.example.com:0/x",
        "https://push.example.com:99999/x", "https://push.example.com/a b", "https://push.example.com/\u00e4",
        "https://push.example.com/\r\nX: y", "https://[push.example.com/x",
    ],
)  # fmt: skip
async def test_where_nothing_is_sent(world: World, endpoint: str) -> None:
    with pytest.raises(ForbiddenEndpoint):
        parts_of(endpoint, private=False)
    ada = await world.person()
    answer = await ada.post(SUBSCRIPTIONS, json={"endpoint": endpoint, "keys": Browser().keys})
    assert code_of(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["pointer"] == "/endpoint"


@pytest.mark.parametrize("name", ["0x7f.0.0.1", "127.1", "127.0.0.1.", "0177.0.0.1"])
async def test_names_that_mean_our_own_machine(name: str) -> None:
    """Resolvers take more spellings of an address than parsers do; what they answer is looked at."""
    with pytest.raises((ForbiddenEndpoint, OSError)):
        await target_of(f"https://{name}/x", private=False)


async def test_a_name_is_resolved_once_and_the_answer_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["93.184.215.14"], ["93.184.215.14", "10.0.0.1"]]

    async def resolve(*_: Any, **__: Any) -> Any:
        return [(2, 1, 6, "", (address, 443)) for address in answers.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    target = await target_of("https://push.example.com/send/1?x=2", private=False)
    assert (target.url, target.host, target.sni) == (
        "https://93.184.215.14:443/send/1?x=2", "push.example.com", "push.example.com",
    )  # fmt: skip
    with pytest.raises(ForbiddenEndpoint):
        await target_of("https://push.example.com/send/1", private=False)


def endpoint() -> str:
    return f"https://push.example.com/send/{uuid4()}"


async def test_a_browser_subscribes_once(world: World) -> None:
    ada, body = await world.person(), {"endpoint": endpoint(), "keys": Browser().keys, "expirationTime": None}
    answers = await asyncio.gather(*(ada.post(SUBSCRIPTIONS, json=body) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200] * 4 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    renewed = Browser()
    again = await ada.post(SUBSCRIPTIONS, json=body | {"keys": renewed.keys})
    assert (again.status_code, again.json()) == (200, answers[0].json())
    ((stored,),) = world.sql("select p256dh from wigg.push_subscriptions where id = %s", again.json()["id"])
    assert bytes(stored) == renewed.point
    ben = await world.person("ben")
    path = f"{SUBSCRIPTIONS}/{again.json()['id']}"
    assert code_of(await ben.delete(path)) == (404, "not_found")
    assert (await ada.delete(path)).status_code == 204
    assert code_of(await ada.delete(path)) == (404, "not_found")


async def test_a_shared_browser_is_whose_who_came_last(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    body = {"endpoint": endpoint(), "keys": Browser().keys}
    first = (await ada.post(SUBSCRIPTIONS, json=body)).json()["id"]
    second = await ben.post(SUBSCRIPTIONS, json=body)
    assert second.status_code == 201
    assert second.json()["id"] != first
    owners = world.sql(
        "select user_id::text from wigg.push_subscriptions where endpoint = %s", body["endpoint"]
    )
    assert owners == [(ben.id,)]


async def test_subscriptions_are_bounded(world: World) -> None:
    ada = await world.person()
    bodies = [{"endpoint": endpoint(), "keys": Browser().keys} for _ in range(22)]
    answers = await asyncio.gather(*(ada.post(SUBSCRIPTIONS, json=body) for body in bodies))
    assert sorted(a.status_code for a in answers) == [201] * 20 + [409] * 2
    assert {code_of(a) for a in answers if a.status_code == 409} == {(409, "too_many_subscriptions")}


@pytest.mark.parametrize(
    "wrong",
    [
        {"p256dh": "AAAA"}, {"p256dh": UA_PUBLIC[:-2] + "AA"}, {"p256dh": "ü"}, {"auth": "AAAA"},
        {"auth": ""},
        {"auth": AUTH + AUTH}, {"p256dh": "B" * 300}, {"auth": 5},
    ],
)  # fmt: skip
async def test_keys_that_are_none(world: World, wrong: dict[str, Any]) -> None:
    ada = await world.person()
    body = {"endpoint": endpoint(), "keys": {"p256dh": UA_PUBLIC, "auth": AUTH} | wrong}
    assert code_of(await ada.post(SUBSCRIPTIONS, json=body)) == (422, "invalid_request")


@pytest.fixture
async def service() -> AsyncGenerator[PushService]:
    async with PushService() as made:
        yield made


@pytest.fixture(scope="module")
async def sender(worker_name: str) -> AsyncGenerator[World]:
    """A server that may push to loopback, with a clock of its own."""
    name = f"push_world_{worker_name}"
    settings = settings_for_tests(QUINTET_PUSH_ALLOW_PRIVATE="yes", QUINTET_PUBLIC_URL="https://wigg.example")
    with pytest.MonkeyPatch.context() as patch:
        # The clock of these tests jumps, which no sleep notices: so none is long.
        for module in (push_sending, waking):
            patch.setattr(module, "_LONGEST_SLEEP_SECONDS", 0.1)
        async with serving(settings, clone_database(name), Stopwatch()) as made:
            yield made
    drop_database(name)


async def until(condition: Callable[[], Any], what: str) -> None:
    for _ in range(1000):
        if condition():
            return
        await look_again()
    raise AssertionError(f"waited in vain: {what}")


async def reader(world: World, service: PushService) -> tuple[Traveller, Browser, dict[str, Any]]:
    """Somebody with a browser, in a book whose next milestone is at 10 %."""
    ada, browser = await traveller(world), Browser()
    body = {"endpoint": f"{service.origin}/send/{uuid4()}", "keys": browser.keys}
    assert (await ada.post(SUBSCRIPTIONS, json=body)).status_code == 201
    title = await new_title(ada, kind="book")
    milestone(world, title, 10)
    return ada, browser, await start(ada, title, "manual")


def waiting(world: World, person: Traveller) -> int:
    ((count,),) = world.sql(
        "select count(*) from wigg.pushes p join wigg.push_subscriptions s on s.id = p.subscription_id"
        " where s.user_id = %s",
        person.id,
    )
    return count


def subscriptions(world: World, person: Traveller) -> int:
    ((count,),) = world.sql("select count(*) from wigg.push_subscriptions where user_id = %s", person.id)
    return count


async def test_a_milestone_is_pushed_for_its_browser_alone(sender: World, service: PushService) -> None:
    ada, browser, capture = await reader(sender, service)
    await seek(ada, capture, 20)
    await until(lambda: service.received, "the push")
    (push,) = service.received
    (event,) = events(sender, ada, "milestone_reached")
    assert json.decode(browser.read(push.body), dict[str, Any]) == event
    assert b"twist" not in push.body
    assert push.line.startswith("POST /send/")
    assert push.headers["content-encoding"] == "aes128gcm"
    assert 0 < int(push.headers["ttl"]) <= 600
    assert push.headers["host"] == service.origin.removeprefix("http://")
    await check_sender(sender, push, service.origin)
    await until(lambda: waiting(sender, ada) == 0, "its end")


async def check_sender(world: World, push: Received, audience: str) -> None:
    """Who sends is proved by the key that browsers subscribe with (RFC 8292)."""
    scheme, _, rest = push.headers["authorization"].partition(" ")
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    assert scheme == "vapid"
    shown = (await world.get("/api/v1/push/key")).json()["public_key"]
    assert parts["k"] == shown
    key = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), base64.urlsafe_b64decode(shown + "=" * (-len(shown) % 4))
    )
    claims = jwt.decode(
        parts["t"], key, algorithms=["ES256"], audience=audience, options={"verify_exp": False}
    )
    ahead = claims["exp"] - world.clock.now().timestamp()
    assert 0 < ahead <= 24 * 3600
    assert claims["sub"] == "https://wigg.example"


async def test_a_timed_capture_pushes_when_it_wakes(sender: World, service: PushService) -> None:
    ada, browser = await traveller(sender), Browser()
    for _ in range(2):
        body = {"endpoint": f"{service.origin}/{uuid4()}", "keys": browser.keys}
        assert (await ada.post(SUBSCRIPTIONS, json=body)).status_code == 201
    title = await new_title(ada, total_length_seconds=LENGTH)
    milestone(sender, title, 10)
    await start(ada, title)
    sender.clock.go(minutes=11)
    await until(lambda: len(service.received) == 2, "a push to each of two browsers")
    assert {json.decode(browser.read(p.body), dict[str, Any])["pct"] for p in service.received} == {10.0}


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_forgotten(
    sender: World, service: PushService, status: int
) -> None:
    ada, _, capture = await reader(sender, service)
    service.answers.append((status, {}))
    await seek(ada, capture, 20)
    await until(lambda: subscriptions(sender, ada) == 0, "its end")
    assert len(service.received) == 1


async def test_a_busy_service_is_asked_again_when_it_said(sender: World, service: PushService) -> None:
    ada, browser, capture = await reader(sender, service)
    service.answers.append((429, {"retry-after": "60"}))
    await seek(ada, capture, 20)
    await until(lambda: service.received, "the first try")
    again = sender.clock.now() + timedelta(seconds=55)  # claimed it was for thirty
    await until(lambda: sender.sql("select 1 from wigg.pushes where due_at >= %s", again), "its postponement")
    sender.clock.go(seconds=50)
    for _ in range(150):  # longer than the loop sleeps
        await look_again()
    assert len(service.received) == 1, "not before it said"
    sender.clock.go(seconds=15)
    await until(lambda: len(service.received) == 2, "the second try")
    assert browser.read(service.received[1].body)
    await until(lambda: waiting(sender, ada) == 0, "its end")
    assert subscriptions(sender, ada) == 1


async def test_a_broken_service_is_given_up(sender: World, service: PushService) -> None:
    ada, _, capture = await reader(sender, service)
    service.answers.extend([(500, {}), (503, {"retry-after": "soon"}), (502, {}), (500, {}), (500, {})])
    await seek(ada, capture, 20)
    for tries in range(1, push_sending.MOST_ATTEMPTS + 1):
        await until(lambda tries=tries: len(service.received) == tries, f"try {tries}")
        sender.clock.go(seconds=20)
    await until(lambda: waiting(sender, ada) == 0, "its end")
    assert len(service.received) == push_sending.MOST_ATTEMPTS
    assert subscriptions(sender, ada) == 1


async def test_what_a_service_refuses_is_not_repeated_and_no_redirect_is_followed(
    sender: World, service: PushService
) -> None:
    for answer in ((400, {}), (413, {}), (307, {"location": f"{service.origin}/elsewhere"})):
        ada, _, capture = await reader(sender, service)
        service.answers.append(answer)
        before = len(service.received)
        await seek(ada, capture, 20)
        await until(lambda before=before: len(service.received) > before, "the try")
        await until(lambda ada=ada: waiting(sender, ada) == 0, "its end")
        assert len(service.received) == before + 1


async def test_a_service_that_stalls_holds_nobody_up(
    sender: World, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_sending, "SEND_SECONDS", 2)
    ada, browser, capture = await reader(sender, service)
    service.answers.append(None)
    await seek(ada, capture, 20)
    await until(lambda: service.received, "the first try")
    begun = time.monotonic()
    held = "datname = current_database() and state like 'idle in transaction%%'"
    asked = f"select query from pg_stat_activity where {held}"
    await until(lambda: not sender.sql(asked), "a moment without a transaction")
    assert time.monotonic() - begun < 1.5, "nothing is sent inside a transaction"
    assert (await ada.get("/api/live-capture")).status_code == 200
    sender.clock.go(seconds=5)
    await until(lambda: len(service.received) == 2, "the second try")
    assert browser.read(service.received[1].body)


async def test_old_news_is_not_sent(sender: World, service: PushService) -> None:
    ada, _, capture = await reader(sender, service)
    service.answers.append((503, {"retry-after": "300"}))
    await seek(ada, capture, 20)
    await until(lambda: service.received, "the first try")
    sender.clock.go(minutes=11)
    await until(lambda: waiting(sender, ada) == 0, "its end")
    assert len(service.received) == 1


async def test_what_waits_for_a_browser_is_bounded(sender: World, service: PushService) -> None:
    ada, _, capture = await reader(sender, service)
    for _ in range(60):
        milestone(sender, capture["title_id"], 15, uuid4().hex)
    service.answers.extend([(503, {"retry-after": "300"})] * 100)
    await seek(ada, capture, 11)
    assert waiting(sender, ada) == 1
    await seek(ada, capture, 20)
    assert len(events(sender, ada, "milestone_reached")) == 61
    assert waiting(sender, ada) == 20
    milestone(sender, capture["title_id"], 50)
    await seek(ada, capture, 60)
    assert waiting(sender, ada) == 20


async def test_an_endpoint_inside_is_not_connected_to_even_if_it_got_in(
    world: World, service: PushService
) -> None:
    ada = await traveller(world)
    browser = Browser()
    world.sql(
        "insert into wigg.push_subscriptions values (gen_random_uuid(), %s, %s, %s, %s, now())",
        ada.id,
        service.origin.replace("http://127.0.0.1", "https://127.1"),
        browser.point,
        browser.auth,
    )
    title = await new_title(ada, kind="book")
    milestone(world, title, 10)
    await seek(ada, await start(ada, title, "manual"), 20)
    await until(lambda: waiting(world, ada) == 0, "its end")
    assert service.connections == 0


async def test_all_nodes_have_one_key(sender: World) -> None:
    async with serving(settings_for_tests(), sender.dsn) as other:
        keys = {(await node.get("/api/v1/push/key")).json()["public_key"] for node in (sender, other)}
    assert len(keys) == 1
    assert is_point(raw(keys.pop()))
    assert vapid_key(sender.kernel.secrets).private_numbers().private_value > 0
