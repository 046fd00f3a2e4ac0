"""Tokens of an outside issuer: a real one on loopback, which rotates its keys, goes away, and lies."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.clock import Stopwatch
from tests.conftest import serving, settings_for_tests
from tests.world import PASSWORD, World

from quintet.domains.accounts import jwks
from quintet.domains.accounts.authentication import Gate
from quintet.domains.accounts.issuer import ExternalIssuer

RSA_KEY = rsa.generate_private_key(65537, 2048)
SMALL_RSA_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 (a lie of the issuer's)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
STRANGER = ed25519.Ed25519PrivateKey.generate()
KINDS: dict[str, Any] = {
    "RS256": jwt.algorithms.RSAAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}
AUDIENCE, PARTY = "https://api.example", "https://app.example"


def public_jwk(kid: str, algorithm: str, key: Any, **other: Any) -> dict[str, Any]:
    return {**KINDS[algorithm].to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **other}


class Issuer:
    """An HTTP server that answers one JWKS, or something else."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Be honest, with the first keys; and have a clock of its own, for tests to move."""
        self.clock = Stopwatch()
        self.keys: dict[str, tuple[str, Any]] = {
            "rsa": ("RS256", RSA_KEY), "ec": ("ES256", EC_KEY), "ed": ("EdDSA", ED_KEY),
        }  # fmt: skip
        self.asked = 0
        self.lie: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def document(self) -> bytes:
        return json.dumps({"keys": [public_jwk(kid, *key) for kid, key in self.keys.items()]}).encode()

    async def start(self) -> None:
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            await (self.lie or self.tell(self.document))(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a liar is hung up on
        finally:
            writer.close()

    @staticmethod
    def tell(
        body: bytes, status: bytes = b"200 OK", more: bytes = b""
    ) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
        async def answer(writer: asyncio.StreamWriter) -> None:
            head = b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n%s\r\n"
            writer.write(head % (status, len(body), more) + body)
            await writer.drain()

        return answer

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(self.clock.now().timestamp())
        claims = {"iss": self.url, "aud": AUDIENCE, "azp": PARTY, "sub": f"user_{uuid4().hex}",
                  "sid": f"sess_{uuid4().hex}", "iat": now, "exp": now + 60, **other}  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid: str = "ed", headers: dict[str, Any] | None = None, **other: Any) -> str:
        algorithm, key = self.keys[kid]
        return jwt.encode(self.claims(**other), key, algorithm, headers={"kid": kid, **(headers or {})})


