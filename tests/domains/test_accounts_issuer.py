"""Tokens of an outside issuer: whom they lead to, and which are not believed."""

import asyncio
import base64
import hashlib
import hmac
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.conftest import serving, settings_for_tests
from tests.domains.outside_issuer import (
    AUDIENCE,
    ED_KEY,
    RSA_KEY,
    STRANGER,
    Issuer,
    known,
    me,
    public_jwk,
    raw_token,
    until,
)
from tests.world import PASSWORD, World


async def test_the_first_sight_creates_the_account(trusting: World, issuer: Issuer) -> None:
    subject, tail = f"user_{uuid4().hex}", uuid4().hex[:8]
    person = {"sub": subject, "preferred_username": f"Zoë {tail}", "email": f"zoe{tail}@example.com"}
    first = await known(trusting, issuer.token("rsa", **person, email_verified=True))
    assert first["username"] == f"zoe-{tail}"
    assert (first["email"], first["email_verified"]) == (person["email"], True)
    assert first["role"] == "user"
    for kid in ("ec", "ed"):
        again = await known(trusting, issuer.token(kid, sub=subject))
        assert again == first
    assert issuer.asked == 1


async def test_another_subject_is_another_person(trusting: World, issuer: Issuer) -> None:
    one, other = [await known(trusting, issuer.token(preferred_username="ada")) for _ in range(2)]
    assert one["id"] != other["id"]
    assert one["username"] != other["username"]


async def test_twenty_first_sights_at_once_create_one_account(trusting: World, issuer: Issuer) -> None:
    subject = f"user_{uuid4().hex}"
    answers = await asyncio.gather(*(known(trusting, issuer.token(sub=subject)) for _ in range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    assert trusting.sql("select count(*) from accounts.identities where subject = %s", subject) == [(1,)]
    assert issuer.asked == 1


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_the_issuer_has_not_verified_is_left_out(
    trusting: World, issuer: Issuer, verified: object
) -> None:
    local = f"ada{uuid4().hex[:8]}"
    person = await known(trusting, issuer.token(email=f"{local}@example.com", email_verified=verified))
    assert (person["email"], person["email_verified"]) == (None, False)
    assert person["username"].startswith("user-")


async def test_nobody_is_linked_by_an_address(trusting: World, issuer: Issuer) -> None:
    ada = await trusting.person()
    person = await known(trusting, issuer.token(email=ada.email.upper(), email_verified=True))
    assert person["id"] != ada.id
    assert (person["email"], person["email_verified"]) == (None, False)


@pytest.mark.parametrize("name", ["admin", "名前", "", 7, "x\0y", "x" * 300])
async def test_names_that_are_none_still_make_a_username(
    trusting: World, issuer: Issuer, name: object
) -> None:
    person = await known(trusting, issuer.token(preferred_username=name))
    assert person["username"].startswith("admin-" if name == "admin" else "user-")


async def test_our_own_tokens_still_work(trusting: World) -> None:
    ada = await trusting.person()
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
async def test_claims_that_are_not_believed(trusting: World, issuer: Issuer, claims: dict[str, Any]) -> None:
    answer = await me(trusting, issuer.token(**claims))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert (await me(trusting, issuer.token(aud=["x", AUDIENCE]))).status_code == 200


async def test_times_have_a_leeway_of_thirty_seconds(trusting: World, issuer: Issuer) -> None:
    now = int(issuer.clock.now().timestamp())
    assert (await me(trusting, issuer.token(exp=now - 25))).status_code == 200
    late = f"user_{uuid4().hex}"
    assert (await me(trusting, issuer.token(exp=now - 35, sub=late))).status_code == 401
    assert not trusting.sql("select id from accounts.identities where subject = %s", late)
    assert (await me(trusting, issuer.token(nbf=now + 25))).status_code == 200
    assert (await me(trusting, issuer.token(nbf=now + 35))).status_code == 401


async def test_a_token_runs_out_though_it_is_remembered(trusting: World, issuer: Issuer) -> None:
    token = issuer.token()
    assert (await me(trusting, token)).status_code == 200
    issuer.clock.go(seconds=80)
    assert (await me(trusting, token)).status_code == 200
    issuer.clock.go(seconds=20)
    assert (await me(trusting, token)).status_code == 401


async def test_forged_tokens(trusting: World, issuer: Issuer) -> None:
    claims, good = issuer.claims(), issuer.token()
    assert (await me(trusting, good)).status_code == 200
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
        "crit": raw_token(
            # The one extension the library knows, in the form that changes nothing.
            {"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": True},
            claims,
            ED_KEY.sign,
        ),
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
        answer = await me(trusting, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), name
    assert issuer.asked == asked  # the first fetch was less than a minute ago
    assert (await me(trusting, good)).status_code == 200


async def test_logging_out_ends_the_issuers_session(trusting: World, issuer: Issuer) -> None:
    subject = f"user_{uuid4().hex}"
    here, there = f"sess_{uuid4().hex}", f"sess_{uuid4().hex}"
    token = issuer.token(sub=subject, sid=here)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await me(trusting, token)).status_code == 200
    assert (await me(trusting, issuer.token(sub=subject, sid=there))).status_code == 200
    assert len((await trusting.get("/auth/sessions", headers=headers)).json()["items"]) == 2
    assert (await trusting.post("/auth/logout", headers=headers)).status_code == 204
    assert (await me(trusting, token)).status_code == 401
    assert (await me(trusting, issuer.token(sub=subject, sid=here, jti="another"))).status_code == 401
    assert (await me(trusting, issuer.token(sub=subject, sid=there))).status_code == 200


async def test_the_same_session_id_of_somebody_else_is_another_session(
    trusting: World, issuer: Issuer
) -> None:
    one, other = issuer.token(sid="s", sub=uuid4().hex), issuer.token(sid="s", sub=uuid4().hex)
    assert (await known(trusting, one))["id"] != (await known(trusting, other))["id"]
    await trusting.post("/auth/logout", headers={"Authorization": f"Bearer {one}"})
    assert (await me(trusting, one)).status_code == 401
    assert (await me(trusting, other)).status_code == 200


@pytest.mark.parametrize("ids", [{"jti": "first"}, {}])
async def test_without_a_session_id_logging_out_ends_that_token(
    trusting: World, issuer: Issuer, ids: dict[str, Any]
) -> None:
    subject, now = f"user_{uuid4().hex}", int(issuer.clock.now().timestamp())
    token = issuer.token(sub=subject, sid=None, **ids)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await trusting.post("/auth/logout", headers=headers)).status_code == 204
    assert (await me(trusting, token)).status_code == 401
    later = issuer.token(sub=subject, sid=None, exp=now + 90, **({"jti": "later"} if ids else {}))
    assert (await me(trusting, later)).status_code == 200


