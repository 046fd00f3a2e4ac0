"""Errors: one shape everywhere, the framework's own included, and nothing of our insides in them."""

import re
from typing import Any

import httpx2
import pytest
import structlog
from tests.conftest import serving, settings_for_tests
from tests.world import World, code_of, new_title

from quintet.apps.wigg import queries
from quintet.apps.wigg.milestones import queries as milestone_queries
from quintet.kernel.database import Tx

SHAPE = {"type", "title", "status", "code", "detail", "request_id"}
JSON = {"Content-Type": "application/json"}


def check_shape(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, after checking that it is whole."""
    assert code_of(answer) == (status, code), answer.text
    body = answer.json()
    assert set(body) - {"errors"} >= SHAPE
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert all(isinstance(body[name], str) and body[name] for name in ("title", "detail"))
    assert answer.headers["cache-control"] == "no-store"
    for entry in body.get("errors", []):
        assert set(entry) - {"code", "message"} in ({"pointer"}, {"parameter"})
    return body


async def test_404(world: World) -> None:
    for path in ("/nothing", "/api", "/api/titles/", "/api//titles", "//api/titles", "/api/titles//", "//"):
        check_shape(await world.get(path), 404, "not_found")
    ada = await world.person()
    title = await new_title(ada)
    assert (await world.get(f"/api/titles/{title}")).status_code == 200
    for path in (f"/api/titles/{title}/", f"/api//titles/{title}", f"/api/titles/{title}/progress/"):
        check_shape(await world.get(path), 404, "not_found")


async def test_405_says_what_is_allowed(world: World) -> None:
    answer = await world.http.put("/api/titles")
    check_shape(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    answer = await world.http.get("/auth/login")
    check_shape(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"
    answer = await world.http.head("/auth/login")
    assert (answer.status_code, answer.content) == (405, b"")
    answer = await world.http.request("BREW", "/api/titles")
    check_shape(answer, 405, "method_not_allowed")


async def test_413_announced_and_unannounced(world: World) -> None:
    ada = await world.person()
    large = b'{"title": "' + b"x" * (1024 * 1024) + b'"}'
    check_shape(await ada.post("/api/titles", content=large, headers=JSON), 413, "too_large")

    async def pieces() -> Any:
        for _ in range(33):
            yield b" " * 32 * 1024

    answer = await ada.post("/api/titles", content=pieces(), headers=JSON)
    check_shape(answer, 413, "too_large")
    most = b" " * (1024 * 1024 - 40) + b'{"title": "Heat", "kind": "film"}'
    assert (await ada.post("/api/titles", content=most, headers=JSON)).status_code == 201


async def test_415(world: World) -> None:
    ada = await world.person()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await ada.post("/api/titles", content=b"{}", headers={"Content-Type": kind})
        check_shape(answer, 415, "unsupported_media_type")
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"):
        answer = await ada.post("/api/titles", content=b"{}", headers={"Content-Type": kind})
        check_shape(answer, 422, "invalid_request")


async def test_a_bug_is_a_500_that_tells_nothing_and_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    title = await new_title(ada)

    async def broken(tx: Tx, title_id: str) -> Any:
        return await tx.value("select hidden_column from wigg.no_such_table where title = $1", title_id)

    monkeypatch.setattr(milestone_queries, "milestones", broken)
    with structlog.testing.capture_logs() as lines:
        answer = await world.get(
            f"/api/titles/{title}/milestones", headers={"Origin": "http://localhost:3000"}
        )
    body = check_shape(answer, 500, "internal")
    assert "errors" not in body
    for inside in ("hidden_column", "no_such_table", "select", "Traceback", "psycopg", "wigg.", ".py", title):
        assert inside not in answer.text
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    (bug,) = [line for line in lines if line["event"] == "bug"]
    assert bug["request_id"] == answer.headers["x-request-id"]
    assert "no_such_table" in str(bug["exc_info"])
    (request,) = [line for line in lines if line["event"] == "request"]
    assert (request["status"], request["route"]) == (500, "/api/titles/{title_id}/milestones")


async def test_a_python_bug_in_a_write_is_a_500_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    title = await new_title(ada)

    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError("secret words of a bug")

    monkeypatch.setattr(queries, "write", broken)
    answer = await ada.post(f"/api/titles/{title}/wiggs", json={"position_pct": 5})
    check_shape(answer, 500, "internal")
    assert "secret words" not in answer.text
    monkeypatch.undo()
    assert (await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"] == []


async def test_log_lines_hold_no_query_no_body_no_token(world: World) -> None:
    ada = await world.person()
    with structlog.testing.capture_logs() as lines:
        await ada.get("/api/titles?query=whispered&token=whispered")
        await ada.post("/api/titles", json={"title": "whispered", "kind": "film"})
        await ada.post("/api/titles", json={"title": "whispered", "kind": "whispered"})
    told = repr(lines)
    assert "whispered" not in told
    assert ada.access_token not in told
    assert [line["user_id"] for line in lines if line["event"] == "request"] == [ada.id] * 3


async def test_request_ids(world: World) -> None:
    for kept in ("abcd1234", "req-1.2:3_4-5", "A" * 128):
        answer = await world.get("/health/live", headers={"X-Request-Id": kept})
        assert answer.headers["x-request-id"] == kept
        problem = await world.get("/nothing", headers={"X-Request-Id": kept})
        assert problem.json()["request_id"] == problem.headers["x-request-id"] == kept
    for replaced in ("short", "A" * 129, "with space in it", "<script>alert</script>", "a" * 8 + "\tx"):
        answer = await world.get("/health/live", headers={"X-Request-Id": replaced})
        assert answer.headers["x-request-id"] != replaced
        assert re.fullmatch(r"[0-9a-f]{24}", answer.headers["x-request-id"])
    made = {(await world.get("/health/live")).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/titles/a%00b", 422, "invalid_request"),
        ("/api/titles?query=%00", 422, "invalid_request"),
        ("/api/titles?unknown=%00", 422, "invalid_request"),
        ("/api/titles/%FF", 400, "not_utf8"),
        ("/api/titles/%C3%28/progress", 400, "not_utf8"),
        ("/api/titles?query=%C0%AF", 400, "not_utf8"),
        ("/api/titles?query=%ED%A0%80", 400, "not_utf8"),  # a surrogate, as UTF-8 never writes it
        ("/api/titles?%FF=1", 400, "not_utf8"),
        ("/%F0%9F%92", 400, "not_utf8"),
    ],
)
async def test_what_is_no_text(world: World, path: str, status: int, code: str) -> None:
    body = check_shape(await world.get(path), status, code)
    if status == 422:
        (entry,) = body["errors"]
        assert (entry["code"], entry["parameter"]) == ("invalid_text", "query" if "?" in path else "path")


async def test_paths_are_decoded_once(world: World) -> None:
    for path in ("/api%2Ftitles", "/api/titles/%2e%2e", "/api/titles/..%2fhealth", "/api/titles/%252e"):
        check_shape(await world.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("limit=0", "limit", "out_of_range"),
        ("limit=101", "limit", "out_of_range"),
        ("limit=-1", "limit", "out_of_range"),
        ("limit=ten", "limit", "wrong_type"),
        ("limit=1e999", "limit", "out_of_range"),
        ("limit=" + "9" * 5000, "limit", "out_of_range"),
        ("limit=", "limit", "wrong_type"),
        ("kind=opera", "kind", "out_of_range"),
        ("query=" + "x" * 201, "query", "too_long"),
        ("cursor=" + "x" * 2001, "cursor", "too_long"),
    ],
)
async def test_bad_parameters_are_named(world: World, query: str, parameter: str, code: str) -> None:
    body = check_shape(await world.get(f"/api/titles?{query}"), 422, "invalid_request")
    (entry,) = body["errors"]
    assert (entry["parameter"], entry["code"]) == (parameter, code), entry


async def test_unknown_query_parameters_are_ignored(world: World) -> None:
    assert (await world.get("/api/titles?limit=1&utm_source=x&limit[]=3&=&&x")).status_code == 200


async def test_a_database_that_is_away_is_a_503_with_retry_after(dsn: str) -> None:
    async with serving(settings_for_tests(), dsn) as own:
        own.kernel.database.away = True
        answer = await own.get("/api/titles")
        own.kernel.database.away = False
    check_shape(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
