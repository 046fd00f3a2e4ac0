"""Health, metrics, keys."""

from tests.world import World


async def test_the_server_is_alive_and_ready(world: World) -> None:
    assert (await world.get("/health/live")).json() == {"status": "alive"}
    answer = await world.get("/health/ready")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"status": "ready"}
