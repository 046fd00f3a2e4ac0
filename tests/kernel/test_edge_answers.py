"""Answers: HEAD, entity tags, compression, cache headers, preconditions."""

import gzip

import httpx2
import pytest
from tests.world import PASSWORD, World, code_of, mark, new_title

from quintet.apps.wigg.t2g import compute_due

VOLATILE = {"x-request-id", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset", "date"}
GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}


def lasting(answer: httpx2.Response) -> list[tuple[str, str]]:
    return sorted((name, text) for name, text in answer.headers.multi_items() if name not in VOLATILE)


async def test_head_is_get_without_the_body(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada, attributes={"long": "x" * 2000})
    await mark(ada, title, 10)
    while await compute_due(world.kernel.database, even_if_early=True):
        pass  # or the title would change between a GET and its HEAD
    paths = [
        "/health/live", "/health/ready", "/.well-known/jwks.json", "/openapi.json", "/docs", "/metrics",
        "/api/titles?limit=1", "/api/milestone-icons", f"/api/titles/{title}",
        *(f"/api/titles/{title}/{part}" for part in ("progress", "t2g", "t2g/history", "milestones")),
        f"/api/titles/{title}/wiggs", f"/api/titles/{title}/segments/cells", "/auth/me", "/nothing",
        "/api/titles?limit=0", "/api/titles/none-such",
    ]  # fmt: skip
    for path in paths:
        for headers in (PLAIN, GZIP):
            got = await ada.call("GET", path, headers=headers)
            head = await ada.call("HEAD", path, headers=headers)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            if path != "/metrics":  # figures change by being read
                assert lasting(head) == lasting(got), path
            if path != "/metrics" and "content-encoding" not in got.headers:
                assert head.headers["content-length"] == str(len(got.content)), path


async def test_head_for_strangers_is_refused_as_get_is(world: World) -> None:
    assert (await world.http.head("/auth/me")).status_code == 401


async def test_gzip_from_a_kibibyte_on(world: World) -> None:
    ada = await world.person()
    small = await new_title(ada)
    large = await new_title(ada, attributes={"long": "x" * 2000})
    answer = await world.get(f"/api/titles/{small}", headers=GZIP)
    assert len(answer.content) < 1024
    assert "content-encoding" not in answer.headers
    packed = await world.get(f"/api/titles/{large}", headers=GZIP)
    plain = await world.get(f"/api/titles/{large}", headers=PLAIN)
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 1024 < int(plain.headers["content-length"])
    assert packed.json() == plain.json()
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    assert not plain.headers["etag"].startswith("W/")
    for answer in (packed, plain):
        assert "Accept-Encoding" in answer.headers["vary"]
        assert "Authorization" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True), ("GZIP", True), ("gzip;q=0.5, br", True), ("br, gzip", True), ("gzip;q=0", False),
        ("gzip; q=0.0", False), ("identity", False), ("br", False), ("not-gzip", False), ("", False),
    ],
)  # fmt: skip
async def test_gzip_only_for_who_takes_it(world: World, accepted: str, packed: bool) -> None:
    answer = await world.get("/openapi.json", headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in answer.headers) is packed
    assert answer.json()["openapi"] == "3.1.0"


async def test_the_bytes_on_the_wire_are_gzip(world: World) -> None:
    async with world.http.stream("GET", "/openapi.json", headers=GZIP) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert gzip.decompress(raw).startswith(b'{"openapi"')