def raw_token(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    signature = base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


async def me(world: World, token: str) -> httpx2.Response:
    return await world.get("/auth/me", headers={"Authorization": f"Bearer {token}"})


async def known(world: World, token: str) -> dict[str, Any]:
    answer = await me(world, token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 5) -> None:
    """Wait for the thing itself; fail when it takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
async def running_issuer() -> AsyncIterator[Issuer]:
    made = Issuer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module")
async def running_world(dsn: str, running_issuer: Issuer) -> AsyncIterator[World]:
    settings = settings_for_tests(
        QUINTET_OIDC_ISSUER=running_issuer.url,
        QUINTET_OIDC_JWKS_URL=f"{running_issuer.url}/.well-known/jwks.json",
        QUINTET_OIDC_AUDIENCES=f"{AUDIENCE},other",
        QUINTET_OIDC_AUTHORIZED_PARTIES=PARTY,
    )
    async with serving(settings, dsn) as made:
        yield made


@pytest.fixture
async def issuer(running_issuer: Issuer) -> Issuer:
    running_issuer.begin_anew()
    await running_issuer.start()
    return running_issuer


@pytest.fixture
async def world(running_world: World, issuer: Issuer) -> World:
    """The server, as if just started: it knows no key and no token, and shares the issuer's clock."""
    gate = running_world.kernel.authenticate
    assert isinstance(gate, Gate)
    kernel = running_world.kernel
    gate._external = ExternalIssuer.from_settings(kernel.settings, kernel.database, issuer.clock)
    return running_world


async def test_the_first_sight_creates_the_account(world: World, issuer: Issuer) -> None:
    subject, tail = f"user_{uuid4().hex}", uuid4().hex[:8]
    person = {"sub": subject, "preferred_username": f"Zoë {tail}", "email": f"zoe{tail}@example.com"}
    first = await known(world, issuer.token("rsa", **person, email_verified=True))
    assert first["username"] == f"zoe-{tail}"
    assert (first["email"], first["email_verified"]) == (person["email"], True)
    assert first["role"] == "user"
    for kid in ("ec", "ed"):
        again = await known(world, issuer.token(kid, sub=subject))
        assert again == first
    assert issuer.asked == 1


async def test_another_subject_is_another_person(world: World, issuer: Issuer) -> None:
    one, other = [await known(world, issuer.token(preferred_username="ada")) for _ in range(2)]
    assert one["id"] != other["id"]
    assert one["username"] != other["username"]


async def test_twenty_first_sights_at_once_create_one_account(world: World, issuer: Issuer) -> None:
    subject = f"user_{uuid4().hex}"
    answers = await asyncio.gather(*(known(world, issuer.token(sub=subject)) for _ in range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    assert world.sql("select count(*) from accounts.identities where subject = %s", subject) == [(1,)]
    assert issuer.asked == 1


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_the_issuer_has_not_verified_is_left_out(
    world: World, issuer: Issuer, verified: object
) -> None:
    local = f"ada{uuid4().hex[:8]}"
    person = await known(world, issuer.token(email=f"{local}@example.com", email_verified=verified))
    assert (person["email"], person["email_verified"]) == (None, False)
    assert person["username"].startswith("user-")


async def test_nobody_is_linked_by_an_address(world: World, issuer: Issuer) -> None:
    ada = await world.person()
    person = await known(world, issuer.token(email=ada.email.upper(), email_verified=True))
    assert person["id"] != ada.id
    assert (person["email"], person["email_verified"]) == (None, False)


@pytest.mark.parametrize("name", ["admin", "名前", "", 7, "x\0y", "x" * 300])
async def test_names_that_are_none_still_make_a_username(world: World, issuer: Issuer, name: object) -> None:
    person = await known(world, issuer.token(preferred_username=name))
    assert person["username"].startswith("admin-" if name == "admin" else "user-")


async def test_our_own_tokens_still_work(world: World) -> None:
    ada = await world.person()
    assert (await ada.get("/auth/me")).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"azp": "https://evil.example"},
        {"azp": None},
        {"azp": ["https://app.example"]},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\0b"},
        {"exp": None},
        {"exp": "never"},
        {"exp": 10**400},
    ],
)
async def test_claims_that_are_not_believed(world: World, issuer: Issuer, claims: dict[str, Any]) -> None:
    answer = await me(world, issuer.token(**claims))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert (await me(world, issuer.token(aud=["x", AUDIENCE]))).status_code == 200


async def test_times_have_a_leeway_of_thirty_seconds(world: World, issuer: Issuer) -> None:
    now = int(issuer.clock.now().timestamp())
    assert (await me(world, issuer.token(exp=now - 25))).status_code == 200
    assert (await me(world, issuer.token(exp=now - 35))).status_code == 401
    assert (await me(world, issuer.token(nbf=now + 25))).status_code == 200
    assert (await me(world, issuer.token(nbf=now + 35))).status_code == 401


async def test_a_token_runs_out_though_it_is_remembered(world: World, issuer: Issuer) -> None:
    token = issuer.token()
    assert (await me(world, token)).status_code == 200
    issuer.clock.go(seconds=80)
    assert (await me(world, token)).status_code == 200
    issuer.clock.go(seconds=20)
    assert (await me(world, token)).status_code == 401


