"""Undo and redo, action by action."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
from tests.apps.test_wigg_editing import paint, start, told
from tests.apps.test_wigg_histories import drift
from tests.apps.test_wigg_painting import cells, stroke
from tests.apps.undoing import actions, marks, redo, undo
from tests.world import World, code_of, mark, new_title


async def test_a_placing_is_undone_and_redone(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    placed = await mark(ada, title, 37.5, rating=3, note="whispered")
    before = await marks(ada, title)
    answer = await ada.post(f"/api/undo/{placed['undo_token']}")
    assert answer.headers["cache-control"] == "no-store"
    undone = answer.json()
    assert undone == {
        "action_id": undone["action_id"],
        "action_type": "place_wigg",
        "outcome": "restored",
        "restored": [
            {"kind": "wigg", "wigg_id": placed["id"], "position_pct": None, "rating": None, "removed": True}
        ],
        "skipped": [],
        "version": 2,
        "redo_token": undone["redo_token"],
    }
    assert await marks(ada, title) == []
    redone = await redo(ada, undone["redo_token"])
    assert (redone["action_id"], redone["outcome"]) == (undone["action_id"], "restored")
    assert "redo_token" not in redone
    assert await marks(ada, title) == before  # all of it, the note and the times included
    assert (await undo(ada, redone["undo_token"]))["outcome"] == "restored"
    assert await marks(ada, title) == []
    assert drift(world, title) == []
    events = told(world, title, "wigg_placed", "wigg_removed", "action_undone", "action_redone")
    assert [e["type"] for e in events] == ["wigg_placed", "action_undone", "action_redone", "action_undone"]
    assert events[2] == {
        "type": "action_redone",
        "user_id": ada.id,
        "title_id": title,
        "action_id": undone["action_id"],
        "action_type": "place_wigg",
        "wiggs": [{"wigg_id": placed["id"], "position_pct": 37.5, "rating": 3, "removed": False}],
        "painted": [],
        "version": 3,
    }


async def test_undo_twice_redo_twice(world: World) -> None:
    """Back over two actions on one cell and forth again, as often as one likes."""
    ada = await world.person()
    title = await new_title(ada)
    first, second = await paint(ada, title, 3, 1), await paint(ada, title, 3, 4)
    undos = [second["undo_token"], first["undo_token"]]
    for _ in range(3):
        redos = []
        for token, left in zip(undos, ([(15.0, 20.0, 1.0)], []), strict=True):
            told = await undo(ada, token)
            assert told["outcome"] == "restored"
            assert await cells(ada, title) == left
            redos.append(told["redo_token"])
        undos = []
        for token, left in zip(redos[::-1], ([(15.0, 20.0, 1.0)], [(15.0, 20.0, 4.0)]), strict=True):
            told = await redo(ada, token)
            assert told["outcome"] == "restored"
            assert await cells(ada, title) == left
            undos.append(told["undo_token"])
        undos = undos[::-1]
    assert drift(world, title) == []


async def test_the_same_value_by_a_later_action_is_newer(world: World) -> None:
    """It is the last write that counts, not that the values are equal."""
    ada = await world.person()
    title = await new_title(ada)
    first = await paint(ada, title, 3, 4)
    await paint(ada, title, 3, 4)
    version = (await ada.get(f"/api/titles/{title}/progress")).json()["version"]
    told_before = told(world, title, "action_undone")
    undone = await undo(ada, first["undo_token"])
    assert (undone["outcome"], undone["redo_token"], undone["restored"]) == ("superseded", None, [])
    assert undone["skipped"] == [{"kind": "painting", "start_pct": 15.0, "end_pct": 20.0, "reason": "newer"}]
    assert undone["version"] == version
    assert await cells(ada, title) == [(15.0, 20.0, 4.0)]
    assert told(world, title, "action_undone") == told_before
    # Spent all the same.
    assert code_of(await ada.post(f"/api/undo/{first['undo_token']}")) == (410, "token_used")
    placed = await mark(ada, title, 60, rating=2)
    await ada.patch(f"/api/titles/{title}/wiggs/{placed['id']}", json={"rating": 2})
    undone = await undo(ada, placed["undo_token"])
    assert (undone["outcome"], undone["skipped"]) == (
        "superseded",
        [{"kind": "wigg", "wigg_id": placed["id"], "reason": "newer"}],
    )
    assert len(await marks(ada, title)) == 1


async def test_what_is_newer_stays_and_the_rest_is_put_back(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    await paint(ada, title, 2, 1)
    painted = (await stroke(ada, title, (2, 4, 1), (3, 4, 1), (4, 4, 1))).json()
    path = f"/api/titles/{title}/segments/7/score?segments=40"  # 17.5..20
    await ada.patch(path, json={"score": 0})
    undone = await undo(ada, painted["undo_token"])
    assert undone["outcome"] == "partly_restored"
    assert undone["restored"] == [
        {"kind": "painting", "start_pct": 10.0, "end_pct": 15.0, "score": 1.0},
        {"kind": "painting", "start_pct": 15.0, "end_pct": 17.5, "score": None},
        {"kind": "painting", "start_pct": 20.0, "end_pct": 25.0, "score": None},
    ]
    assert undone["skipped"] == [{"kind": "painting", "start_pct": 17.5, "end_pct": 20.0, "reason": "newer"}]
    assert await cells(ada, title) == [(10.0, 15.0, 1.0), (17.5, 20.0, 0.0)]
    # The redo puts back what the undo took, and no more.
    await paint(ada, title, 4, 2)
    redone = await redo(ada, undone["redo_token"])
    assert redone["outcome"] == "partly_restored"
    assert await cells(ada, title) == [
        (10.0, 17.5, 4.0),
        (17.5, 20.0, 0.0),
        (20.0, 25.0, 2.0),
    ]
    assert drift(world, title) == []


async def test_a_merge_a_change_and_a_removal_are_undone(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    placed = await mark(ada, title, 10, rating=1, note="first")
    stages = [await marks(ada, title)]
    merged = await mark(ada, title, 10.5, rating=3)
    assert merged["outcome"] == "merged"
    stages.append(await marks(ada, title))
    path = f"/api/titles/{title}/wiggs/{placed['id']}"
    changed = (await ada.patch(path, json={"note": None, "position_pct": 80})).json()
    stages.append(await marks(ada, title))
    removed = (await ada.delete(path)).json()
    tokens = [one["undo_token"] for one in (placed, merged, changed, removed)]
    redos = []
    for token, stage in zip(tokens[::-1], [*stages[::-1], []], strict=True):
        undone = await undo(ada, token)
        assert undone["outcome"] == "restored"
        assert await marks(ada, title) == stage
        redos.append(undone["redo_token"])
    for token, stage in zip(redos[::-1], [*stages, []], strict=True):
        assert (await redo(ada, token))["outcome"] == "restored"
        assert await marks(ada, title) == stage
    assert drift(world, title) == []


async def test_a_restored_mark_is_never_merged(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    placed = await mark(ada, title, 10, rating=1)
    token = (await ada.delete(f"/api/titles/{title}/wiggs/{placed['id']}")).json()["undo_token"]
    await mark(ada, title, 10.2, rating=3)
    assert (await undo(ada, token))["outcome"] == "restored"
    assert [one["pct"] for one in await marks(ada, title)] == [10.0, 10.2]


async def test_a_mark_removed_once_more_stays_removed(world: World) -> None:
    """Absence has an author, too: the older removal's token does not bring back what was removed again."""
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    placed = await mark(ada, title, 10)
    path = f"/api/titles/{title}/wiggs/{placed['id']}"
    older = (await ada.delete(f"{path}?session_id={session}")).json()["undo_token"]
    back = await ada.post(f"/api/titles/{title}/undo-session/{session}")
    assert back.json()["outcome"] == "restored"
    assert len(await marks(ada, title)) == 1
    newer = (await ada.delete(path)).json()["undo_token"]
    assert (await undo(ada, older))["outcome"] == "superseded"
    assert await marks(ada, title) == []
    assert (await undo(ada, newer))["outcome"] == "restored"
    assert len(await marks(ada, title)) == 1


