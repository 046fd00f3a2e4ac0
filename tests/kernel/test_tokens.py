"""Access tokens: what is accepted, what is not, and how their keys change."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import Person, World

from quintet.kernel.tokens import rotate_signing_key, signing_keys

STRANGER = Ed25519PrivateKey.generate()


def header_of(token: str) -> dict[str, Any]:
    return jwt.get_unverified_header(token)


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def our_key(world: World) -> Ed25519PrivateKey:
    ((raw,),) = world.sql("select private_key from kernel.signing_keys order by kid limit 1")
    return Ed25519PrivateKey.from_private_bytes(bytes(raw))


def signed(world: World, ada: Person, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Ada's token with something changed, signed by our own key."""
    changed = {**claims_of(ada.access_token), **claims}
    changed = {name: value for name, value in changed.items() if value is not None}
    headers = {**header_of(ada.access_token), **(header or {})}
    return jwt.encode(changed, our_key(world), "EdDSA", headers=headers)


def raw_token(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    signature = base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


async def status(world: World, token: str) -> int:
    answer = await world.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert answer.json()["code"] == "not_signed_in"
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return answer.status_code


@pytest.fixture
async def apart(worker_name: str) -> AsyncIterator[World]:
    """A server with a database and a clock of its own, whose keys may be rotated."""
    name = f"quintet_tokens_{worker_name}"
    dsn = clone_database(name)
    async with serving(settings_for_tests(), dsn) as made:
        yield made
    drop_database(name)


async def test_a_token_says_what_the_protocol_says(world: World) -> None:
    ada = await world.person()
    header, claims = header_of(ada.access_token), claims_of(ada.access_token)
    assert header.keys() == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    assert claims.keys() == {"iss", "aud", "sub", "sid", "role", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"]) == (world.kernel.settings.issuer, "quintet")
    assert (claims["sub"], claims["role"]) == (ada.id, "user")
    assert claims["exp"] - claims["iat"] == 900


async def test_anybody_can_verify_a_token_by_the_published_keys(world: World) -> None:
    ada = await world.person()
    document = (await world.get("/.well-known/jwks.json")).json()
    assert all("d" not in key for key in document["keys"])
    (key,) = [one for one in document["keys"] if one["kid"] == header_of(ada.access_token)["kid"]]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    public = jwt.PyJWK(key, "EdDSA").key
    assert jwt.decode(ada.access_token, public, ["EdDSA"], audience="quintet")["sub"] == ada.id


async def test_a_token_signed_anew_by_our_key_is_good(world: World) -> None:
    """Without this the refusals below might have other reasons."""
    ada = await world.person()
    assert await status(world, signed(world, ada, jti="another")) == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": None},
        {"aud": ["x", "y"]},
        {"iss": "http://evil.example"},
        {"iss": None},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"sid": None},
        {"sid": "nonsense"},
        {"sid": str(uuid4())},
        {"sub": None},
        {"sub": "nonsense"},
        {"sub": str(uuid4())},
        {"jti": None},
        {"role": None},
    ],
)
async def test_claims_that_are_refused_though_our_key_signed_them(
    world: World, claims: dict[str, Any]
) -> None:
    ada = await world.person()
    assert await status(world, signed(world, ada, **claims)) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"kid": "unknown"},
        {"kid": None},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": True},
    ],
)
async def test_headers_that_are_refused_though_our_key_signed_them(
    world: World, header: dict[str, Any]
) -> None:
    ada = await world.person()
    claims, key = claims_of(ada.access_token), our_key(world)
    merged = {**header_of(ada.access_token), **header}
    merged = {name: value for name, value in merged.items() if value is not None}
    assert await status(world, raw_token(merged, claims, key.sign)) == 401
    merged = header_of(ada.access_token)
    assert await status(world, raw_token(merged, claims, key.sign)) == 200


async def test_the_role_in_a_token_is_only_a_hint(world: World) -> None:
    ada = await world.person()
    assert (await world.kernel.authenticate(signed(world, ada, role="admin"))).role == "user"


