"""Placing, merging, changing and removing marks, through the front door."""

import asyncio
from uuid import uuid4

import pytest
from tests.world import World, code_of, mark, new_title


async def test_a_mark_is_placed_and_read_back(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await ada.post(
        f"/api/titles/{title}/wiggs", json={"position_pct": 37.5, "note": "the <heist>", "rating": 2}
    )
    assert answer.status_code == 201
    placed = answer.json()
    assert (placed["position_pct"], placed["note"], placed["rating"]) == (37.5, "the <heist>", 2)
    assert (placed["outcome"], placed["merged"]) == ("created", False)
    assert len(placed["undo_token"]) == 48  # the action's id and 160 bits
    own = (await ada.get(f"/api/titles/{title}/wiggs")).json()
    assert own["next_cursor"] is None
    assert own["entries"] == [
        {
            "id": placed["id"],
            "pct": 37.5,
            "position_pct": 37.5,
            "note": "the <heist>",
            "rating": 2,
            "created_at": placed["created_at"],
            "updated_at": placed["created_at"],
        }
    ]


async def test_marks_are_private(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    placed = await mark(ada, title, 10, note="secret")
    assert (await ben.get(f"/api/titles/{title}/wiggs")).json()["entries"] == []
    assert code_of(await ben.delete(f"/api/titles/{title}/wiggs/{placed['id']}")) == (404, "not_found")
    path = f"/api/titles/{title}/wiggs/{placed['id']}"
    assert code_of(await ben.patch(path, json={"rating": 1})) == (404, "not_found")


async def test_a_near_mark_is_merged_into_the_nearest(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    first = await mark(ada, title, 10, note="old", rating=1)
    second = await mark(ada, title, 11, rating=0)
    merged = await mark(ada, title, 10.8, rating=3)
    assert (merged["id"], merged["outcome"], merged["merged"]) == (second["id"], "merged", True)
    assert (merged["position_pct"], merged["rating"]) == (10.8, 3)
    # 10.8 is now 0.8 from the first: merging goes no further.
    entries = (await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"]
    assert [(e["id"], e["pct"]) for e in entries] == [(first["id"], 10.0), (second["id"], 10.8)]


async def test_a_merge_keeps_what_the_newer_does_not_give(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await mark(ada, title, 50, note="keep me", rating=3)
    merged = await mark(ada, title, 50.5)
    assert (merged["note"], merged["rating"], merged["position_pct"]) == ("keep me", 3, 50.5)


async def test_at_a_tie_the_older_takes_the_mark(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await mark(ada, title, 21.5)
    older = await mark(ada, title, 20)
    # The younger stands lower on the title, so order along it does not decide.
    younger = await mark(ada, title, 18.5)
    assert (await mark(ada, title, 19.25, rating=1))["id"] == older["id"]
    assert younger["id"] != older["id"]


async def test_exactly_one_percent_away_is_another_mark(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await mark(ada, title, 30)
    assert (await mark(ada, title, 31))["outcome"] == "created"
    assert (await mark(ada, title, 31.999999))["outcome"] == "merged"


async def test_an_older_mark_that_comes_late_does_not_win(world: World) -> None:
    """An offline client replays yesterday's mark; today's stays, and only gains what it lacks."""
    ada = await world.person()
    title = await new_title(ada)
    today = await mark(ada, title, 40, rating=3)
    late = await mark(ada, title, 40.4, rating=0, note="from the train", created_at="2026-01-01T08:00:00Z")
    assert (late["id"], late["rating"], late["position_pct"]) == (today["id"], 3, 40.0)
    assert late["note"] == "from the train"


async def test_an_optimistic_id_is_one_mark(world: World) -> None:
    ada = await world.person()
    title, other = await new_title(ada), await new_title(ada)
    body = {"position_pct": 12.5, "optimistic_id": str(uuid4()), "note": "n"}
    answers = await asyncio.gather(*(ada.post(f"/api/titles/{title}/wiggs", json=body) for _ in range(8)))
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    told = {a.json()["id"]: a.json() for a in answers}
    assert len(told) == 1
    assert sorted(a.json()["outcome"] for a in answers) == ["created"] + ["known"] * 7
    assert len({a.json()["undo_token"] for a in answers}) == 1
    assert len({a.json()["created_at"] for a in answers}) == 1
    # Even after deletion, no second mark; with another body or title it is refused.
    (wigg_id,) = told
    assert (await ada.delete(f"/api/titles/{title}/wiggs/{wigg_id}")).status_code == 200
    again = await ada.post(f"/api/titles/{title}/wiggs", json=body)
    assert (again.status_code, again.json()["outcome"], again.json()["id"]) == (200, "known", wigg_id)
    assert (await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"] == []
    changed = await ada.post(f"/api/titles/{title}/wiggs", json=body | {"note": "m"})
    assert code_of(changed) == (422, "optimistic_id_reused")
    assert code_of(await ada.post(f"/api/titles/{other}/wiggs", json=body)) == (422, "optimistic_id_reused")


async def test_an_optimistic_id_in_parallel_on_two_titles(world: World) -> None:
    ada = await world.person()
    titles = [await new_title(ada) for _ in range(4)]
    body = {"position_pct": 12.5, "optimistic_id": str(uuid4())}
    answers = await asyncio.gather(*(ada.post(f"/api/titles/{t}/wiggs", json=body) for t in titles))
    assert sorted(a.status_code for a in answers) == [201, 422, 422, 422]


async def test_a_batch_is_all_or_nothing_and_in_order(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    twice = str(uuid4())
    wiggs = [
        {"position_pct": 10, "rating": 1},
        {"position_pct": 10.5, "rating": 3},
        {"position_pct": 70, "optimistic_id": twice},
        {"position_pct": 70, "optimistic_id": twice},
    ]
    answer = await ada.post(f"/api/titles/{title}/wiggs/batch", json={"wiggs": wiggs})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [i["outcome"] for i in items] == ["created", "merged", "created", "known"]
    assert items[1]["id"] == items[0]["id"]
    assert answer.json()["undo_token"] not in {i["undo_token"] for i in items}
    # One bad mark refuses all.
    bad = [{"position_pct": 20}, {"position_pct": 30, "created_at": "2999-01-01T00:00:00Z"}]
    refused = await ada.post(f"/api/titles/{title}/wiggs/batch", json={"wiggs": bad})
    assert code_of(refused) == (422, "invalid_request")
    assert refused.json()["errors"][0]["pointer"] == "/wiggs/1/created_at"
    assert len((await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"]) == 2


async def test_a_batch_counts_once_against_the_limit(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    wiggs = [{"position_pct": float(p)} for p in range(100)]
    answer = await ada.post(f"/api/titles/{title}/wiggs/batch", json={"wiggs": wiggs})
    remaining = int(answer.headers["x-ratelimit-remaining"])
    again = await ada.post(f"/api/titles/{title}/wiggs/batch", json={"wiggs": wiggs})
    assert remaining - int(again.headers["x-ratelimit-remaining"]) <= 2


async def test_changing_a_mark(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    first = await mark(ada, title, 10, note="a", rating=1)
    second = await mark(ada, title, 20)
    path = f"/api/titles/{title}/wiggs/{first['id']}"
    changed = await ada.patch(path, json={"rating": None, "id": first["id"], "created_at": "x"})
    assert code_of(changed) == (422, "invalid_request")
    changed = await ada.patch(path, json={"rating": None})
    assert changed.status_code == 200
    assert (changed.json()["rating"], changed.json()["note"]) == (None, "a")
    assert changed.json()["undo_token"]
    refused = await ada.patch(path, json={"position_pct": 20.5})
    assert code_of(refused) == (409, "too_close")
    assert refused.json()["wigg_id"] == second["id"]
    assert (await ada.patch(path, json={"position_pct": 21})).json()["pct"] == 21.0


async def test_removing_a_mark(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    placed = await mark(ada, title, 10)
    path = f"/api/titles/{title}/wiggs/{placed['id']}"
    answer = await ada.delete(path)
    assert (answer.status_code, set(answer.json())) == (200, {"undo_token"})
    assert code_of(await ada.delete(path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/position_pct", "missing"),
        ({"position_pct": "10"}, "/position_pct", "wrong_type"),
        ({"position_pct": 100.001}, "/position_pct", "out_of_range"),
        ({"position_pct": -1}, "/position_pct", "out_of_range"),
        ({"position_pct": 1, "rating": 4}, "/rating", "out_of_range"),
        ({"position_pct": 1, "rating": 1.5}, "/rating", "wrong_type"),
        ({"position_pct": 1, "note": "x" * 2001}, "/note", "too_long"),
        ({"position_pct": 1, "note": "a\0b"}, "/note", "invalid_text"),
        ({"position_pct": 1, "nota": "typo"}, "/nota", "unknown_field"),
        ({"position_pct": 1, "created_at": "2026-01-01T00:00:00"}, "/created_at", "wrong_type"),
        ({"position_pct": 1, "created_at": "0001-01-01T00:00:00+14:00"}, "/created_at", "out_of_range"),
        ({"position_pct": 1, "created_at": "2199-01-01T00:00:00Z"}, "/created_at", "out_of_range"),
        ({"position_pct": 1, "optimistic_id": "nope"}, "/optimistic_id", "wrong_type"),
    ],
)
async def test_bad_marks_are_refused(
    world: World, body: dict[str, object], pointer: str | None, code: str
) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await ada.post(f"/api/titles/{title}/wiggs", json=body)
    assert code_of(answer) == (422, "invalid_request"), answer.text
    (entry,) = answer.json()["errors"]
    assert entry["code"] == code
    if pointer is not None:
        assert entry["pointer"] == pointer


async def test_a_lone_surrogate_is_refused(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    body = rb'{"position_pct": 1, "note": "\ud800"}'
    headers = {"Content-Type": "application/json"}
    answer = await ada.post(f"/api/titles/{title}/wiggs", content=body, headers=headers)
    assert code_of(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["code"] == "invalid_text"


async def test_bad_batches_are_refused(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    path = f"/api/titles/{title}/wiggs/batch"
    for wiggs in ([], [{"position_pct": 1}] * 101):
        answer = await ada.post(path, json={"wiggs": wiggs})
        assert answer.json()["errors"][0]["code"] in {"out_of_range", "too_long"}
        assert answer.status_code == 422


async def test_a_session_that_is_not_ones_own_is_not_found(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    body = {"position_pct": 1, "session_id": str(uuid4())}
    assert code_of(await ada.post(f"/api/titles/{title}/wiggs", json=body)) == (404, "not_found")


async def test_no_such_title(world: World) -> None:
    ada = await world.person()
    for title in ("nothing", "%2E%2E", "a" * 129, "bad id"):
        for answer in (
            await ada.post(f"/api/titles/{title}/wiggs", json={"position_pct": 1}),
            await ada.get(f"/api/titles/{title}/wiggs"),
            await ada.get(f"/api/titles/{title}/progress"),
        ):
            assert answer.status_code == 404, (title, answer.text)


async def test_two_tabs_at_once_lose_nothing(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answers = await asyncio.gather(
        *(ada.post(f"/api/titles/{title}/wiggs", json={"position_pct": p * 2.0}) for p in range(30))
    )
    assert {a.status_code for a in answers} == {201}
    assert len((await ada.get(f"/api/titles/{title}/wiggs")).json()["entries"]) == 30
