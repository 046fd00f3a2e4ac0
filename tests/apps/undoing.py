"""What tests of undo do and look at."""

from typing import Any

from tests.world import Person


async def undo(person: Person, token: str) -> dict[str, Any]:
    answer = await person.post(f"/api/undo/{token}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def redo(person: Person, token: str) -> dict[str, Any]:
    answer = await person.post(f"/api/redo/{token}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def marks(person: Person, title: str) -> list[dict[str, Any]]:
    return (await person.get(f"/api/titles/{title}/wiggs")).json()["entries"]


async def actions(person: Person, title: str) -> list[dict[str, Any]]:
    return (await person.get(f"/api/titles/{title}/actions")).json()["items"]