async def test_a_token_of_one_user_with_the_session_of_another(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    assert await status(world, signed(world, ada, sid=claims_of(ben.access_token)["sid"])) == 401


async def test_forged_tokens(world: World) -> None:
    ada = await world.person()
    header, claims = header_of(ada.access_token), claims_of(ada.access_token)
    public = our_key(world).public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=")
    stranger_x = base64.urlsafe_b64encode(
        STRANGER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ).decode()
    stranger_jwk = {"kty": "OKP", "crv": "Ed25519", "kid": "evil", "x": stranger_x.rstrip("=")}
    head, body, signature = ada.access_token.split(".")
    altered = base64.urlsafe_b64encode(json.dumps(claims | {"role": "admin"}).encode()).decode().rstrip("=")
    forged = {
        "none": raw_token(header | {"alg": "none"}, claims, lambda _: b""),
        "None": raw_token(header | {"alg": "None"}, claims, lambda _: b""),
        "no alg": raw_token({"typ": "at+jwt", "kid": header["kid"]}, claims, STRANGER.sign),
        "stranger's key": raw_token(header, claims, STRANGER.sign),
        "jwk": raw_token(header | {"jwk": stranger_jwk}, claims, STRANGER.sign),
        "jwk, its kid": raw_token(header | {"jwk": stranger_jwk, "kid": "evil"}, claims, STRANGER.sign),
        "jku": raw_token(header | {"jku": "http://127.0.0.1:1/jwks"}, claims, STRANGER.sign),
        "x5u": raw_token(header | {"x5u": "http://127.0.0.1:1/x5u"}, claims, STRANGER.sign),
        "altered": f"{head}.{altered}.{signature}",
        "unsigned": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{ada.access_token}.x",
        "cut": ada.access_token[:-2],
        "empty": "",
        "text": "nonsense",
        "not ASCII": "é.ü.ß",
        "list for kid": raw_token(header | {"kid": ["x"]}, claims, STRANGER.sign),
        "deep": base64.urlsafe_b64encode(b'{"typ":' + b"[" * 20_000).decode() + ".e30.AA",
    }
    for name, secret in (("raw", raw), ("pem", pem), ("x", x)):
        forged[f"public key as secret: {name}"] = raw_token(
            header | {"alg": "HS256"},
            claims,
            lambda message, secret=secret: hmac.new(secret, message, hashlib.sha256).digest(),
        )
    for name, token in forged.items():
        # Headers travel as bytes: httpx2 would refuse to encode the ones that are not ASCII.
        answer = await world.get("/auth/me", headers={b"Authorization": b"Bearer " + token.encode()})  # type: ignore[dict-item]
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), name
    assert await status(world, ada.access_token) == 200


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "bearer ", "nonsense"])
async def test_other_ways_to_authorize_are_refused(world: World, header: str) -> None:
    answer = await world.get("/auth/me", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_a_token_runs_out_after_fifteen_minutes_and_a_leeway(apart: World) -> None:
    ada = await apart.person()
    apart.clock.go(minutes=15, seconds=20)
    assert await status(apart, ada.access_token) == 200
    apart.clock.go(seconds=15)
    assert await status(apart, ada.access_token) == 401


async def test_keys_rotate_without_anybody_noticing(apart: World) -> None:
    kernel, tokens = apart.kernel, apart.kernel.tokens
    ada = await apart.person()
    old = header_of(ada.access_token)["kid"]
    new = await rotate_signing_key(kernel.database)
    tokens.use(await signing_keys(kernel.database))
    published = (await apart.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kid"] for key in published} == {old, new}
    # For an hour the new key is only published, so that every verifier knows it before it signs.
    ben = await apart.person("ben")
    assert header_of(ben.access_token)["kid"] == old
    apart.sql("update kernel.signing_keys set active_from = now() where kid = %s", new)
    tokens.use(await signing_keys(kernel.database))
    cleo = await apart.person("cleo")
    assert header_of(cleo.access_token)["kid"] == new
    for person in (ada, ben, cleo):
        assert await status(apart, person.access_token) == 200
    apart.sql("update kernel.signing_keys set retired_at = now() where kid = %s", old)
    tokens.use(await signing_keys(kernel.database))
    assert await status(apart, ada.access_token) == 401
    assert await status(apart, cleo.access_token) == 200
    assert {key["kid"] for key in tokens.jwks()["keys"]} == {new}
    renewed = await apart.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert await status(apart, renewed.json()["access_token"]) == 200


async def test_rotating_retires_the_older_key_only_after_its_tokens_have_run_out(apart: World) -> None:
    ada = await apart.person()
    await rotate_signing_key(apart.kernel.database)
    ((hours,),) = apart.sql(
        "select extract(epoch from retired_at - now()) / 3600 from kernel.signing_keys where kid = %s",
        header_of(ada.access_token)["kid"],
    )
    assert hours > 2  # an hour until the new one signs, and a token's life after that


async def test_two_nodes_sign_with_the_same_keys(world: World, dsn: str) -> None:
    ada = await world.person()
    async with serving(settings_for_tests(), dsn) as elsewhere:
        assert await status(elsewhere, ada.access_token) == 200
        ben = await elsewhere.person("ben")
    assert await status(world, ben.access_token) == 200
