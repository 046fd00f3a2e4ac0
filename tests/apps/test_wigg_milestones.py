"""Milestones: adding, changing, verifying and removing them, through the front door."""

import asyncio
import json
from typing import Any, get_args
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import serving, settings_for_tests
from tests.world import Person, World, code_of, new_title

from quintet.apps.wigg.milestones.model import EMOJI, MOST_MILESTONES, Icon
from quintet.apps.wigg.milestones.rules import SAME_WITHIN, Named, same_as
from quintet.kernel.live.log import events_since


async def name(person: Person, title: str, pct: float, label: str, **given: Any) -> dict[str, Any]:
    """Add a milestone; the answer's body."""
    body = {"pct": pct, "label": label, **given}
    answer = await person.post(f"/api/titles/{title}/milestones", json=body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def listed(world: World, title: str) -> list[dict[str, Any]]:
    answer = await world.get(f"/api/titles/{title}/milestones")
    assert answer.status_code == 200
    assert answer.json()["next_cursor"] is None
    return answer.json()["items"]


async def test_a_milestone_is_added_and_listed(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    body = {"pct": 51.25, "label": "  The heist \n"}
    answer = await ada.post(f"/api/titles/{title}/milestones", json=body)
    assert answer.status_code == 201
    heist = answer.json()
    assert heist == {
        "id": heist["id"],
        "pct": 51.25,
        "label": "The heist",
        "icon": "star",
        "source": "community",
        "verified": False,
        "created_by": ada.id,
        "created_at": heist["created_at"],
    }
    bank = await name(ada, title, 3, "The bank", icon="fire")
    assert await listed(world, title) == [bank, heist]


async def test_a_list_has_a_tag_and_its_place_in_the_room(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    path = f"/api/titles/{title}/milestones"
    before = await world.get(path)
    tag = before.headers["etag"]
    assert (await world.get(path, headers={"If-None-Match": tag})).status_code == 304
    seq = int(before.headers["room-seq"].partition(":")[2])
    await name(ada, title, 3, "The bank")
    after = await world.get(path, headers={"If-None-Match": tag})
    assert after.status_code == 200
    assert int(after.headers["room-seq"].partition(":")[2]) == seq + 1
    assert (await ada.get(path)).json() == after.json()


async def test_the_same_is_added_once(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title, other = await new_title(ada), await new_title(ada)
    first = await name(ada, title, 50, "Übergang")
    for pct, label in ((50.5, "ubergang"), (49.5, " ÜBERGANG ")):
        answer = await ben.post(f"/api/titles/{title}/milestones", json={"pct": pct, "label": label})
        assert (answer.status_code, answer.json()) == (200, first)
    for pct, label in ((50.500001, "Übergang"), (50, "Übergang 2")):
        assert (await name(ben, title, pct, label))["id"] != first["id"]
    assert (await name(ben, other, 50, "Übergang"))["id"] != first["id"]
    assert len(await listed(world, title)) == 3


async def test_of_many_at_once_one_adds_it(world: World) -> None:
    people = [await world.person() for _ in range(4)]
    title = await new_title(people[0])
    answers = await asyncio.gather(
        *(
            person.post(f"/api/titles/{title}/milestones", json={"pct": 50 + n / 100, "label": label})
            for n, label in enumerate(("Heist", "heist", "HEIST"))
            for person in people
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_adding_counts_as_placing(dsn: str) -> None:
    async with serving(settings_for_tests(QUINTET_LIMIT_PLACE="3/minute"), dsn) as world:
        ada = await world.person()
        title = await new_title(ada)
        await name(ada, title, 1, "a")
        await ada.post(f"/api/titles/{title}/wiggs", json={"position_pct": 1})
        await name(ada, title, 1, "b")
        answer = await ada.post(f"/api/titles/{title}/milestones", json={"pct": 1, "label": "c"})
        assert code_of(answer) == (429, "rate_limited")
        assert 'place"' in answer.headers["ratelimit-policy"]


async def test_a_title_has_a_thousand_and_no_more(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    lines = "\n".join(f"{n // 60}:{n % 60:02} number {n}" for n in range(MOST_MILESTONES - 1))
    path = f"/api/titles/{title}/milestones"
    assert (await ada.post(f"{path}/import", json={"content": lines})).json()["created"] == 999
    two = {"content": "0:00 one more\n0:01 and another"}
    assert code_of(await ada.post(f"{path}/import", json=two)) == (409, "too_many_milestones")
    assert len(await listed(world, title)) == 999
    last = await name(ada, title, 99, "last")
    refused = await ada.post(path, json={"pct": 98, "label": "too many"})
    assert code_of(refused) == (409, "too_many_milestones")
    assert (await name(ada, title, 99, "Last")) == last
    assert len(await listed(world, title)) == 1000


async def test_changing_ones_own(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    bank, heist = await name(ada, title, 3, "The bank"), await name(ada, title, 50, "The heist")
    path = f"/api/titles/{title}/milestones/{bank['id']}"
    assert code_of(await ben.patch(path, json={"label": "x"})) == (403, "forbidden")
    whole = {**bank, "label": " The street ", "verified": True, "source": "official", "created_by": ben.id}
    answer = await ada.patch(path, json=whole)
    assert (answer.status_code, answer.json()) == (200, {**bank, "label": "The street"})
    assert (await ada.patch(path, json={"pct": 4.5, "icon": "boss"})).json()["pct"] == 4.5
    assert (await ada.patch(path, json={})).json()["icon"] == "boss"
    assert await listed(world, title) == [{**bank, "label": "The street", "pct": 4.5, "icon": "boss"}, heist]
    # Into another's place and name it cannot go, but within its own it may move.
    refused = await ada.patch(path, json={"pct": 49.6, "label": "the HEIST"})
    assert code_of(refused) == (409, "milestone_exists")
    assert refused.json()["existing"] == heist
    assert (await ada.patch(path, json={"pct": 4.6})).json()["pct"] == 4.6
    assert (await ada.patch(path, json={"label": "the street"})).json()["label"] == "the street"


async def test_two_that_become_the_same_at_once(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    ids = [(await name(ada, title, 50, f"n{n}"))["id"] for n in range(4)]
    answers = await asyncio.gather(
        *(ada.patch(f"/api/titles/{title}/milestones/{id_}", json={"label": "same"}) for id_ in ids),
        ada.post(f"/api/titles/{title}/milestones", json={"pct": 50, "label": "same"}),
    )
    assert sum(milestone["label"] == "same" for milestone in await listed(world, title)) == 1
    assert sorted(answer.status_code for answer in answers[:4])[1:] == [409, 409, 409]


async def test_moderators_change_and_verify_everything(world: World) -> None:
    ada, mo = await world.person("ada"), await world.person("mo", role="moderator")
    title = await new_title(ada)
    bank = await name(ada, title, 3, "The bank")
    path = f"/api/titles/{title}/milestones/{bank['id']}"
    assert code_of(await ada.post(f"{path}/verify")) == (403, "forbidden")
    for _ in range(2):
        answer = await mo.post(f"{path}/verify")
        assert (answer.status_code, answer.json()) == (200, {**bank, "verified": True})
    ((by, at),) = world.sql("select verified_by, verified_at from wigg.milestones where id = %s", bank["id"])
    assert (str(by), at is not None) == (mo.id, True)
    # What a moderator vouched for does not vouch for other words of its author's.
    assert (await ada.patch(path, json={"icon": "fire"})).json()["verified"] is True
    assert (await mo.patch(path, json={"label": "A bank"})).json()["verified"] is True
    assert (await ada.patch(path, json={"label": "Spam"})).json()["verified"] is False
    assert world.sql("select verified_by from wigg.milestones where id = %s", bank["id"]) == [(None,)]
    assert (await mo.delete(path)).status_code == 204
    assert await listed(world, title) == []
    assert code_of(await mo.post(f"{path}/verify")) == (404, "not_found")


async def test_removing_ones_own(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title, other = await new_title(ada), await new_title(ada)
    bank = await name(ada, title, 3, "The bank")
    path = f"/api/titles/{title}/milestones/{bank['id']}"
    assert code_of(await ben.delete(path)) == (403, "forbidden")
    for wrong in (
        f"/api/titles/{other}/milestones/{bank['id']}",
        f"/api/titles/{title}/milestones/{uuid4()}",
    ):
        for method in ("PATCH", "DELETE"):
            body = {"json": {"icon": "key"}} if method == "PATCH" else {}
            assert code_of(await ada.call(method, wrong, **body)) == (404, "not_found")
    assert (await ada.delete(path)).status_code == 204
    assert code_of(await ada.delete(path)) == (404, "not_found")
    assert await listed(world, title) == []


async def test_old_state_and_events_are_the_new_state(world: World) -> None:
    ada, mo = await world.person("ada"), await world.person("mo", role="moderator")
    title = await new_title(ada)
    kept = await name(ada, title, 1, "was there")
    before = await world.get(f"/api/titles/{title}/milestones")
    state = {item["id"]: item for item in before.json()["items"]}
    since = int(before.headers["room-seq"].partition(":")[2])
    bank, heist = await name(ada, title, 3, "The bank"), await name(ada, title, 50, "The heist")
    await name(ada, title, 50, "the heist")
    path = f"/api/titles/{title}/milestones"
    await ada.patch(f"{path}/{heist['id']}", json={"pct": 52.00000051, "icon": "bomb"})
    await ada.patch(f"{path}/{heist['id']}", json={"icon": "bomb"})
    await mo.post(f"{path}/{bank['id']}/verify")
    await mo.post(f"{path}/{bank['id']}/verify")
    await ada.delete(f"{path}/{kept['id']}")
    await mo.post(f"{path}/import", json={"content": "1:00 a\n2:00 b\n2:01 B", "source": "official"})
    async with world.kernel.database.reading() as tx:
        events = [json.loads(event.body) for event in await events_since(tx, f"title:{title}", since, 100)]
    assert [event["type"] for event in events] == [
        *["milestone_added"] * 2, "milestone_changed", "milestone_changed", "milestone_removed",
        *["milestone_added"] * 2,
    ]  # fmt: skip
    for event in events:
        milestone: Any = event["milestone"]
        assert (event["title_id"], set(milestone)) == (title, set(bank))
        if event["type"] == "milestone_removed":
            assert state.pop(milestone["id"]) == milestone
        else:
            state[milestone["id"]] = milestone
    assert sorted(state.values(), key=lambda one: one["pct"]) == await listed(world, title)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"pct": 1}, "/label", "missing"),
        ({"label": "x"}, "/pct", "missing"),
        ({"pct": 100.1, "label": "x"}, "/pct", "out_of_range"),
        ({"pct": 1, "label": ""}, "/label", "out_of_range"),
        ({"pct": 1, "label": " \n "}, "/label", "out_of_range"),
        ({"pct": 1, "label": "x" * 121}, "/label", "out_of_range"),
        ({"pct": 1, "label": "x" * 1001}, "/label", "too_long"),
        ({"pct": 1, "label": "x\0"}, "/label", "invalid_text"),
        ({"pct": 1, "label": "x", "icon": "nothing"}, "/icon", "out_of_range"),
        ({"pct": 1, "label": "x", "icon": None}, "/icon", "wrong_type"),
        ({"pct": 1, "label": "x", "source": "official"}, "/source", "unknown_field"),
    ],
)
async def test_bad_milestones_are_refused(
    world: World, body: dict[str, Any], pointer: str, code: str
) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await ada.post(f"/api/titles/{title}/milestones", json=body)
    assert code_of(answer) == (422, "invalid_request")
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    assert await listed(world, title) == []


async def test_the_longest_label_and_no_such_title(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    assert (await name(ada, title, 1, f" {'ö' * 120} "))["label"] == "ö" * 120
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/import"), ("DELETE", f"/{uuid4()}")):
        body = {"json": {"pct": 1, "label": "x"} if not path else {"content": "0:00 x"}}
        answer = await ada.call(
            method, f"/api/titles/none{(path and '/milestones' + path) or '/milestones'}",
            **(body if method == "POST" else {}),
        )  # fmt: skip
        assert code_of(answer) == (404, "not_found")


async def test_icons_are_listed_with_their_emoji(world: World) -> None:
    items = (await world.get("/api/milestone-icons")).json()["items"]
    assert {item["name"]: item["emoji"] for item in items} == EMOJI
    assert (set(EMOJI), EMOJI["star"], EMOJI["heart"], EMOJI["zzz"]) == (set(get_args(Icon)), "⭐", "❤️", "💤")


async def test_one_key_adds_one(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    headers = {"Idempotency-Key": "k1"}
    body = {"pct": 1, "label": "x"}
    first, again = [
        await ada.post(f"/api/titles/{title}/milestones", json=body, headers=headers) for _ in range(2)
    ]
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert again.headers["idempotent-replayed"] == "true"


NAMES = st.lists(
    st.builds(Named, st.integers(0, 30).map(lambda n: n * SAME_WITHIN // 3), st.sampled_from("ab")),
    max_size=12,
)


@given(NAMES, NAMES)
def test_the_same_as_the_slow_way_says(known: list[Named], wanted: list[Named]) -> None:
    """Against a twin that looks at every pair."""
    everything = list(known)
    expected: list[int] = []
    for one in wanted:
        distances = [
            (abs(other.position - one.position), index)
            for index, other in enumerate(everything)
            if other.folded_label == one.folded_label
        ]
        if distances and min(distances)[0] <= SAME_WITHIN:
            expected.append(min(distances)[1])
        else:
            expected.append(len(everything))
            everything.append(one)
    assert same_as(known, wanted) == expected
    assert same_as(everything, wanted) == [min(
        (abs(other.position - one.position), index)
        for index, other in enumerate(everything) if other.folded_label == one.folded_label
    )[1] for one in wanted]  # importing again adds nothing  # fmt: skip
