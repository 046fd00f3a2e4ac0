"""Marquee's hot reads over HTTP, against the same server answering a constant.

Two hundred people ranked ten of a thousand films each. The leaderboard of everybody is asked for by strangers
and by people who are signed in, of all time and of the week, and films by their ids. Limits, entity tags, the
log and figures are on. The limit is `GET /health/live` of the same server.
"""

from bench._load import Measured, put_load, request
from bench._ranked import rankings, settle
from bench._server import data_folder, serving
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._world import people, shuffled, titles

SECONDS = 2.0
_TITLES = [f"film-{number}" for number in range(1_000)]
_BOARD = "/social/leaderboard"


def main() -> None:
    load = present_load()
    with data_folder() as data, serving(data) as server:
        persons = people(server, 200)
        titles(server.dsn, _TITLES)
        rankings(server, persons, _TITLES, each=10, days=30)
        settle(server)
        tag = server.call("GET", _BOARD)[1]["etag"]
        asked = {
            "constant": [request("GET", "/health/live")],
            "leaderboard, anonymous": [request("GET", _BOARD)],
            "leaderboard, signed in": [request("GET", _BOARD, token=one.token) for one in persons[:20]],
            "leaderboard of the week": [request("GET", f"{_BOARD}?period=week&limit=10")],
            "leaderboard, 304": [request("GET", _BOARD, If_None_Match=tag)],
            "media by id": [request("GET", f"/media/{title}") for title in _TITLES[:100]],
        }
        last: dict[str, Measured] = {}

        def measure(name: str) -> float:
            expected = (304,) if name.endswith("304") else (200,)
            last[name] = put_load(server.address, shuffled(asked[name]), seconds=SECONDS, expected=expected)
            return last[name].per_second

        names = list(asked)
        constant, *reads = by_turns(*(lambda name=name: measure(name) for name in names))
    rows = [
        Row(
            name,
            "same server, a constant",
            rate(constant),
            rate(ours),
            paired_ratio(ours, constant),
            0.5 if name.endswith("304") else 0.45,
            detail=str(last[name]),
        )
        for name, ours in zip(names[1:], reads, strict=True)
    ]
    show("reads: Marquee's hot GETs", rows, load)


if __name__ == "__main__":
    main()
