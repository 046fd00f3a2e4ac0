"""No crash on input: schemathesis calls everything in OpenAPI with what fits and with what does not."""

import asyncio
import itertools
import os
from collections import Counter
from typing import Any

import httpx2
import hypothesis
import pytest
import requests
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, given
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from tests.architecture.test_callers import sign_in
from tests.world import Person, World, mark, new_title

from quintet.app import build_app
from quintet.kernel.http.openapi import document
from quintet.settings import load_settings

CASES = 8 if os.environ.get("CI") else 4
SETTINGS = hypothesis.settings(
    max_examples=CASES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def described() -> dict[str, Any]:
    app: Any = build_app(load_settings({}, dotenv=None), "postgresql:///nowhere").app
    return document(app.routes, title="Quintet", version="0", server="http://127.0.0.1:8000")


DOCUMENT = described()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# Accounts stand under a second prefix with the same handlers.
OPERATIONS = [
    (method.upper(), path)
    for path, item in sorted(DOCUMENT["paths"].items())
    for method, told in item.items()
    if "text/event-stream" not in str(told)  # they never end; tests/live looks after them
    if not path.startswith("/api/v1/auth") and path != "/openapi.json"
]


@pytest.fixture(scope="module")
async def ada(world: World) -> Person:
    person = await world.person()
    title = await new_title(person, id=f"t-{person.username}")
    await mark(person, title, 50, note="a note")
    return person


def codes_of(told: dict[str, Any], status: int) -> set[str]:
    """The codes an operation documents for a status."""
    content = told["responses"][str(status)]["content"]["application/problem+json"]
    return set(content["schema"]["allOf"][1]["properties"]["code"]["enum"])


def check_told(told: dict[str, Any], path: str, answer: httpx2.Response, where: str) -> None:
    """Check that an answer is no crash, and one that the document tells of."""
    assert answer.status_code < 500, where + answer.text
    if str(answer.status_code) not in told["responses"]:
        # What is no address of this operation at all is the router's affair.
        assert answer.status_code in {404, 405}, where
        assert "{" in path, where
    elif answer.status_code >= 400:
        assert answer.json()["code"] in codes_of(told, answer.status_code), where


def prepared(case: Any) -> requests.PreparedRequest | None:
    """The request of a case; None where no client could send it."""
    try:
        request = requests.Request(**case.as_transport_kwargs(base_url="http://127.0.0.1:8000")).prepare()
    except (requests.RequestException, UnicodeError, ValueError):
        return None
    sendable = all(str(text).isprintable() and str(text).isascii() for text in request.headers.values())
    return request if sendable else None


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_nothing_crashes(world: World, ada: Person, method: str, path: str) -> None:
    loop = asyncio.get_running_loop()
    counts: Counter[int] = Counter()
    turns, tokens = itertools.count(), list[str]()
    ends_sessions = path.endswith("/logout") or (method == "DELETE" and "/sessions" in path)

    async def call(request: requests.PreparedRequest, headers: dict[str, str]) -> None:
        with structlog.testing.capture_logs():  # rendering them takes longer than the call
            answer = await world.http.request(
                method,
                request.url or "",
                headers={**request.headers, **headers},
                content=request.body or b"",
            )
        counts[answer.status_code] += 1
        where = f"{method} {request.url} {sorted(headers)} {request.body!r}: {answer.status_code}"
        check_told(DOCUMENT["paths"][path][method.lower()], path, answer, where)

    def run(mode: GenerationMode) -> None:
        @SETTINGS
        @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))
        def hostile(case: Any) -> None:
            if "title_id" in (case.path_parameters or {}) and next(turns) % 3:
                case.path_parameters["title_id"] = f"t-{ada.username}"  # beyond the 404
            request = prepared(case)
            if request is None:
                return
            if ends_sessions or not tokens:
                tokens[:] = [sign_in(world, ada.id, "user")[0][0]]
            for headers in ({}, {"Authorization": f"Bearer {tokens[0]}"}):
                asyncio.run_coroutine_threadsafe(call(request, headers), loop).result(30)

        try:
            hostile()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # nothing about the operation can be wrong
            return

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        await asyncio.to_thread(run, mode)
    print(f"{method} {path}: {dict(sorted(counts.items()))}")
    assert counts


NASTY: list[Any] = [
    "\x7f", "\u202e", "😀" * 5000, "' or 1=1 --", "${7*7}", "<script>", "../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    -1, 0, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 1e-320, True, None, [], {}, [[[]]] * 100,
    {"a": {"b": []}},
    "NaN", "1e5", "\ufffe", "a" * 100_000,
]  # fmt: skip


async def test_nasty_values_everywhere(world: World) -> None:
    """Every field of every body set to each of many nasty values: refused or taken, never a crash."""
    ada = await world.person()
    await new_title(ada, id=f"t-{ada.username}")
    counts: Counter[int] = Counter()
    bodies = {
        ("POST", "/api/titles"): {"title": "x", "kind": "film", "id": None, "total_length_seconds": 1,
        "year": 1, "genres": [], "attributes": {}},
        ("PATCH", f"/api/titles/t-{ada.username}"): {"title": "x", "year": 1, "genres": ["x"],
        "attributes": {"a": 1}},
        ("POST", f"/api/titles/t-{ada.username}/wiggs"): {"position_pct": 1, "note": "n", "rating": 1,
        "session_id": None, "optimistic_id": None, "created_at": None},
        ("POST", f"/api/titles/t-{ada.username}/wiggs/batch"): {"wiggs": [{"position_pct": 1}],
        "session_id": None},
        ("POST", f"/api/titles/t-{ada.username}/milestones"): {"pct": 1, "label": "x", "icon": "star"},
        ("POST", f"/api/titles/t-{ada.username}/milestones/import"): {"content": "0:00 x", "format": None,
        "source": None},
        ("PATCH", f"/api/titles/t-{ada.username}/segments/3/score"): {"score": 1, "paint_session_id": None,
        "base_version": None, "user_id": None},
        ("POST", f"/api/titles/t-{ada.username}/paint-batch"): {"session_id": None, "base_version": None,
        "operations": [{"segment_index": 1, "score": 1, "weight": 1}]},
        ("POST", "/auth/login"): {"password": "p", "email": "e", "username": "u"},
        ("POST", "/auth/refresh"): {"refresh_token": "r"},
    }  # fmt: skip
    for (method, path), body in bodies.items():
        for field in body:
            for value in NASTY:
                if path == "/auth/login" and isinstance(value, str) and len(value) < 2000:
                    continue  # hashing every guess takes its time
                answer = await ada.call(method, path, json={**body, field: value})
                counts[answer.status_code] += 1
                assert answer.status_code < 500, (path, field, value, answer.text)
    for path in (
        f"/api/titles/t-{ada.username}",
        "/api/titles?limit=100",
        f"/api/titles/t-{ada.username}/wiggs",
        f"/api/titles/t-{ada.username}/milestones",
    ):
        assert (await ada.get(path)).status_code == 200  # what was taken can be told again
    for value in NASTY:
        for name in ("query", "kind", "limit", "cursor"):
            answer = await world.get("/api/titles", params={name: str(value)[:3000]})
            counts[answer.status_code] += 1
            assert answer.status_code < 500, (name, value, answer.text)
    print(f"nasty values: {dict(sorted(counts.items()))}")
