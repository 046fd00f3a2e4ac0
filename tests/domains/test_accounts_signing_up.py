"""Signing up, and being somebody."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.world import PASSWORD, World

from quintet.domains import accounts
from quintet.domains.accounts import EmailTaken, UsernameTaken
from quintet.kernel.refusals import InvalidRequest

PATHS = [f"{prefix}/{name}" for prefix in ("/auth", "/api/v1/auth") for name in ("signup", "register")]


def fresh(name: str = "ada") -> str:
    """A username nobody has."""
    return f"{name}-{uuid4().hex[:12]}"


def somebody(**other: Any) -> dict[str, Any]:
    return {"email": f"{fresh()}@example.com", "password": PASSWORD, **other}


def pointers(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_request"
    return {entry["pointer"]: entry["code"] for entry in answer.json()["errors"]}


@pytest.mark.parametrize("path", PATHS)
async def test_signing_up_signs_in(world: World, path: str) -> None:
    wanted = somebody(username=fresh(), display_name="Ada Lovelace")
    answer = await world.post(path, json=wanted)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    user = body["user"]
    assert user | {"id": "", "created_at": ""} == {
        "id": "",
        "username": wanted["username"],
        "display_name": "Ada Lovelace",
        "email": wanted["email"],
        "email_verified": False,
        "role": "user",
        "created_at": "",
    }
    assert user["created_at"].endswith("Z")
    for name in ("/auth/me", "/auth/profile", "/api/v1/auth/me", "/api/v1/auth/profile"):
        mine = await world.get(name, headers={"Authorization": f"Bearer {body['access_token']}"})
        assert (mine.status_code, mine.json()) == (200, user)
        assert mine.headers["cache-control"] == "private, no-cache"
    assert (await world.get("/auth/me")).status_code == 401


async def test_no_answer_and_no_row_holds_the_password(world: World) -> None:
    wanted = somebody(password="a rather unlikely sentence 7")
    answer = await world.post("/auth/signup", json=wanted)
    assert wanted["password"] not in answer.text
    ((hashed,),) = world.sql(
        "select hash from accounts.passwords where user_id = %s", answer.json()["user"]["id"]
    )
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    stored = world.sql("select encode(hash, 'escape') from accounts.refresh_tokens")
    assert answer.json()["refresh_token"] not in {one for (one,) in stored}


async def test_an_address_is_taken_without_case(world: World) -> None:
    wanted = somebody()
    assert (await world.post("/auth/signup", json=wanted)).status_code == 201
    answer = await world.post("/auth/signup", json=wanted | {"email": wanted["email"].upper()})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


async def test_a_username_is_taken_with_all_that_looks_like_it(world: World) -> None:
    tail = uuid4().hex[:8].replace("0", "2").replace("1", "3").replace("5", "4")
    assert (await world.post("/auth/signup", json=somebody(username=f"oil-{tail}"))).status_code == 201
    for username in (f"OIL-{tail}", f"0il-{tail}", f"o1l_{tail}", f"oll-{tail}"):
        answer = await world.post("/auth/signup", json=somebody(username=username))
        assert (answer.status_code, answer.json()["code"]) == (409, "username_taken"), username


async def test_twenty_at_once_make_one_account(world: World) -> None:
    wanted = somebody(username=fresh())
    answers = await asyncio.gather(*(world.post("/auth/signup", json=wanted) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert world.sql("select count(*) from accounts.users where email = %s", wanted["email"]) == [(1,)]


async def test_usernames_are_made_of_the_address(world: World) -> None:
    local = f"zoe.{uuid4().hex[:8]}"
    answers = [
        await world.post("/auth/signup", json=somebody(email=f"{local}@{host}.example"))
        for host in ("one", "two", "three")
    ]
    names = [answer.json()["user"]["username"] for answer in answers]
    stem = local.replace(".", "-")
    assert names[0] == stem
    assert len({name.lower() for name in names}) == 3
    assert all(name.startswith(f"{stem}-") for name in names[1:])
    assert answers[0].json()["user"]["display_name"] == stem


async def test_a_made_username_is_never_a_reserved_word(world: World) -> None:
    answer = await world.post("/auth/signup", json=somebody(email=f"admin@{uuid4().hex}.example"))
    assert answer.json()["user"]["username"].startswith("admin-")


async def test_everything_wrong_is_told_at_once(world: World) -> None:
    answer = await world.post(
        "/auth/signup", json={"email": "ada", "username": "me", "password": "short", "display_name": "\n"}
    )
    assert pointers(answer) == {
        "/email": "invalid_text",
        "/username": "out_of_range",
        "/password": "out_of_range",
        "/display_name": "invalid_text",
    }


@pytest.mark.parametrize(
    ("other", "pointer", "code"),
    [
        ({"password": "password1"}, "/password", "guessable"),
        ({"password": "x" * 257}, "/password", "too_long"),
        ({"password": "x" * 5000}, "/password", "too_long"),
        ({"password": None}, "/password", "wrong_type"),
        ({"email": 7}, "/email", "wrong_type"),
        ({"email": "a@b.de\0"}, "/email", "invalid_text"),
        ({"username": "profile"}, "/username", "reserved"),
        ({"username": "Adm1n"}, "/username", "reserved"),
        ({"user_name": "ada"}, "/user_name", "unknown_field"),
    ],
)
async def test_bad_sign_ups(world: World, other: dict[str, Any], pointer: str, code: str) -> None:
    assert pointers(await world.post("/auth/signup", json=somebody(**other))) == {pointer: code}


async def test_what_cannot_be_read(world: World) -> None:
    assert (await world.post("/auth/signup", content=b"{")).status_code == 415
    headers = {"Content-Type": "application/json"}
    assert (await world.post("/auth/signup", content=b"{", headers=headers)).status_code == 400
    assert (await world.post("/auth/signup", content=b"", headers=headers)).status_code == 422
    large = b'{"email": "%s"}' % (b"x" * 20_000)
    assert (await world.post("/auth/signup", content=large, headers=headers)).status_code == 413
    assert pointers(await world.post("/auth/signup", json={"email": "a@b.de"})) == {"/password": "missing"}


async def test_an_idempotency_key_is_ignored(world: World) -> None:
    wanted, headers = somebody(), {"Idempotency-Key": fresh()}
    assert (await world.post("/auth/signup", json=wanted, headers=headers)).status_code == 201
    answer = await world.post("/auth/signup", json=wanted, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert "idempotent-replayed" not in answer.headers
    ada = await world.person()
    answers = [await ada.delete("/auth/sessions", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert "idempotent-replayed" not in answers[1].headers


async def test_a_stale_bearer_does_not_keep_anybody_from_signing_up(world: World) -> None:
    headers = {"Authorization": "Bearer nonsense"}
    assert (await world.post("/auth/signup", json=somebody(), headers=headers)).status_code == 201


async def test_an_operator_makes_an_admin(world: World) -> None:
    email, username = f"{fresh('root')}@localhost", fresh("root")
    made = await accounts.make_admin(world.kernel.database, email, username, PASSWORD)
    assert made.username == username
    login = await world.post("/auth/login", json={"email": email, "password": PASSWORD})
    assert login.json()["user"]["role"] == "admin"
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    assert (await world.get("/auth/me", headers=headers)).json()["role"] == "admin"
    with pytest.raises(EmailTaken, match="e-mail"):
        await accounts.make_admin(world.kernel.database, email.upper(), fresh(), PASSWORD)
    with pytest.raises(UsernameTaken, match="username"):
        await accounts.make_admin(world.kernel.database, f"{fresh()}@localhost", username, PASSWORD)
    with pytest.raises(InvalidRequest, match="password: at least 8"):
        await accounts.make_admin(world.kernel.database, f"{fresh()}@localhost", fresh(), "short")


async def test_other_domains_may_look_people_up(world: World) -> None:
    ada = await world.person()
    async with world.kernel.database.statement() as tx:
        (found,) = await accounts.accounts_of(tx, [accounts.Account(ada.id, "", "").id])
    assert (str(found.id), found.username, found.display_name) == (ada.id, ada.username, ada.username)
