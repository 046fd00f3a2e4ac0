"""Sending sounds in, and looking at what is left behind."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from tests.world import Person, World

UPLOAD = "/api/v1/audio/upload"


async def upload(
    person: Person, content: bytes, filename: str = "song", label: str = "text/plain", **request: Any
) -> httpx2.Response:
    return await person.post(UPLOAD, files={"file": (filename, content, label)}, **request)


async def kept(person: Person, content: bytes) -> dict[str, Any]:
    """Send it in; what was answered."""
    answer = await upload(person, content)
    assert answer.status_code == 201, answer.text
    return answer.json()


def path_of(world: World, url: str) -> str:
    """The address without its host, which tests have none of."""
    assert url.startswith(world.kernel.settings.issuer + "/")
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def stored(world: World) -> set[Path]:
    """Every file in the data folder."""
    return {path for path in world.kernel.settings.data.rglob("*") if path.is_file()}


def left_behind(world: World, person: Person) -> dict[str, Any]:
    """All that an upload could leave: bytes, temporary files, rows."""
    counts = world.sql(
        "select (select count(*) from kernel.files where owner_id = %s),"
        " (select count(*) from sidechain.audio where user_id = %s),"
        " (select count(*) from kernel.file_leftovers)",
        person.id,
        person.id,
    )
    return {"bytes": stored(world), "rows": counts}
