"""How the time to read a feed grows with the number of people followed: the same for every feed."""

from collections.abc import Mapping
from typing import Final

from bench._load import put_load, request
from bench._server import Server
from bench._table import Row, by_turns, growth_row
from bench._world import Person

SECONDS: Final = 1.0
LIMIT: Final = 2.0  # times what it takes to read the feed of who follows ten


def feed_rows(
    server: Server,
    label: str,
    path: str,
    viewers: Mapping[str, Person],
    *,
    limits: Mapping[str, float | None],
) -> list[Row]:
    """Read the feed of each viewer by turns; others are held against the first, who follows the fewest."""

    def milliseconds(name: str) -> float:
        asked = [request("GET", path, token=viewers[name].token)]
        return put_load(server.address, asked, seconds=SECONDS, connections=1).median

    names = list(viewers)
    took = dict(zip(names, by_turns(*(lambda name=name: milliseconds(name) for name in names)), strict=True))
    least = names[0]
    return [
        growth_row(
            f"{label}, {name} followed",
            f"{least} followed",
            took[name],
            took[least],
            limits.get(name, LIMIT),
        )
        for name in names[1:]
    ]
