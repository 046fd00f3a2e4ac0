"""Logging in, guessing, and changing one's password."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from argon2 import PasswordHasher
from tests.conftest import serving, settings_for_tests
from tests.waiting import look_again
from tests.world import PASSWORD, Person, World

from quintet.domains.accounts.authentication import Gate
from quintet.domains.accounts.passwords import HASHER, Passwords

WRONG = "certainly not the password"
OTHER = "another staple of batteries"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class WatchedHasher:
    """The server's own hasher, which tells what it verified and may be held up."""

    def __init__(self) -> None:
        self.verified: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.before: Any = lambda: None

    def hash(self, password: str) -> str:
        return HASHER.hash(password)

    def verify(self, hashed: str, password: str) -> bool:
        self.verified.append(hashed)
        self.before()
        assert self.go_on.wait(30)
        return HASHER.verify(hashed, password)

    def check_needs_rehash(self, hashed: str) -> bool:
        return HASHER.check_needs_rehash(hashed)


def gate(world: World) -> Gate:
    assert isinstance(world.kernel.authenticate, Gate)
    return world.kernel.authenticate


def watch(world: World, monkeypatch: pytest.MonkeyPatch, **passwords: Any) -> WatchedHasher:
    hasher: Any = WatchedHasher()
    monkeypatch.setattr(gate(world), "passwords", Passwords(hasher, **passwords))
    return hasher


async def log_in(world: World, *, address: str | None = None, **body: Any) -> httpx2.Response:
    headers = {} if address is None else {"X-Forwarded-For": address}
    return await world.post("/auth/login", json=body, headers=headers)


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
async def strict(dsn: str) -> AsyncIterator[World]:
    """A server with a small `auth` limit, behind a proxy that says where callers are."""
    settings = settings_for_tests(QUINTET_LIMIT_AUTH="3/minute", QUINTET_TRUSTED_PROXIES="127.0.0.1")
    async with serving(settings, dsn) as made:
        yield made


async def person_from(world: World, address: str) -> Person:
    username = f"ada-{uuid4().hex[:10]}"
    body = {"email": f"{username}@example.com", "password": PASSWORD, "username": username}
    answer = await world.post("/auth/signup", json=body, headers={"X-Forwarded-For": address})
    assert answer.status_code == 201, answer.text
    signed = answer.json()
    tokens = signed["access_token"], signed["refresh_token"]
    return Person(world, signed["user"]["id"], username, body["email"], *tokens)