async def test_forged_tokens(world: World, issuer: Issuer) -> None:
    claims, good = issuer.claims(), issuer.token()
    assert (await me(world, good)).status_code == 200
    head, body, signature = good.split(".")
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own_jwk = public_jwk("ed", "EdDSA", STRANGER)
    other_body = raw_token({}, issuer.claims(), lambda _: b"").split(".")[1]
    forged = {
        "stranger's key": jwt.encode(claims, STRANGER, "EdDSA", headers={"kid": "ed"}),
        "unknown key": jwt.encode(claims, STRANGER, "EdDSA", headers={"kid": "evil"}),
        "jwk": jwt.encode(claims, STRANGER, "EdDSA", headers={"kid": "ed", "jwk": own_jwk}),
        "jku": jwt.encode(claims, STRANGER, "EdDSA", headers={"kid": "ed", "jku": f"{issuer.url}/evil"}),
        "x5u": jwt.encode(claims, STRANGER, "EdDSA", headers={"kid": "ed", "x5u": f"{issuer.url}/evil"}),
        "no kid": jwt.encode(claims, ED_KEY, "EdDSA"),
        "kid of another kind": jwt.encode(claims, ED_KEY, "EdDSA", headers={"kid": "rsa"}),
        "crit": issuer.token(headers={"crit": ["b64"], "b64": True}),
        "none": raw_token({"alg": "none", "kid": "ed"}, claims, lambda _: b""),
        "public key as secret": raw_token(
            {"alg": "HS256", "kid": "rsa"}, claims, lambda m: hmac.new(pem, m, hashlib.sha256).digest()
        ),
        "other algorithm": jwt.encode(claims, RSA_KEY, "RS512", headers={"kid": "rsa"}),
        "altered": f"{head}.{other_body}.{signature}",
        "unsigned": f"{head}.{body}.",
        "deep": raw_token({"kid": "ed", "alg": "EdDSA"}, claims | {"x": []}, lambda _: b"").replace(
            ".", "." + base64.urlsafe_b64encode(b'{"iss":' + b"[" * 20_000).decode().rstrip("="), 1
        ),
    }
    asked = issuer.asked
    for name, token in forged.items():
        answer = await me(world, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), name
    assert issuer.asked == asked  # the first fetch was less than a minute ago
    assert (await me(world, good)).status_code == 200


async def test_a_rotated_key_is_fetched_once_a_minute_at_most(world: World, issuer: Issuer) -> None:
    assert (await me(world, issuer.token())).status_code == 200
    issuer.keys["new"] = ("EdDSA", STRANGER)
    issuer.clock.go(seconds=61)
    tokens = [issuer.token("new") for _ in range(10)]
    answers = await asyncio.gather(*(me(world, token) for token in tokens))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert issuer.asked == 2
    unknown = jwt.encode(issuer.claims(), STRANGER, "EdDSA", headers={"kid": "unknown"})
    for _ in range(5):
        assert (await me(world, unknown)).status_code == 401
    assert issuer.asked == 2
    issuer.clock.go(seconds=61)
    for _ in range(5):
        assert (await me(world, unknown)).status_code == 401
    assert issuer.asked == 3


async def test_a_withdrawn_key_takes_what_it_signed_with_it(world: World, issuer: Issuer) -> None:
    token = issuer.token(exp=int(issuer.clock.now().timestamp()) + 86400)
    assert (await me(world, token)).status_code == 200
    del issuer.keys["ed"]
    issuer.clock.go(minutes=61)

    async def is_refused() -> bool:  # the keys are renewed behind the first call after an hour
        return (await me(world, token)).status_code == 401

    await until(is_refused)
    assert issuer.asked == 2


async def test_a_replaced_key_of_the_same_id_does_so_too(world: World, issuer: Issuer) -> None:
    token = issuer.token(exp=int(issuer.clock.now().timestamp()) + 86400)
    assert (await me(world, token)).status_code == 200
    issuer.keys["ed"] = ("EdDSA", STRANGER)
    issuer.clock.go(minutes=61)

    async def is_refused() -> bool:
        return (await me(world, token)).status_code == 401

    await until(is_refused)
    assert (await me(world, issuer.token())).status_code == 200