async def test_a_batch_is_undone_at_once_and_each_of_it_alone(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    body = {"wiggs": [{"position_pct": p, "rating": 1} for p in (10, 10.5, 30, 50)]}
    first = (await ada.post(f"/api/titles/{title}/wiggs/batch", json=body)).json()
    undone = await undo(ada, first["undo_token"])
    assert (undone["outcome"], undone["action_type"]) == ("restored", "place_batch")
    assert await marks(ada, title) == []
    # The single tokens find nothing of theirs any more.
    assert (await undo(ada, first["items"][2]["undo_token"]))["outcome"] == "superseded"
    redone = await redo(ada, undone["redo_token"])
    assert [one["pct"] for one in await marks(ada, title)] == [10.5, 30.0, 50.0]
    # One of it alone: the merge, then the batch takes back the rest.
    assert (await undo(ada, first["items"][1]["undo_token"]))["outcome"] == "restored"
    assert [one["pct"] for one in await marks(ada, title)] == [10.0, 30.0, 50.0]
    assert (await undo(ada, redone["undo_token"]))["outcome"] == "partly_restored"
    body = {"wiggs": [{"position_pct": p} for p in (60, 70)]}
    second = (await ada.post(f"/api/titles/{title}/wiggs/batch", json=body)).json()
    assert (await undo(ada, second["items"][0]["undo_token"]))["outcome"] == "restored"
    assert (await undo(ada, second["undo_token"]))["outcome"] == "restored"
    assert [one["pct"] for one in await marks(ada, title)] == [10.0]
    assert drift(world, title) == []


async def test_a_batch_told_again_carries_its_token_again(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    path = f"/api/titles/{title}/wiggs/batch"
    body = {"wiggs": [{"position_pct": 20.0 * n, "optimistic_id": str(uuid4())} for n in range(3)]}
    first, again = [(await ada.post(path, json=body)).json() for _ in range(2)]
    assert {item["outcome"] for item in again["items"]} == {"known"}
    assert again["undo_token"] == first["undo_token"]
    alone = {"position_pct": 90, "optimistic_id": str(uuid4())}
    await ada.post(f"/api/titles/{title}/wiggs", json=alone)
    mixed = (await ada.post(path, json={"wiggs": [*body["wiggs"], alone]})).json()
    assert (await undo(ada, mixed["undo_token"]))["outcome"] == "superseded"
    assert (await undo(ada, again["undo_token"]))["outcome"] == "restored"
    assert [one["pct"] for one in await marks(ada, title)] == [90.0]


async def test_a_hundred_redemptions_at_once_are_one(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    counts: Counter[tuple[str, int]] = Counter()
    versions = set()
    for kind in ("undo", "redo"):
        if kind == "undo":
            token = (await paint(ada, title, 3, 4))["undo_token"]
        # Others of hers write meanwhile: whoever waits for whom, nobody waits for ever.
        redeeming = [ada.post(f"/api/{kind}/{token}") for _ in range(100)]
        placing = [ada.post(f"/api/titles/{title}/wiggs", json={"position_pct": 2.0 * p}) for p in range(20)]
        answers = await asyncio.gather(*redeeming, *placing)
        assert {answer.status_code for answer in answers[100:]} == {201}
        for answer in answers[:100]:
            counts[kind, answer.status_code] += 1
            if answer.status_code == 200:
                token = answer.json()["redo_token" if kind == "undo" else "undo_token"]
                versions.add(answer.json()["version"])
            else:
                assert code_of(answer) == (410, "token_used")
    assert counts == {("undo", 200): 1, ("undo", 410): 99, ("redo", 200): 1, ("redo", 410): 99}
    assert len(versions) == 2
    assert await cells(ada, title) == [(15.0, 20.0, 4.0)]
    assert drift(world, title) == []
    print(f"100 redemptions at once of one token, beside 20 placings: {dict(counts)}")


async def test_a_repeated_request_gets_the_first_answer(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    token = (await paint(ada, title, 3, 4))["undo_token"]
    headers = {"Idempotency-Key": str(uuid4())}
    first = await ada.post(f"/api/undo/{token}", headers=headers)
    again = await ada.post(f"/api/undo/{token}", headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert code_of(await ada.post(f"/api/undo/{token}")) == (410, "token_used")
    # The same action under one key carries the same token.
    path, body = f"/api/titles/{title}/segments/4/score", {"score": 1}
    tokens = {(await ada.patch(path, json=body, headers=headers)).json()["undo_token"] for _ in range(3)}
    assert len(tokens) == 1


async def test_tokens_are_ones_own_and_of_one_kind(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    token = (await paint(ada, title, 3, 4))["undo_token"]
    (listed,) = await actions(ada, title)
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (flipped, token[:-1], token + "A", token.upper(), "x", "A" * 48, str(uuid4()),
                  listed["action_id"].replace("-", ""), "%C3%A9", "a" * 4000):  # fmt: skip
        for kind in ("undo", "redo"):
            assert code_of(await ada.post(f"/api/{kind}/{wrong}")) == (404, "not_found"), wrong
    for theirs in (token, listed["action_id"]):
        for kind in ("undo", "redo"):
            assert code_of(await ben.post(f"/api/{kind}/{theirs}")) == (404, "not_found")
    assert code_of(await ada.post(f"/api/redo/{token}")) == (404, "not_found")
    undone = await undo(ada, token)
    assert code_of(await ada.post(f"/api/undo/{undone['redo_token']}")) == (404, "not_found")
    assert code_of(await ada.post(f"/api/redo/{undone['action_id']}")) == (404, "not_found")
    assert code_of(await ben.post(f"/api/redo/{undone['redo_token']}")) == (404, "not_found")
    assert (await redo(ada, undone["redo_token"]))["outcome"] == "restored"
    # Only hashes are kept.
    (row,) = world.sql("select to_jsonb(a)::text from wigg.edit_actions a where id = %s", listed["action_id"])
    assert token not in row[0]


async def test_tokens_run_out(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    past = (
        "update wigg.edit_actions set created_at = created_at - %s * interval '1 second' where title_id = %s"
    )
    token = (await paint(ada, title, 3, 4))["undo_token"]
    world.sql(past, 890, title)
    undone = await undo(ada, token)
    world.sql(past, 901, title)
    assert code_of(await ada.post(f"/api/redo/{undone['redo_token']}")) == (410, "token_expired")
    late = await paint(ada, title, 3, 1)
    assert (await actions(ada, title))[0]["undoable"]
    world.sql(past, 901, title)
    assert code_of(await ada.post(f"/api/undo/{late['undo_token']}")) == (410, "token_expired")
    assert not (await actions(ada, title))[0]["undoable"]
    assert await cells(ada, title) == [(15.0, 20.0, 1.0)]


async def test_an_action_is_undone_by_its_id_too(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    token = (await paint(ada, title, 3, 4))["undo_token"]

    async def listed() -> tuple[str, bool, bool]:
        (one,) = await actions(ada, title)
        return one["action_id"], one["undoable"], one["undone_at"] is not None

    action_id, *state = await listed()
    assert state == [True, False]
    undone = await undo(ada, action_id)
    assert (undone["action_id"], undone["outcome"]) == (action_id, "restored")
    assert await listed() == (action_id, False, True)
    for spent in (action_id, token):
        assert code_of(await ada.post(f"/api/undo/{spent}")) == (410, "token_used")
    redone = await redo(ada, undone["redo_token"])
    assert await listed() == (action_id, True, False)
    # After the redo the action stands again: by its id, not by its old token.
    assert code_of(await ada.post(f"/api/undo/{token}")) == (410, "token_used")
    assert (await undo(ada, action_id))["outcome"] == "restored"
    assert code_of(await ada.post(f"/api/undo/{redone['undo_token']}")) == (410, "token_used")
    assert await cells(ada, title) == []


@pytest.mark.parametrize("kind", ["undo", "redo"])
async def test_strangers_undo_nothing(world: World, kind: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    token = (await paint(ada, title, 3, 4))["undo_token"]
    assert code_of(await world.post(f"/api/{kind}/{token}")) == (401, "not_signed_in")
    assert await cells(ada, title) == [(15.0, 20.0, 4.0)]