async def test_a_session_removed_unused_begins_anew(trusting: World, issuer: Issuer) -> None:
    token = issuer.token(sub=f"user_{uuid4().hex}")
    person = await known(trusting, token)
    trusting.sql("delete from accounts.sessions where user_id = %s", person["id"])

    async def begun_anew() -> bool:  # the state read a moment ago serves for a second
        assert (await me(trusting, token)).json() == person
        return bool(trusting.sql("select id from accounts.sessions where user_id = %s", person["id"]))

    await until(begun_anew)


async def test_an_ended_session_is_remembered_and_a_used_one_lives_on(
    trusting: World, issuer: Issuer
) -> None:
    token = issuer.token()
    person = await known(trusting, token)
    days = "select extract(day from expires_at - now())::int from accounts.sessions where user_id = %s"
    trusting.sql(
        "update accounts.sessions set last_seen_at = now() - interval '1 hour' where user_id = %s",
        person["id"],
    )

    async def is_noticed() -> bool:
        await known(trusting, token)
        return trusting.sql(days, person["id"])[0][0] >= 29

    await until(is_noticed)
    await trusting.post("/auth/logout", headers={"Authorization": f"Bearer {token}"})
    assert trusting.sql(days, person["id"])[0][0] >= 399


async def test_an_account_without_a_password_has_none(trusting: World, issuer: Issuer) -> None:
    token = issuer.token()
    person = await known(trusting, token)
    login = await trusting.post("/auth/login", json={"username": person["username"], "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "wrong_credentials")
    change = await trusting.post(
        "/auth/change-password",
        json={"current_password": PASSWORD, "new_password": "another good sentence"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (change.status_code, change.json()["code"]) == (409, "no_password")


async def test_audiences_and_parties_are_checked_only_where_configured(dsn: str, issuer: Issuer) -> None:
    settings = settings_for_tests(QUINTET_OIDC_ISSUER=issuer.url, QUINTET_OIDC_JWKS_URL=f"{issuer.url}/keys")
    async with serving(settings, dsn, issuer.clock) as trusting:
        assert (await me(trusting, issuer.token(aud="anybody", azp=None))).status_code == 200
        assert (await me(trusting, issuer.token(aud=None, azp="x"))).status_code == 200


async def test_without_settings_no_outside_token_is_accepted(dsn: str, issuer: Issuer) -> None:
    async with serving(settings_for_tests(), dsn, issuer.clock) as trusting:
        assert (await me(trusting, issuer.token())).status_code == 401
    assert issuer.asked == 0