async def test_answers_with_tokens_are_never_compressed_nor_stored(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    wide = "🎬" * 100
    signup = {"email": f"wide-{ada.username}@example.com", "password": PASSWORD, "display_name": wide}
    wiggs = [{"position_pct": float(pct)} for pct in range(0, 60, 2)]
    key = {"Idempotency-Key": "batch-1"}
    path = f"/api/titles/{title}/wiggs"
    answers = [
        await world.post("/auth/signup", json=signup, headers=GZIP),
        await world.post("/auth/login", json={"email": signup["email"], "password": PASSWORD}, headers=GZIP),
        await ada.post(f"{path}/batch", json={"wiggs": wiggs}, headers=GZIP),
        await ada.post(f"{path}/batch", json={"wiggs": wiggs}, headers=GZIP | key),
        await ada.post(f"{path}/batch", json={"wiggs": wiggs}, headers=GZIP | key),
        await ada.post(path, json={"position_pct": 90, "note": "x" * 2000}, headers=GZIP),
    ]
    assert answers[4].headers["idempotent-replayed"] == "true"
    wigg_id = answers[5].json()["id"]
    answers.append(await ada.patch(f"{path}/{wigg_id}", json={"note": "y" * 2000}, headers=GZIP))
    for answer in answers:
        assert answer.status_code in {200, 201}, answer.text
        assert len(answer.content) > 1024
        assert "token" in answer.text
        assert "content-encoding" not in answer.headers, answer.request.url
        assert answer.headers["cache-control"] == "no-store", answer.request.url
    removed = await ada.delete(f"{path}/{wigg_id}")
    assert removed.headers["cache-control"] == "no-store"


async def test_if_none_match(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada, attributes={"long": "x" * 2000})
    for path in (f"/api/titles/{title}", f"/api/titles/{title}/progress", f"/api/titles/{title}/t2g"):
        answer = await world.get(path, headers=PLAIN)
        etag = answer.headers["etag"]
        for said in (etag, f"W/{etag}", f'"other", {etag}', f'W/"x",W/{etag}', "*"):
            again = await world.get(path, headers=PLAIN | {"If-None-Match": said})
            assert (again.status_code, again.content) == (304, b""), (path, said)
            assert again.headers["etag"] == etag
            assert again.headers["cache-control"] == answer.headers["cache-control"]
            assert again.headers["vary"] == answer.headers["vary"]
            assert again.headers.get("room-seq") == answer.headers.get("room-seq")
            assert "content-type" not in again.headers
        packed = await world.get(path, headers=GZIP)
        again = await world.get(path, headers=GZIP | {"If-None-Match": packed.headers["etag"]})
        assert again.status_code == 304
        for said in ('"other"', etag.strip('"'), etag[:-2] + '"', '""'):
            assert (await world.get(path, headers={"If-None-Match": said})).status_code == 200, said
    before = (await world.get(f"/api/titles/{title}/progress")).headers["etag"]
    await mark(ada, title, 50)
    after = await world.get(f"/api/titles/{title}/progress", headers={"If-None-Match": before})
    assert after.status_code == 200


async def test_the_tag_of_a_body_with_own_parts_covers_the_caller(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    await mark(ada, title, 50, rating=3)
    path = f"/api/titles/{title}/progress"
    tags = [(await who.get(path)).headers["etag"] for who in (ada, ben, world)]
    assert len(set(tags)) == 3
    for who, others in ((ada, tags[1:]), (ben, [tags[0], tags[2]]), (world, tags[:2])):
        said = {"If-None-Match": ", ".join(others)}
        assert (await who.get(path, headers=said)).status_code == 200
    # A list made of the viewer's own rows has a tag of its own, too.
    assert (await ada.get(f"/api/titles/{title}/wiggs")).headers["etag"]


async def test_cache_headers(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    for path in ("/api/titles", f"/api/titles/{title}/progress", f"/api/titles/{title}/t2g"):
        anonymous, own = await world.get(path), await ada.get(path)
        assert anonymous.headers["cache-control"] == "public, max-age=1", path
        assert own.headers["cache-control"] == "private, no-cache"
        for answer in (anonymous, own):
            assert "Authorization" in answer.headers["vary"]
            assert "Origin" in ",".join(answer.headers.get_list("vary")), (
                "a shared cache must tell origins apart"
            )
    assert (await world.get(f"/api/titles/{title}")).headers["cache-control"] == "no-cache"
    assert (await ada.get("/auth/me")).headers["cache-control"] == "private, no-cache"
    created = await ada.post("/api/titles", json={"title": "Heat", "kind": "film"})
    assert created.headers["cache-control"] == "private, no-cache"
    assert (await world.get("/metrics")).headers["cache-control"] == "no-store"


async def test_unknown_body_fields_are_refused_with_their_pointer(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    for method, path, body, pointer in (
        ("POST", "/api/titles", {"title": "x", "kind": "film", "titel": "y"}, "/titel"),
        ("POST", "/api/titles", {"title": "x", "kind": "film", "a/b~c": 1}, "/a~1b~0c"),
        ("POST", "/api/titles", {"title": "x", "kind": "film", "version": 1}, "/version"),
        ("PATCH", f"/api/titles/{title}", {"yaer": 1995}, "/yaer"),
        ("POST", f"/api/titles/{title}/wiggs/batch", {"wiggs": [{"position_pct": 1, "x": 2}]}, "/wiggs/0/x"),
        ("POST", "/auth/login", {"email": "a@b.example", "password": "p", "remember": True}, "/remember"),
    ):
        answer = await ada.call(method, path, json=body)
        assert code_of(answer) == (422, "invalid_request"), answer.text
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("unknown_field", pointer)]


async def test_server_owned_fields_are_ignored_in_a_patch(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    whole = (await ada.get(f"/api/titles/{title}")).json()
    owned = {"id": "other", "version": 99, "created_by": None, "created_at": "x", "stats": 7, "t2g": []}
    answer = await ada.patch(f"/api/titles/{title}", json={**whole, **owned, "year": 1996})
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert (changed["id"], changed["version"], changed["year"]) == (title, 2, 1996)
    assert (changed["created_by"], changed["created_at"]) == (ada.id, whole["created_at"])
    assert changed["updated_at"] > whole["updated_at"]


async def test_a_stale_if_match_is_refused(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    path = f"/api/titles/{title}"
    created = await ada.get(path)
    changed = await ada.patch(path, json={"year": 1990}, headers={"If-Match": created.headers["etag"]})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    for stale in (created.headers["etag"], '"1"', 'W/"1"', '"3"', '"other"', "2", '"12"', '"1", "3"'):
        answer = await ada.patch(path, json={"year": 1991}, headers={"If-Match": stale})
        assert code_of(answer) == (412, "stale_version"), stale
    assert (await ada.get(path)).json()["year"] == 1990
    for good in ('"7", "2"', "*"):
        answer = await ada.patch(path, json={"year": 1990}, headers={"If-Match": good})
        assert answer.status_code == 200, good
