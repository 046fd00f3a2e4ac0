"""CORS: who may call from a browser."""

import pytest
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import World

ALLOWED = "https://app.example"
PUBLIC = "https://quintet.example"
EXPOSED = {
    "ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "X-RateLimit-Limit",
    "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-Id", "Idempotent-Replayed", "Room-Seq",
    "Deprecation", "Sunset",
}  # fmt: skip
ALLOWED_HEADERS = {
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID",
}  # fmt: skip


def names(header: str) -> set[str]:
    return {part.strip() for part in header.split(",")}


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3000", "http://localhost", "http://127.0.0.1:5173", "http://127.0.0.1:8000"],
)
async def test_development_takes_this_machine(world: World, origin: str) -> None:
    answer = await world.get("/api/titles", headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert names(answer.headers["access-control-expose-headers"]) == EXPOSED
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", "http://localhost.evil.example", "http://localhost:3000.evil.example",
        "https://localhost:3000", "http://127.0.0.1:3000@evil.example", "http://127.0.0.10", "", "*",
        "http://localhost:3000\u00e9",
    ],
)  # fmt: skip
async def test_foreign_origins_get_nothing(world: World, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": origin.encode(), "Access-Control-Request-Method": "POST"}
        answer = await world.http.request(method, "/api/titles", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "Origin" in ",".join(answer.headers.get_list("vary"))


async def test_production_takes_its_list_and_itself(worker_name: str) -> None:
    settings = settings_for_tests(
        QUINTET_ENV="production",
        QUINTET_PUBLIC_URL=f"{PUBLIC}/",
        QUINTET_ALLOWED_ORIGINS=f"{ALLOWED}, https://b.example",
    )
    name = f"quintet_cors_{worker_name}"
    async with serving(settings, clone_database(name)) as own:
        for origin in (ALLOWED, "https://b.example", PUBLIC):
            answer = await own.get("/api/titles", headers={"Origin": origin})
            assert answer.headers["access-control-allow-origin"] == origin
            problem = await own.get("/nothing", headers={"Origin": origin})
            assert problem.headers["access-control-allow-origin"] == origin
            assert names(problem.headers["access-control-expose-headers"]) == EXPOSED
            refused = await own.post("/api/titles", headers={"Origin": origin})
            assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, origin)
        for origin in ("http://localhost:3000", f"{ALLOWED}.evil.example", ALLOWED.upper(), f"{ALLOWED}/"):
            answer = await own.get("/api/titles", headers={"Origin": origin})
            assert "access-control-allow-origin" not in answer.headers
    drop_database(name)


async def test_preflight(world: World) -> None:
    headers = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, if-match",
    }
    for path in ("/api/titles/x", "/auth/login", "/nothing/at/all"):
        answer = await world.http.request("OPTIONS", path, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert names(answer.headers["access-control-allow-headers"]) == ALLOWED_HEADERS
        assert names(answer.headers["access-control-allow-methods"]) >= {
            "GET",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
        }
        assert answer.headers["access-control-max-age"] == "600"
        assert answer.headers["x-request-id"]
