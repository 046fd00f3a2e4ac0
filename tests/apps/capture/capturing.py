"""What tests of live capture do and look at."""

from typing import Any
from uuid import uuid4

from tests.waiting import look_again
from tests.world import Person, World

LENGTH = 6000  # a percent a minute


async def start(person: Person, title: str, mode: str = "timed", **given: Any) -> dict[str, Any]:
    answer = await person.post("/api/live-capture/start", json={"title_id": title, "mode": mode, **given})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def change(person: Person, capture: dict[str, Any], verb: str, status: int = 200) -> dict[str, Any]:
    answer = await person.post(f"/api/live-capture/{capture['id']}/{verb}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def seek(person: Person, capture: dict[str, Any], pct: float) -> dict[str, Any]:
    path = f"/api/live-capture/{capture['id']}/position"
    answer = await person.put(path, json={"current_pct": pct})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def now_at(person: Person) -> float:
    return (await person.get("/api/live-capture")).json()["current_pct"]


def milestone(world: World, title: str, pct: float, label: str = "The twist") -> str:
    milestone_id = str(uuid4())
    world.sql(
        "insert into wigg.milestones (id, title_id, position, label, icon, source, created_at)"
        " values (%s, %s, %s, %s, 'twist', 'community', now())",
        milestone_id,
        title,
        round(pct * 1_000_000),
        label,
    )
    return milestone_id


def events(world: World, person: Person, kind: str) -> list[dict[str, Any]]:
    rows = world.sql("select body from kernel.room_events where room = %s order by seq", f"user:{person.id}")
    return [body for (body,) in rows if body["type"] == kind]


def reached(world: World, person: Person) -> list[str]:
    return [event["milestone_id"] for event in events(world, person, "milestone_reached")]


async def until_reached(world: World, person: Person, count: int) -> list[str]:
    for _ in range(500):
        if len(told := reached(world, person)) >= count:
            return told
        await look_again()
    raise AssertionError(f"waited in vain for {count} milestones: {reached(world, person)}")
