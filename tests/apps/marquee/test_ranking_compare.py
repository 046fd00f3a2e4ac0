"""Finding a place by comparing: never more questions than halving needs, and always the right place."""

from itertools import pairwise
from math import ceil, log2
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.marquee.ranking import films, rank, titles_in
from tests.world import Person, World, code_of

from quintet.apps.marquee.rankings.comparing import at_most, most_questions, search
from quintet.apps.marquee.rankings.model import AnswersContradict


def test_every_place_in_every_tier_is_found() -> None:
    """Every n up to 200, every place: the right one, in at most ⌈log2(n + 1)⌉ questions."""
    places = questions = 0
    for titles in range(201):
        assert most_questions(titles) == ceil(log2(titles + 1))
        for place in range(titles + 1):  # so many titles are better than the new one
            answers: list[tuple[int | None, bool]] = []
            while not (found := search(titles, answers)).is_done:
                assert at_most(titles, len(answers), found) == most_questions(titles)
                answers.append((found.question, place <= found.question))
            assert found.lowest == place
            assert len(answers) <= most_questions(titles)
            places, questions = places + 1, questions + len(answers)
    print(f"{places} places found with {questions} questions, each within the bound")


@given(st.integers(0, 50), st.lists(st.tuples(st.none() | st.integers(0, 49), st.booleans()), max_size=12))
def test_answers_mean_what_they_say(titles: int, answers: list[tuple[int | None, bool]]) -> None:
    """Against a slow twin that tries every place."""
    answers = [(p, better) for p, better in answers if p is None or p < titles]
    fitting = [
        place
        for place in range(titles + 1)
        if all(p is None or (place <= p) == better for p, better in answers)
    ]
    if not fitting:
        with pytest.raises(AnswersContradict):
            search(titles, answers)
    else:
        found = search(titles, answers)
        assert (found.lowest, found.highest) == (fitting[0], fitting[-1])
        assert all(b == a + 1 for a, b in pairwise(fitting))


async def ask(person: Person, film: str, answers: list[dict[str, Any]], tier: str = "A") -> dict[str, Any]:
    body = {"media_id": film, "tier": tier, "answers": answers}
    answer = await person.post("/rankings/compare", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def find(person: Person, film: str, better_than: set[str]) -> dict[str, Any]:
    """Answer until the place is found."""
    answers: list[dict[str, Any]] = []
    while not (told := await ask(person, film, answers))["done"]:
        assert told["asked"] == len(answers) < told["at_most"]
        other = told["compare_with"]
        answers.append({"ranking_id": other["id"], "better": other["media"]["id"] in better_than})
    return told


async def test_a_place_is_found_and_taken(world: World) -> None:
    ada = await world.person()
    order = films(world, 9)
    new = films(world, 1)[0]
    assert await ask(ada, new, []) == {"done": True, "rank": 1, "before_id": None}  # nothing to compare with
    rankings = [await rank(ada, film) for film in order]
    first = await ask(ada, new, [])
    assert first == {"done": False, "compare_with": rankings[4], "asked": 0, "at_most": 4}
    assert await find(ada, new, set()) == {"done": True, "rank": 10, "before_id": None}
    assert await find(ada, new, set(order)) == {"done": True, "rank": 1, "before_id": rankings[0]["id"]}
    told = await find(ada, new, set(order[6:]))
    assert told == {"done": True, "rank": 7, "before_id": rankings[6]["id"]}
    placed = await rank(ada, new, before_id=told["before_id"])
    assert placed["rank"] == told["rank"]
    # Once it is there, it is not compared with itself.
    told = await find(ada, new, set(order[2:]))
    assert told == {"done": True, "rank": 3, "before_id": rankings[2]["id"]}
    answer = await ada.patch(f"/rankings/{placed['id']}/move", json={"before_id": told["before_id"]})
    assert answer.json()["rank"] == 3
    assert await titles_in(ada, "A") == [*order[:2], new, *order[2:]]


async def test_what_went_meanwhile_is_passed_over(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    rankings = [await rank(ada, film) for film in films(world, 4)]
    bens = await rank(ben, films(world, 1)[0])
    new = films(world, 1)[0]
    answers = [{"ranking_id": rankings[2]["id"], "better": True}]
    await ada.delete(f"/rankings/{rankings[2]['id']}")
    await ada.patch(f"/rankings/{rankings[0]['id']}/move", json={"tier": "S"})
    answers += [{"ranking_id": rankings[0]["id"], "better": False}]
    answers += [{"ranking_id": id_, "better": True} for id_ in (bens["id"], str(uuid4()))]
    told = await ask(ada, new, answers)
    assert (told["done"], told["asked"], told["at_most"]) == (False, 4, 6)
    assert told["compare_with"]["id"] == rankings[3]["id"]


async def test_what_is_refused(world: World) -> None:
    ada = await world.person()
    top, bottom = [await rank(ada, film) for film in films(world, 2)]
    (new,) = films(world, 1)
    (book,) = films(world, 1, kind="book")
    for answers in (
        [(top, True), (bottom, False)],  # better than the first, worse than the second
        [(top, True), (top, False)],
    ):
        body = {
            "media_id": new,
            "tier": "A",
            "answers": [{"ranking_id": one["id"], "better": better} for one, better in answers],
        }
        assert code_of(await ada.post("/rankings/compare", json=body)) == (422, "answers_contradict")
    for media_id in (book, "nothing", "."):
        body = {"media_id": media_id, "tier": "A"}
        assert code_of(await ada.post("/rankings/compare", json=body)) == (404, "not_found")
    for wrong in (
        {},
        {"media_id": new},
        {"media_id": new, "tier": "X"},
        {"media_id": new, "tier": "A", "answers": [{"ranking_id": top["id"]}]},
        {"media_id": new, "tier": "A", "answers": [{"ranking_id": top["id"], "better": 1}]},
        {"media_id": new, "tier": "A", "answers": [{"ranking_id": top["id"], "better": True}] * 101},
    ):
        assert code_of(await ada.post("/rankings/compare", json=wrong)) == (422, "invalid_request")