async def test_while_the_issuer_is_away_its_keys_serve_for_a_day(world: World, issuer: Issuer) -> None:
    assert (await me(world, issuer.token())).status_code == 200
    await issuer.stop()
    issuer.clock.go(hours=23)
    assert (await me(world, issuer.token())).status_code == 200
    unknown = jwt.encode(issuer.claims(), STRANGER, "EdDSA", headers={"kid": "unknown"})

    async def nobody_can_tell() -> bool:
        return (await me(world, unknown)).status_code == 503

    await until(nobody_can_tell)
    issuer.clock.go(hours=2)
    away = await me(world, issuer.token())
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert int(away.headers["retry-after"]) >= 1
    await issuer.start()
    issuer.clock.go(seconds=6)
    assert (await me(world, issuer.token())).status_code == 200


async def test_an_issuer_away_from_the_beginning_keeps_nobody_else_out(world: World, issuer: Issuer) -> None:
    await issuer.stop()
    assert (await me(world, issuer.token())).status_code == 503
    ada = await world.person()
    assert (await ada.get("/auth/me")).status_code == 200


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


def document_of(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


GOOD = document_of(public_jwk("ed", "EdDSA", ED_KEY))
LIES = {
    "endless": endless,
    "drip": drip,
    "huge": Issuer.tell(GOOD + b" " * jwks.MOST_BYTES),
    "error": Issuer.tell(GOOD, b"500 Internal Server Error"),
    "redirect": Issuer.tell(GOOD, b"302 Found", b"location: http://127.0.0.1:1/\r\n"),
    "compressed": Issuer.tell(gzip.compress(GOOD), more=b"content-encoding: gzip\r\n"),
    "no json": Issuer.tell(b"<html>"),
    "deep": Issuer.tell(b'{"keys": [{"kid": "ed", "x": ' + b"[" * 100_000),
    "no keys": Issuer.tell(document_of()),
    "not for signing": Issuer.tell(document_of(public_jwk("ed", "EdDSA", ED_KEY, use="enc"))),
    "other algorithm": Issuer.tell(document_of(public_jwk("ed", "EdDSA", ED_KEY, alg="HS256"))),
    "symmetric": Issuer.tell(document_of({"kty": "oct", "kid": "ed", "k": "c2VjcmV0"})),
    "crippled": Issuer.tell(document_of({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AA"})),
    "misshapen": Issuer.tell(
        document_of({"kty": ["OKP"], "crv": {}, "kid": "ed"}, {"kty": "RSA", "kid": "ed"})
    ),
    "small": Issuer.tell(document_of(public_jwk("ed", "RS256", SMALL_RSA_KEY))),
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_issuer_that_lies(
    world: World, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT_SECONDS", 0.3)
    issuer.lie = LIES[lie]
    assert (await me(world, issuer.token())).status_code == 503
    assert (await me(world, issuer.token())).status_code == 503
    assert issuer.asked == 1
    issuer.lie = issuer.tell(GOOD)
    issuer.clock.go(seconds=6)
    assert (await me(world, issuer.token())).status_code == 200


async def test_a_private_key_published_by_mistake_is_only_read_for_its_public_part(issuer: Issuer) -> None:
    private = {**jwt.algorithms.OKPAlgorithm.to_jwk(ED_KEY, as_dict=True), "kid": "ed"}
    assert "d" in private
    key = jwks.read_keys(document_of(private))["ed"]
    assert jwt.decode(issuer.token(), key.public, ["EdDSA"], audience=AUDIENCE)["azp"] == PARTY
    assert isinstance(key.public, ed25519.Ed25519PublicKey)


async def test_logging_out_ends_the_issuers_session(world: World, issuer: Issuer) -> None:
    subject = f"user_{uuid4().hex}"
    here, there = f"sess_{uuid4().hex}", f"sess_{uuid4().hex}"
    token = issuer.token(sub=subject, sid=here)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await me(world, token)).status_code == 200
    assert (await me(world, issuer.token(sub=subject, sid=there))).status_code == 200
    assert len((await world.get("/auth/sessions", headers=headers)).json()["items"]) == 2
    assert (await world.post("/auth/logout", headers=headers)).status_code == 204
    assert (await me(world, token)).status_code == 401
    assert (await me(world, issuer.token(sub=subject, sid=here, jti="another"))).status_code == 401
    assert (await me(world, issuer.token(sub=subject, sid=there))).status_code == 200


async def test_the_same_session_id_of_somebody_else_is_another_session(world: World, issuer: Issuer) -> None:
    one, other = issuer.token(sid="s", sub=uuid4().hex), issuer.token(sid="s", sub=uuid4().hex)
    assert (await known(world, one))["id"] != (await known(world, other))["id"]
    await world.post("/auth/logout", headers={"Authorization": f"Bearer {one}"})
    assert (await me(world, one)).status_code == 401
    assert (await me(world, other)).status_code == 200


@pytest.mark.parametrize("ids", [{"jti": "first"}, {}])
async def test_without_a_session_id_logging_out_ends_that_token(
    world: World, issuer: Issuer, ids: dict[str, Any]
) -> None:
    subject, now = f"user_{uuid4().hex}", int(issuer.clock.now().timestamp())
    token = issuer.token(sub=subject, sid=None, **ids)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await world.post("/auth/logout", headers=headers)).status_code == 204
    assert (await me(world, token)).status_code == 401
    later = issuer.token(sub=subject, sid=None, exp=now + 90, **({"jti": "later"} if ids else {}))
    assert (await me(world, later)).status_code == 200


async def test_a_session_removed_unused_begins_anew(world: World, issuer: Issuer) -> None:
    token = issuer.token(sub=f"user_{uuid4().hex}")
    person = await known(world, token)
    world.sql("delete from accounts.sessions where user_id = %s", person["id"])

    async def begun_anew() -> bool:  # the state read a moment ago serves for a second
        assert (await me(world, token)).json() == person
        return bool(world.sql("select id from accounts.sessions where user_id = %s", person["id"]))

    await until(begun_anew)


async def test_an_ended_session_is_remembered_and_a_used_one_lives_on(world: World, issuer: Issuer) -> None:
    token = issuer.token()
    person = await known(world, token)
    days = "select extract(day from expires_at - now())::int from accounts.sessions where user_id = %s"
    world.sql(
        "update accounts.sessions set last_seen_at = now() - interval '1 hour' where user_id = %s",
        person["id"],
    )

    async def is_noticed() -> bool:
        await known(world, token)
        return world.sql(days, person["id"])[0][0] >= 29

    await until(is_noticed)
    await world.post("/auth/logout", headers={"Authorization": f"Bearer {token}"})
    assert world.sql(days, person["id"])[0][0] >= 399


async def test_an_account_without_a_password_has_none(world: World, issuer: Issuer) -> None:
    token = issuer.token()
    person = await known(world, token)
    login = await world.post("/auth/login", json={"username": person["username"], "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "wrong_credentials")
    change = await world.post(
        "/auth/change-password",
        json={"current_password": PASSWORD, "new_password": "another good sentence"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (change.status_code, change.json()["code"]) == (409, "no_password")


async def test_audiences_and_parties_are_checked_only_where_configured(dsn: str, issuer: Issuer) -> None:
    settings = settings_for_tests(QUINTET_OIDC_ISSUER=issuer.url, QUINTET_OIDC_JWKS_URL=f"{issuer.url}/keys")
    async with serving(settings, dsn, issuer.clock) as world:
        assert (await me(world, issuer.token(aud="anybody", azp=None))).status_code == 200
        assert (await me(world, issuer.token(aud=None, azp="x"))).status_code == 200


async def test_without_settings_no_outside_token_is_accepted(dsn: str, issuer: Issuer) -> None:
    async with serving(settings_for_tests(), dsn, issuer.clock) as world:
        assert (await me(world, issuer.token())).status_code == 401
    assert issuer.asked == 0
