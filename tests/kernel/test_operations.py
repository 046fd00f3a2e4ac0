"""Health, metrics, keys."""

from tests.world import World


async def test_the_server_is_alive_and_ready(world: World) -> None:
    assert (await world.get("/health/live")).json() == {"status": "alive"}
    answer = await world.get("/health/ready")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"status": "ready"}


async def test_openapi_and_docs(world: World) -> None:
    answer = await world.get("/openapi.json")
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["schemas"]["NewWigg"]["additionalProperties"] is False
    page = await world.get("/docs")
    assert page.status_code == 200, page.text
    assert "Mark where a title gets good" in page.text
    shown = page.text.replace("HTTP", "").replace("http-equiv", "")
    assert "http" not in shown.replace("https://push.example.com", "")  # which stands in an example
