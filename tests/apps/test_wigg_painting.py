"""Painting segments and strokes, through the front door."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.apps.test_wigg_editing import paint, start, told
from tests.apps.test_wigg_histories import drift
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import Person, World, code_of, mark, new_title

from quintet.apps.wigg import rebuild_curves


async def stroke(person: Person, title: str, *operations: tuple[int, float, float], **given: Any) -> Any:
    body = {
        "operations": [{"segment_index": i, "score": s, "weight": w} for i, s, w in operations],
        **given,
    }
    return await person.post(f"/api/titles/{title}/paint-batch", json=body)


async def cells(person: Person, title: str) -> list[tuple[float, float, float]]:
    items = (await person.get(f"/api/titles/{title}/segments/cells")).json()["items"]
    return [(one["start_pct"], one["end_pct"], one["score"]) for one in items]


async def segment(person: Person | World, title: str, index: int) -> tuple[Any, Any, Any]:
    told = (await person.get(f"/api/titles/{title}/progress")).json()["segments"][index]
    return told["mean_score"], told["user_score"], told["sample_size"]


async def test_a_segment_is_painted(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    path = f"/api/titles/{title}/segments/3/score?segments=20"
    answer = await ada.patch(path, json={"score": 3.5, "user_id": ada.id})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"segment_index", "new_score", "previous_score", "version", "undo_token"}
    assert (body["segment_index"], body["new_score"], body["previous_score"]) == (3, 3.5, None)
    assert await segment(ada, title, 3) == (3.5, 3.5, 1)
    progress = (await ada.get(f"/api/titles/{title}/progress")).json()
    assert body["version"] == progress["version"] == 1
    again = (await ada.patch(path, json={"score": 1})).json()
    assert (again["previous_score"], again["version"]) == (3.5, 2)
    read = await ada.get(f"/api/titles/{title}/segments/cells")
    (cell,) = read.json()["items"]
    assert (cell["version"], cell["score"]) == (2, 1.0)
    assert read.headers["room-seq"] == f"{world.kernel.epoch}:2"
    assert told(world, title, "segment_painted") == [
        {
            "type": "segment_painted",
            "user_id": ada.id,
            "title_id": title,
            "segment_index": 3,
            "new_score": score,
            "segments": 20,
            "version": version,
        }
        for score, version in ((3.5, 1), (1.0, 2))
    ]


async def test_a_paint_that_changes_nothing_is_a_new_version_all_the_same(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    versions = [(await paint(ada, title, 3, 2))["version"] for _ in range(3)]
    assert versions == [1, 2, 3]
    assert (await ada.get(f"/api/titles/{title}/progress")).json()["version"] == 3
    (cell,) = (await ada.get(f"/api/titles/{title}/segments/cells")).json()["items"]
    assert cell["version"] == 3


async def test_painting_on_another_grid_replaces_exactly_its_interval(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await paint(ada, title, 3, 4)  # 15..20
    path = f"/api/titles/{title}/segments/{{}}/score?segments=40"
    answer = await ada.patch(path.format(7), json={"score": 1})  # 17.5..20
    assert answer.json()["previous_score"] == 4.0
    assert await cells(ada, title) == [(15.0, 17.5, 4.0), (17.5, 20.0, 1.0)]
    assert await segment(ada, title, 3) == (2.5, 2.5, 1)
    # By overlap: half of what lies under a segment of 12 is unpainted and does not count.
    wide = await ada.patch(f"/api/titles/{title}/segments/1/score?segments=12", json={"score": 0})
    # 8.333333..16.666667 holds 15..16.666667, all of it 4.
    assert wide.json()["previous_score"] == 4.0
    assert await cells(ada, title) == [
        (8.333333, 16.666667, 0.0),
        (16.666667, 17.5, 4.0),
        (17.5, 20.0, 1.0),
    ]
    assert (await ada.patch(f"/api/titles/{title}/segments/3/score", json={"score": 2})).json()[
        "previous_score"
    ] == round((1666667 * 0 + 833333 * 4 + 2500000 * 1) / 5_000_000, 6)


async def test_a_painted_segment_speaks_before_marks(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await mark(ada, title, 16, rating=0)
    painted = await paint(ada, title, 3, 3)
    assert painted["previous_score"] is None  # what was painted, not what was marked
    assert await segment(world, title, 3) == (3.0, None, 1)
    assert (await ada.post(f"/api/undo/{painted['undo_token']}")).status_code == 200
    assert await segment(world, title, 3) == (0.0, None, 1)
    assert drift(world, title) == []


async def test_a_stroke_is_a_moving_average(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await paint(ada, title, 5, 1)
    answer = await stroke(ada, title, (6, 4, 0.25), (5, 3, 0.5), (5, 3, 0.5), (6, 0, 0.5), (4, 2, 1))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"cells", "version", "undo_token"}
    assert body["version"] == 2
    assert body["cells"] == [
        {"segment_index": 4, "new_score": 2.0, "previous_score": None, "version": 2},
        {"segment_index": 5, "new_score": 2.5, "previous_score": 1.0, "version": 2},
        {"segment_index": 6, "new_score": 2.0, "previous_score": None, "version": 2},
    ]
    assert await cells(ada, title) == [(20.0, 25.0, 2.0), (25.0, 30.0, 2.5), (30.0, 35.0, 2.0)]
    (event,) = told(world, title, "segments_painted")
    assert event == {
        "type": "segments_painted",
        "user_id": ada.id,
        "title_id": title,
        "segments": 20,
        "version": 2,
        "cells": [{"segment_index": c["segment_index"], "new_score": c["new_score"]} for c in body["cells"]],
    }
    undone = (await ada.post(f"/api/undo/{body['undo_token']}")).json()
    assert (undone["outcome"], undone["action_type"]) == ("restored", "paint_batch")
    assert await cells(ada, title) == [(25.0, 30.0, 1.0)]


async def test_whoever_paints_over_a_newer_cell_of_their_own_is_told(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    session = await start(ada, title)
    seen = (await paint(ada, title, 3, 2))["version"]
    await paint(ben, title, 3, 0)  # another user never conflicts
    await paint(ada, title, 9, 2)  # nor does another segment
    assert (await paint(ada, title, 3, 1, base_version=seen))["version"] == 4
    newer = await paint(ada, title, 3, 4, paint_session_id=session)
    refused = await ada.patch(
        f"/api/titles/{title}/segments/3/score", json={"score": 0, "base_version": newer["version"] - 1}
    )
    assert code_of(refused) == (409, "stale_segment")
    cell = refused.json()["cell"]
    assert cell == {
        "segment_index": 3,
        "start_pct": 15.0,
        "end_pct": 20.0,
        "score": 4.0,
        "version": newer["version"],
        "painted_at": cell["painted_at"],
        "session_id": session,
    }
    # By overlap, on another grid, too; with the version as it is, or without one, it is painted.
    wide = f"/api/titles/{title}/segments/1/score?segments=12"
    stale = {"score": 0, "base_version": newer["version"] - 1}
    assert code_of(await ada.patch(wide, json=stale)) == (409, "stale_segment")
    assert (await ada.patch(wide, json=stale | {"base_version": newer["version"]})).status_code == 200
    assert (await paint(ada, title, 3, 0))["new_score"] == 0


async def test_an_undo_is_a_change_that_makes_stale(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await paint(ada, title, 3, 2)
    second = await paint(ada, title, 3, 4)
    assert (await ada.post(f"/api/undo/{second['undo_token']}")).json()["version"] == 3
    path = f"/api/titles/{title}/segments/3/score"
    refused = await ada.patch(path, json={"score": 1, "base_version": 2})
    assert code_of(refused) == (409, "stale_segment")
    assert refused.json()["cell"]["score"] == 2.0
    assert (await ada.patch(path, json={"score": 1, "base_version": 3})).status_code == 200


async def test_a_stroke_is_all_or_nothing(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await paint(ada, title, 3, 2)
    await paint(ada, title, 4, 2)
    before = world.sql("select version, sums from wigg.curves where title_id = %s", title)
    refused = await stroke(ada, title, (2, 4, 1), (4, 1, 1), base_version=1)
    assert code_of(refused) == (409, "stale_segment")
    assert refused.json()["cell"]["segment_index"] == 4
    refused = await stroke(ada, title, (2, 4, 1), (20, 1, 1))
    assert code_of(refused) == (422, "invalid_request")
    assert refused.json()["errors"][0]["pointer"] == "/operations/1/segment_index"
    refused = await stroke(ada, title, (2, 4, 1), (3, 1, 1), session_id=str(uuid4()))
    assert code_of(refused) == (404, "not_found")
    assert await cells(ada, title) == [(15.0, 20.0, 2.0), (20.0, 25.0, 2.0)]
    assert world.sql("select version, sums from wigg.curves where title_id = %s", title) == before
    assert len((await ada.get(f"/api/titles/{title}/actions")).json()["items"]) == 2
    assert told(world, title, "segments_painted") == []


async def test_nobody_paints_for_somebody_else(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    path = f"/api/titles/{title}/segments/3/score"
    refused = await ada.patch(path, json={"score": 1, "user_id": ben.id})
    assert code_of(refused) == (403, "forbidden")
    assert await cells(ben, title) == []
    await paint(ada, title, 3, 4)
    await paint(ben, title, 3, 1)
    assert await segment(ada, title, 3) == (2.5, 4.0, 2)
    assert await cells(ada, title) == [(15.0, 20.0, 4.0)]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"{}", "/score", "missing"),
        (b'{"score": NaN}', None, None),
        (b'{"score": Infinity}', None, None),
        (b'{"score": 1e400}', "/score", "not_finite"),
        (b'{"score": 1' + b"0" * 400 + b"}", "/score", "not_finite"),
        (b'{"score": -0.000001}', "/score", "out_of_range"),
        (b'{"score": 4.000001}', "/score", "out_of_range"),
        (b'{"score": "4"}', "/score", "wrong_type"),
        (b'{"score": true}', "/score", "wrong_type"),
        (b'{"score": null}', "/score", "wrong_type"),
        (b'{"score": 1, "base_version": -1}', "/base_version", "out_of_range"),
        (b'{"score": 1, "base_version": 9223372036854775808}', "/base_version", "out_of_range"),
        (b'{"score": 1, "base_version": 1.5}', "/base_version", "wrong_type"),
        (b'{"score": 1, "paint_session_id": "x"}', "/paint_session_id", "wrong_type"),
        (b'{"score": 1, "user_id": "x"}', "/user_id", "wrong_type"),
        (b'{"score": 1, "session_id": null}', "/session_id", "unknown_field"),
    ],
)
async def test_bad_scores_are_refused(
    world: World, body: bytes, pointer: str | None, code: str | None
) -> None:
    ada = await world.person()
    title = await new_title(ada)
    headers = {"Content-Type": "application/json"}
    answer = await ada.patch(f"/api/titles/{title}/segments/0/score", content=body, headers=headers)
    if pointer is None:
        assert code_of(answer) == (400, "malformed_json")
    else:
        assert code_of(answer) == (422, "invalid_request"), answer.text
        assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert await cells(ada, title) == []


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"weight": 0}, "/operations/0/weight"),
        ({"weight": -0.0}, "/operations/0/weight"),
        ({"weight": 1.0000001}, "/operations/0/weight"),
        ({"weight": 10**400}, "/operations/0/weight"),
        ({"score": 10**400}, "/operations/0/score"),
        ({"score": -1}, "/operations/0/score"),
        ({"segment_index": -1}, "/operations/0/segment_index"),
        ({"segment_index": 20}, "/operations/0/segment_index"),
        ({"segment_index": 10**400}, "/operations/0/segment_index"),
        ({"segment_index": 1.5}, "/operations/0/segment_index"),
        ({"what": 1}, "/operations/0/what"),
    ],
)
async def test_bad_operations_are_refused(world: World, operation: dict[str, Any], pointer: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    good = {"segment_index": 1, "score": 1, "weight": 1}
    body = {"operations": [good | operation]}
    answer = await ada.post(f"/api/titles/{title}/paint-batch", json=body)
    assert code_of(answer) == (422, "invalid_request"), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    for operations in ([], [good] * 101):
        answer = await ada.post(f"/api/titles/{title}/paint-batch", json={"operations": operations})
        assert code_of(answer) == (422, "invalid_request")
    assert await cells(ada, title) == []


async def test_extreme_numbers_that_are_right_are_taken(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await stroke(ada, title, (0, 4, 5e-324), (0, 0, 5e-324), (1, 5e-324, 1), (1, -0.0, 1))
    assert [c["new_score"] for c in answer.json()["cells"]] == [4.0, 0.0]
    assert (await paint(ada, title, 2, 2.9999995))["new_score"] == 3.0
    assert (await paint(ada, title, 2, 1, base_version=2**63 - 1))["previous_score"] == 3.0


@pytest.mark.parametrize("index", ["20", "40", "-1", "9" * 30, "9" * 4400])
async def test_a_segment_that_is_not_there(world: World, index: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await ada.patch(f"/api/titles/{title}/segments/{index}/score", json={"score": 1})
    assert answer.status_code in {404, 422}, answer.text
    if answer.status_code == 422:
        assert answer.json()["errors"][0]["parameter"] == "segment_index"


@pytest.mark.parametrize("segments", ["11", "41", "x", ""])
async def test_a_grid_that_is_not_there(world: World, segments: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    for method, path, body in (
        ("PATCH", "segments/3/score", {"score": 1}),
        ("POST", "paint-batch", {"operations": [{"segment_index": 1, "score": 1, "weight": 1}]}),
    ):
        answer = await ada.call(method, f"/api/titles/{title}/{path}?segments={segments}", json=body)
        assert code_of(answer) == (422, "invalid_request")
        assert answer.json()["errors"][0]["parameter"] == "segments"


async def test_many_tabs_at_once_lose_nothing(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    answers = await asyncio.gather(
        *(paint(person, title, index % 20, index % 5) for index in range(40) for person in (ada, ben)),
        *(stroke(ada, title, (19 - k % 20, 2, 0.5), (k % 20, 2, 0.5)) for k in range(10)),
    )
    versions = [a["version"] if isinstance(a, dict) else a.json()["version"] for a in answers]
    assert sorted(versions) == list(range(1, 91))
    assert drift(world, title) == []
    rebuilt = await rebuild_curves(world.kernel.database, lambda _done, _total: None)
    assert title not in rebuilt.drifted


async def test_a_painting_on_every_grid_stays_bounded(world: World) -> None:
    """Each of the 754 segments of all grids painted in turn: never more than 490 pieces."""
    ada = await world.person()
    title = await new_title(ada)
    most = 0
    for n in range(12, 41):
        operations = [
            {"segment_index": i, "score": (i * n) % 5, "weight": 1} for i in range(n) if i * 7 % 5 == n % 5
        ]
        answer = await ada.post(
            f"/api/titles/{title}/paint-batch?segments={n}", json={"operations": operations}
        )
        assert answer.status_code == 200
        most = max(most, len(await cells(ada, title)))
    assert 60 < most <= 490
    assert drift(world, title) == []
    print(f"29 grids painted over each other: at most {most} pieces")


async def test_ten_paints_a_second_and_no_more(world: World) -> None:
    """Exactly the limit gets through, however many tabs paint at once; strokes count as one, and together."""
    name = f"{world.dsn.rpartition('/')[2].partition('?')[0]}_paint"
    dsn = clone_database(name)
    try:
        async with serving(settings_for_tests(QUINTET_LIMIT_PAINT="10/hour"), dsn) as other:
            ada, ben = await other.person("ada"), await other.person("ben")
            title = await new_title(ada)
            calls = [ada.patch(f"/api/titles/{title}/segments/3/score", json={"score": 1}) for _ in range(20)]
            calls += [stroke(ada, title, *[(k, 1, 1) for k in range(20)]) for _ in range(20)]
            answers = await asyncio.gather(*calls)
            codes = sorted(answer.status_code for answer in answers)
            assert codes == [200] * 10 + [429] * 30
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert code_of(refused) == (429, "rate_limited")
            assert int(refused.headers["retry-after"]) >= 1
            assert '"paint";q=10;w=3600' in refused.headers["ratelimit-policy"]
            assert (await paint(ben, title, 3, 1))["version"] == 11  # another user has another limit
            print(f"paint limit of 10: {codes.count(200)} of 40 at once got through, of two kinds")
    finally:
        drop_database(name)


def test_the_limit_is_ten_a_second_unless_said() -> None:
    limit = settings_for_tests(QUINTET_LIMIT_PAINT="10/second").limit("paint")
    assert (limit.count, limit.seconds, limit.burst) == (10, 1, 10)