@pytest.mark.parametrize("path", ["/auth/login", "/api/v1/auth/login"])
async def test_logging_in_by_either_name_whatever_its_case(world: World, path: str) -> None:
    ada = await world.person()
    for name in ({"email": ada.email.upper()}, {"username": ada.username.upper()}, {"email": ada.email}):
        answer = await world.post(path, json={**name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["user"]["id"] == ada.id
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await world.get("/auth/me", headers=headers)).json() == answer.json()["user"]


async def test_a_look_alike_of_the_username_is_not_the_username(world: World) -> None:
    ada = await world.person()
    assert "-" in ada.username
    look_alike = ada.username.replace("-", "_")
    assert code(await log_in(world, username=look_alike, password=PASSWORD)) == (401, "wrong_credentials")


async def test_unknown_and_wrong_are_one_answer(world: World) -> None:
    ada = await world.person()
    answers = [
        await log_in(world, email=ada.email, password=WRONG),
        await log_in(world, username=ada.username, password=WRONG),
        await log_in(world, email="nobody@example.com", password=WRONG),
        await log_in(world, username="nobody-at-all", password=WRONG),
    ]
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["code"] == "wrong_credentials"
    assert all(answer.status_code == 401 for answer in answers)
    assert all("wrong_credentials" in answer.headers["www-authenticate"] for answer in answers)


async def test_unknown_and_wrong_cost_one_verification_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    await log_in(world, email=ada.email, password=PASSWORD)  # her hash is as costly as anybody's afterwards
    hasher = watch(world, monkeypatch)
    for names in ({"email": ada.email}, {"email": "nobody@example.com"}, {"username": "nobody-at-all"}):
        hasher.verified.clear()
        assert (await log_in(world, **names, password=WRONG)).status_code == 401
        (hashed,) = hasher.verified
        assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")  # so they cost the same time


@pytest.mark.parametrize(
    ("names", "pointer"),
    [({}, "/email"), ({"email": "a@b.de", "username": "ada"}, "/username"), ({"email": None}, "/email")],
)
async def test_one_name_and_one_only(world: World, names: dict[str, Any], pointer: str) -> None:
    answer = await log_in(world, **names, password=PASSWORD)
    assert code(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_password_composed_otherwise_is_the_same(world: World) -> None:
    email = f"{uuid4().hex}@example.com"
    await world.post("/auth/signup", json={"email": email, "password": "caf\u00e9 cr\u00e8me"})
    assert (await log_in(world, email=email, password="cafe\u0301 cre\u0300me")).status_code == 200
    assert (await log_in(world, email=email, password="CAF\u00c9 CR\u00c8ME")).status_code == 401


async def test_an_older_hash_is_renewed_at_login(world: World) -> None:
    ada = await world.person()
    world.sql("update accounts.passwords set hash = %s where user_id = %s", CHEAP.hash(PASSWORD), ada.id)
    assert (await log_in(world, email=ada.email, password=WRONG)).status_code == 401
    for _ in range(2):
        assert (await log_in(world, email=ada.email, password=PASSWORD)).status_code == 200
        ((hashed,),) = world.sql("select hash from accounts.passwords where user_id = %s", ada.id)
        assert not HASHER.check_needs_rehash(hashed)


async def test_logins_that_renew_a_hash_at_the_same_moment_all_succeed(world: World) -> None:
    ada = await world.person()
    world.sql("update accounts.passwords set hash = %s where user_id = %s", CHEAP.hash(PASSWORD), ada.id)
    answers = await asyncio.gather(*(log_in(world, email=ada.email, password=PASSWORD) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4


async def test_a_password_changed_while_it_was_verified_opens_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    hasher = watch(world, monkeypatch)
    changed = CHEAP.hash(OTHER)
    hasher.before = lambda: world.sql(
        "update accounts.passwords set hash = %s, changed_at = now() where user_id = %s", changed, ada.id
    )
    assert code(await log_in(world, email=ada.email, password=PASSWORD)) == (401, "wrong_credentials")
    assert world.sql("select count(*) from accounts.sessions where user_id = %s", ada.id) == [(1,)]


async def test_too_many_at_once_are_told_to_come_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person()
    hasher = watch(world, monkeypatch, most_waiting=1)
    hasher.go_on.clear()
    waiting = [asyncio.create_task(log_in(world, email=ada.email, password=PASSWORD)) for _ in range(3)]
    async with asyncio.timeout(10):
        while gate(world).passwords._underway != 3:
            await look_again()
    refused = await log_in(world, email=ada.email, password=PASSWORD)
    assert code(refused) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert len(hasher.verified) <= 2
    hasher.go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 3
    assert (await log_in(world, email=ada.email, password=PASSWORD)).status_code == 200


async def test_signing_up_and_in_is_limited_by_address(strict: World) -> None:
    body = {"email": "nobody@example.com", "password": WRONG}
    for _ in range(3):
        assert (await log_in(strict, address="198.51.100.1", **body)).status_code == 401
        strict.sql("delete from kernel.rate_limits where key like 'account:%%'")
    refused = await log_in(strict, address="198.51.100.1", **body)
    assert code(refused) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    sign_up = await strict.post(
        "/api/v1/auth/register",
        json={"email": "new@example.com", "password": PASSWORD},
        headers={"X-Forwarded-For": "198.51.100.1"},
    )
    assert sign_up.status_code == 429


async def test_failed_logins_are_limited_by_account(strict: World) -> None:
    ada = await person_from(strict, "203.0.113.1")
    for host in range(10, 13):
        address = f"203.0.113.{host}"
        assert (await log_in(strict, address=address, email=ada.email, password=WRONG)).status_code == 401
    # Neither name gets a stranger any further, and the right password no longer tells.
    for host, body in (
        (13, {"email": ada.email, "password": WRONG}),
        (14, {"username": ada.username, "password": WRONG}),
        (15, {"email": ada.email, "password": PASSWORD}),
    ):
        refused = await log_in(strict, address=f"203.0.113.{host}", **body)
        assert code(refused) == (429, "rate_limited"), host
        assert int(refused.headers["retry-after"]) >= 1
    # Where she signed in, she is not kept out, and does not keep herself out.
    home = {"address": "203.0.113.1", "email": ada.email}
    assert (await log_in(strict, **home, password=WRONG)).status_code == 401
    assert (await log_in(strict, **home, password=PASSWORD)).status_code == 200


async def test_an_address_is_trusted_for_thirty_days(strict: World) -> None:
    ada = await person_from(strict, "203.0.113.20")
    for host in range(21, 24):
        await log_in(strict, address=f"203.0.113.{host}", email=ada.email, password=WRONG)
    shift = "update accounts.trusted_addresses set seen_at = now() - %s::interval where user_id = %s"
    strict.sql(shift, "29 days", ada.id)
    home = {"address": "203.0.113.20", "email": ada.email}
    assert (await log_in(strict, **home, password=WRONG)).status_code == 401
    strict.sql(shift, "31 days", ada.id)
    assert (await log_in(strict, **home, password=PASSWORD)).status_code == 429


async def test_an_unknown_account_is_limited_like_a_known_one(strict: World) -> None:
    email = f"{uuid4().hex}@example.com"
    statuses = [
        (await log_in(strict, address=f"203.0.113.{host}", email=email, password=WRONG)).status_code
        for host in range(30, 34)
    ]
    assert statuses == [401, 401, 401, 429]


async def test_logins_that_succeed_cost_nothing(strict: World) -> None:
    ada = await person_from(strict, "203.0.113.40")
    statuses = [
        (await log_in(strict, address=f"203.0.113.{host}", email=ada.email, password=PASSWORD)).status_code
        for host in range(41, 47)
    ]
    assert statuses == [200] * 6


async def test_guesses_at_once_are_no_way_around_the_limit(strict: World) -> None:
    ada = await person_from(strict, "203.0.113.50")
    answers = await asyncio.gather(
        *(
            log_in(strict, address=f"203.0.113.{host}", email=ada.email, password=WRONG)
            for host in range(51, 71)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 17


async def test_no_address_is_stored(strict: World) -> None:
    ada = await person_from(strict, "203.0.113.80")
    ((mac,),) = strict.sql("select address_mac from accounts.trusted_addresses where user_id = %s", ada.id)
    assert bytes(mac) == strict.kernel.secrets.mac("address", "203.0.113.80")
    assert len(mac) == 32


async def test_changing_the_password_ends_every_other_session(world: World) -> None:
    ada = await world.person()
    other = (await log_in(world, email=ada.email, password=PASSWORD)).json()
    others = {"Authorization": f"Bearer {other['access_token']}"}
    assert (await world.get("/auth/me", headers=others)).status_code == 200
    body = {"current_password": PASSWORD, "new_password": OTHER}
    answer = await ada.post("/api/v1/auth/change-password", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await world.get("/auth/me", headers=others)).status_code == 401
    refused = await world.post("/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert code(refused) == (401, "invalid_refresh_token")
    assert (await ada.get("/auth/me")).status_code == 200
    mine = await world.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert mine.status_code == 200
    assert (await log_in(world, email=ada.email, password=PASSWORD)).status_code == 401
    assert (await log_in(world, email=ada.email, password=OTHER)).status_code == 200


async def test_a_change_of_password_needs_the_present_one_and_a_good_new_one(world: World) -> None:
    ada = await world.person()
    change = "/auth/change-password"
    wrong = await ada.post(change, json={"current_password": WRONG, "new_password": OTHER})
    assert code(wrong) == (401, "wrong_credentials")
    for new in ("short", "password1", ada.email.upper(), ada.username):
        refused = await ada.post(change, json={"current_password": PASSWORD, "new_password": new})
        assert code(refused) == (422, "invalid_request")
        assert refused.json()["errors"][0]["pointer"] == "/new_password"
    assert (await world.post(change, json={})).status_code == 401
    assert (await log_in(world, email=ada.email, password=PASSWORD)).status_code == 200


async def test_guessing_the_present_password_is_limited(strict: World) -> None:
    ada = await person_from(strict, "203.0.113.90")
    wrong = {"current_password": WRONG, "new_password": OTHER}
    statuses = [(await ada.post("/auth/change-password", json=wrong)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    # A thief with her token locks her out of nothing else.
    body = {"email": ada.email, "password": PASSWORD}
    assert (await log_in(strict, address="203.0.113.91", **body)).status_code == 200
