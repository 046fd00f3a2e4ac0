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


def stored(world: World) -> set[str]:
    """Every file in the data folder, the nameless ones that are still open included."""
    data = world.kernel.settings.data.resolve()
    named = {str(path) for path in data.rglob("*") if path.is_file()}
    opened = {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    return named | {target for target in opened if target.startswith(f"{data}/arriving")}


class Traces:
    """What an upload could leave behind: bytes, temporary files, rows."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before = self._all()

    def _all(self) -> set[str]:
        rows = self._world.sql(
            "select 'file ' || id from kernel.files union all select 'audio ' || id from sidechain.audio"
            " union all select 'leftover ' || file_id from kernel.file_leftovers"
        )
        return stored(self._world) | {row for (row,) in rows}

    def new(self) -> set[str]:
        """What has come since; what was swept meanwhile is nobody's concern."""
        return self._all() - self._before
