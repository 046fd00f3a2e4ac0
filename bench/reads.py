"""Hot reads from memory over HTTP, against the same server answering a constant.

Ten titles with a hundred marks each are asked for again and again: the curve (`progress`) by strangers and by
twenty people who are signed in, the time to good (`t2g`), and the title as a medium. Everything is on:
limits, entity tags, the log, figures. The limit is `GET /health/live` of the same server, a constant without
limits or a token. For information also an application of three lines on the same uvicorn and the same
protocol class.
"""

from bench._load import Measured, put_load, request
from bench._server import data_folder, serving, serving_bare
from bench._table import Row, by_turns, paired_ratio, present_load, rate, show
from bench._world import marks, people, settle, shuffled, titles

SECONDS = 2.0
TITLES = [f"hot-{number}" for number in range(10)]


def main() -> None:
    load = present_load()
    with (
        data_folder() as data,
        serving(data) as server,
        serving_bare("bench._bare", path="/", log=data.parent / "bare.log") as bare,
    ):
        persons = people(server, 20)
        titles(server.dsn, TITLES)
        marks(server.dsn, TITLES, persons)
        settle(server, TITLES)
        curve = [f"/api/titles/{title}/progress" for title in TITLES]
        told = [f"/api/titles/{title}/t2g" for title in TITLES]
        asked = {
            "constant": [request("GET", "/health/live")],
            "progress, anonymous": [request("GET", path) for path in curve],
            "progress, signed in": [
                request("GET", path, token=person.token) for path in curve for person in persons
            ],
            "t2g, anonymous": [request("GET", path) for path in told],
            "media by id, anonymous": [request("GET", f"/media/{title}") for title in TITLES],
            "progress, 304": [
                request("GET", path, If_None_Match=server.call("GET", path)[1]["etag"]) for path in curve
            ],
        }
        last: dict[str, Measured] = {}

        def measure(name: str) -> float:
            expected = (304,) if name.endswith("304") else (200,)
            last[name] = put_load(server.address, shuffled(asked[name]), seconds=SECONDS, expected=expected)
            return last[name].per_second

        def measure_bare() -> float:
            return put_load(bare, asked["constant"], seconds=SECONDS).per_second

        names = list(asked)
        least, constant, *reads = by_turns(measure_bare, *(lambda name=name: measure(name) for name in names))
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
    rows.append(
        Row(
            "constant",
            "bare ASGI, same uvicorn",
            rate(least),
            rate(constant),
            paired_ratio(constant, least),
            None,
            detail=str(last["constant"]),
        )
    )
    show("reads: hot GETs served from memory", rows, load)


if __name__ == "__main__":
    main()
