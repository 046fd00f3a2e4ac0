"""Storms fold into one: exact counts whatever is done, undone, read and repeated, also all at once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.conftest import serving, settings_for_tests
from tests.domains.notifying import PATH, do, listed, read, remove, undo
from tests.world import Person, World

from quintet.domains.notifications.model import NewestActor, UserId
from quintet.domains.notifications.rules import named

PEOPLE = 4


@dataclass
class Told:
    """One notification of the model: who did it, oldest deed first."""

    object_id: str
    actors: list[int]
    is_read: bool = False


@dataclass
class Model:
    """A slow, obvious list, top first."""

    items: list[Told] = field(default_factory=list)

    def do(self, actor: int, object_id: str) -> None:
        item = next((one for one in self.items if one.object_id == object_id and not one.is_read), None)
        if item is None:
            item = Told(object_id, [])
        else:
            self.items.remove(item)
        if actor in item.actors:
            item.actors.remove(actor)
        item.actors.append(actor)
        self.items.insert(0, item)

    def undo(self, actor: int, object_id: str) -> None:
        for item in self.items:
            if item.object_id == object_id and actor in item.actors:
                item.actors.remove(actor)
        self.items = [item for item in self.items if item.actors]

    def read(self, place: int) -> None:
        if place < len(self.items):
            self.items[place].is_read = True

    def read_all(self) -> None:
        for item in self.items:
            item.is_read = True

    def remove(self, object_id: str) -> None:
        self.items = [item for item in self.items if item.object_id != object_id]


actors = st.integers(0, PEOPLE - 1)
objects = st.sampled_from("ab")
steps = st.one_of(
    st.tuples(st.just("do"), actors, objects),
    st.tuples(st.just("do"), actors, objects),
    st.tuples(st.just("undo"), actors, objects),
    st.tuples(st.just("read"), st.integers(0, 3)),
    st.tuples(st.just("read_all")),
    st.tuples(st.just("remove"), objects),
)


@pytest.fixture(scope="module")
async def people(world: World) -> list[Person]:
    return [await world.person("fan") for _ in range(PEOPLE)]


@settings(max_examples=25)
@given(story=st.lists(steps, max_size=14))
async def test_the_list_equals_a_plain_one(
    world: World, people: list[Person], story: list[tuple[Any, ...]]
) -> None:
    ada, prefix, model = await world.person("ada"), uuid4(), Model()
    for verb, *given_ in story:
        getattr(model, verb)(*given_)
        match verb, *given_:
            case "do", actor, object_id:
                await do(people[actor], ada, object_id=f"{prefix}{object_id}")
            case "undo", actor, object_id:
                await undo(people[actor], ada, object_id=f"{prefix}{object_id}")
            case "read", place:
                if place < len(items := await listed(ada)):
                    await read(ada, items[place])
            case ("read_all",):
                await ada.put(f"{PATH}/read-all")
            case _, object_id:
                await remove(world, f"{prefix}{object_id}")
    assert [
        (item["object_id"], item["actor_count"], item["read"], [one["id"] for one in item["actors"]])
        for item in await listed(ada)
    ] == [
        (
            f"{prefix}{item.object_id}",
            len(item.actors),
            item.is_read,
            [people[actor].id for actor in reversed(item.actors)][:3],
        )
        for item in model.items
    ]


@given(count=st.integers(1, 10_000))
def test_who_did_it_reads_well(count: int) -> None:
    names = ("Ada", "Ben", "Cleo")
    newest = [NewestActor(UserId(uuid4()), name.lower(), name, {}) for name in names][:count]
    text = named(newest, count)
    assert text == {1: "Ada", 2: "Ada and Ben", 3: "Ada and 2 others"}.get(
        count, f"Ada and {count - 1} others"
    )


@pytest.fixture(scope="module")
async def two_nodes(dsn: str) -> AsyncGenerator[tuple[World, World]]:
    async with serving(settings_for_tests(), dsn) as one, serving(settings_for_tests(), dsn) as two:
        yield one, two


def on(world: World, person: Person) -> Person:
    """The same person, calling that node."""
    return replace(person, world=world)


async def test_a_hundred_likes_at_once_on_two_nodes(two_nodes: tuple[World, World]) -> None:
    one, _ = two_nodes
    ada, *fans = [await one.person() for _ in range(26)]
    # Each of 25 likes four times, as from two tabs with retries: 25 people, however often.
    likes = [do(on(world, fan), ada, object_id="p") for fan in fans for world in two_nodes for _ in range(2)]
    await asyncio.gather(*likes)
    [item] = await listed(ada)
    assert item["actor_count"] == 25
    assert item["text"].endswith(" and 24 others liked your post")
    # Half of them take it back while others like and Ada reads.
    leaving, coming = fans[:12], [await one.person() for _ in range(8)]
    await asyncio.gather(
        *(undo(on(two_nodes[n % 2], fan), ada, object_id="p") for n, fan in enumerate(leaving)),
        *(do(on(two_nodes[n % 2], fan), ada, object_id="p") for n, fan in enumerate(coming)),
        *(ada.put(f"{PATH}/{verb}") for verb in ("read-all", f"{item['id']}/read")),
    )
    items = await listed(ada)
    ids = one.sql(
        "select a.actor_id from notifications.actors a join notifications.notifications n"
        " on n.id = a.notification_id where n.user_id = %s",
        ada.id,
    )
    assert sorted(str(id_) for (id_,) in ids) == sorted(fan.id for fan in [*fans[12:], *coming])
    assert sum(item["actor_count"] for item in items) == 13 + 8
    assert sum(not item["read"] for item in items) <= 1
    print(
        f"{len(likes)} likes by 25 people at once, 12 taken back, 8 more: {len(items)} notifications, exact"
    )


async def test_reading_all_amid_a_storm_says_what_the_database_says(two_nodes: tuple[World, World]) -> None:
    """A client that plays the events of its room ends where the list is."""
    one, two = two_nodes
    ada, ben, *fans = [await one.person() for _ in range(10)]
    for round_ in range(5):
        await asyncio.gather(
            *(do(on(two_nodes[n % 2], fan), ada, object_id=f"{round_}{n % 3}") for n, fan in enumerate(fans)),
            ada.put(f"{PATH}/read-all"),
            undo(on(two, fans[0]), ada, object_id=f"{round_}0"),
            on(two, ada).put(f"{PATH}/read-all"),
            do(ben, ada, object_id=f"{round_}1"),
        )
    shown: dict[str, dict[str, Any]] = {}
    for (event,) in one.sql(
        "select body from kernel.room_events where room = %s order by seq", f"user:{ada.id}"
    ):
        play(shown, event)
    fresh = {item["id"]: item for item in await listed(ada)}
    assert shown == fresh


def play(shown: dict[str, dict[str, Any]], event: dict[str, Any]) -> None:
    """What a client does with an event."""
    match event["type"]:
        case "notification" | "notification_changed":
            shown[event["id"]] = event["payload"]
        case "notification_withdrawn":
            del shown[event["id"]]
        case "notification_read":
            for id_, item in shown.items():
                if event["all"] or id_ in event["notification_ids"]:
                    shown[id_] = {**item, "read": True, "read_at": item["read_at"] or event["read_at"]}
