"""The keys of an outside issuer, which rotates them, goes away, and lies."""

import asyncio
import gzip
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.domains.outside_issuer import (
    AUDIENCE,
    ED_KEY,
    PARTY,
    SMALL_RSA_KEY,
    STRANGER,
    Issuer,
    me,
    public_jwk,
    until,
)
from tests.waiting import look_again
from tests.world import World

from quintet.domains.accounts import jwks


async def test_a_rotated_key_is_fetched_once_a_minute_at_most(trusting: World, issuer: Issuer) -> None:
    assert (await me(trusting, issuer.token())).status_code == 200
    issuer.keys["new"] = ("EdDSA", STRANGER)
    issuer.clock.go(seconds=61)
    tokens = [issuer.token("new") for _ in range(10)]
    answers = await asyncio.gather(*(me(trusting, token) for token in tokens))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert issuer.asked == 2
    unknown = jwt.encode(issuer.claims(), STRANGER, "EdDSA", headers={"kid": "unknown"})
    for _ in range(5):
        assert (await me(trusting, unknown)).status_code == 401
    assert issuer.asked == 2
    issuer.clock.go(seconds=61)
    for _ in range(5):
        assert (await me(trusting, unknown)).status_code == 401
    assert issuer.asked == 3


async def test_a_withdrawn_key_takes_what_it_signed_with_it(trusting: World, issuer: Issuer) -> None:
    token = issuer.token(exp=int(issuer.clock.now().timestamp()) + 86400)
    assert (await me(trusting, token)).status_code == 200
    del issuer.keys["ed"]
    issuer.clock.go(minutes=61)

    async def is_refused() -> bool:  # the keys are renewed behind the first call after an hour
        return (await me(trusting, token)).status_code == 401

    await until(is_refused)
    assert issuer.asked == 2


async def test_a_replaced_key_of_the_same_id_does_so_too(trusting: World, issuer: Issuer) -> None:
    token = issuer.token(exp=int(issuer.clock.now().timestamp()) + 86400)
    assert (await me(trusting, token)).status_code == 200
    issuer.keys["ed"] = ("EdDSA", STRANGER)
    issuer.clock.go(minutes=61)

    async def is_refused() -> bool:
        return (await me(trusting, token)).status_code == 401

    await until(is_refused)
    assert (await me(trusting, issuer.token())).status_code == 200


async def test_while_the_issuer_is_away_its_keys_serve_for_a_day(trusting: World, issuer: Issuer) -> None:
    assert (await me(trusting, issuer.token())).status_code == 200
    await issuer.stop()
    issuer.clock.go(hours=23)
    assert (await me(trusting, issuer.token())).status_code == 200
    unknown = jwt.encode(issuer.claims(), STRANGER, "EdDSA", headers={"kid": "unknown"})

    async def nobody_can_tell() -> bool:
        return (await me(trusting, unknown)).status_code == 503

    await until(nobody_can_tell)
    issuer.clock.go(hours=2)
    away = await me(trusting, issuer.token())
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert int(away.headers["retry-after"]) >= 1
    await issuer.start()
    issuer.clock.go(seconds=6)
    assert (await me(trusting, issuer.token())).status_code == 200


async def test_an_issuer_away_from_the_beginning_keeps_nobody_else_out(
    trusting: World, issuer: Issuer
) -> None:
    await issuer.stop()
    assert (await me(trusting, issuer.token())).status_code == 503
    ada = await trusting.person()
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
        await look_again()


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
    trusting: World, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    issuer.lie = LIES[lie]
    with monkeypatch.context() as impatient:
        if lie == "drip":  # the only one that takes all the time it is given
            impatient.setattr(jwks, "TIMEOUT_SECONDS", 0.5)
        assert (await me(trusting, issuer.token())).status_code == 503
    assert (await me(trusting, issuer.token())).status_code == 503
    assert issuer.asked == 1
    issuer.lie = issuer.tell(GOOD)
    issuer.clock.go(seconds=6)
    assert (await me(trusting, issuer.token())).status_code == 200


async def test_a_private_key_published_by_mistake_is_only_read_for_its_public_part(issuer: Issuer) -> None:
    private = {**jwt.algorithms.OKPAlgorithm.to_jwk(ED_KEY, as_dict=True), "kid": "ed"}
    assert "d" in private
    key = jwks.read_keys(document_of(private))["ed"]
    assert jwt.decode(issuer.token(), key.public, ["EdDSA"], audience=AUDIENCE)["azp"] == PARTY
    assert isinstance(key.public, ed25519.Ed25519PublicKey)
