"""What tests of players do and look at."""

from typing import Any

from tests.waiting import look_again
from tests.world import Person, World

PLAYERS = "/api/live-capture/players"
LENGTH = 6000  # a percent a minute


async def secret_of(person: Person) -> str:
    answer = await person.post(PLAYERS, json={})
    assert answer.status_code == 201, answer.text
    return answer.json()["secret"]


async def tell(world: World, secret: str, player: str = "generic", **payload: Any) -> dict[str, Any]:
    answer = await world.post(f"{PLAYERS}/{player}/{secret}", json=payload)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(person: Person) -> dict[str, Any]:
    return (await person.get("/api/live-capture")).json()


async def until(person: Person, pct: float) -> None:
    """Until the newest capture stands there, give or take what time moves it."""
    for _ in range(500):
        if abs(((await listed(person))["current_pct"] or 0) - pct) < 0.1:
            return
        await look_again()
    raise AssertionError(f"not at {pct}: {await listed(person)}")
