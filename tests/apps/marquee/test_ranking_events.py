"""What a second tab hears: the state it had and the events are the state that would be read anew."""

import random
from typing import Any

from tests.apps.marquee.ranking import films, grown_keys, move, own_list, rank
from tests.sockets import connected
from tests.world import Person, World

State = dict[str, list[dict[str, Any]]]
PLACED = ("position_key", "score", "updated_at")


def state_of(items: list[dict[str, Any]]) -> State:
    """Tiers as lists; ranks are places in them."""
    return {
        tier: [
            {k: v for k, v in item.items() if k not in {"rank", "tier"}}
            for item in items
            if item["tier"] == tier
        ]
        for tier in "SABCD"
    }


def apply(state: State, event: dict[str, Any]) -> None:
    """What a front end does with an event."""
    kind = event["type"]
    if kind == "ranking_placed":
        new = {name: event[name] for name in (*PLACED, "note", "media", "created_at")}
        insert(state, event, {"id": event["ranking_id"], **new})
    elif kind == "tier_rebalanced":
        titles, lo, hi = event["titles"], event["lo"], event["hi"]
        assert len(state[event["tier"]]) == titles
        for i, (item, key) in enumerate(zip(state[event["tier"]], grown_keys(titles), strict=True), 1):
            item |= {"position_key": key, "score": hi - (hi - lo) * (i - 0.5) / titles}
    else:
        tier = event.get("from_tier") or next(t for t in state if any(known(i, event) for i in state[t]))
        item = next(one for one in state[tier] if known(one, event))
        if kind == "ranking_noted":
            item |= {"note": event["note"], "updated_at": event["updated_at"]}
            return
        state[tier].remove(item)
        if kind == "ranking_moved":
            insert(state, event, item | {name: event[name] for name in PLACED})
        else:
            assert (kind, event["tier"]) == ("ranking_removed", tier)


def known(item: dict[str, Any], event: dict[str, Any]) -> bool:
    return item["id"] == event["ranking_id"]


def insert(state: State, event: dict[str, Any], item: dict[str, Any]) -> None:
    there = state[event["tier"]]
    there.insert(event["rank"] - 1, item)
    neighbours = [None, *(one["id"] for one in there), None]
    at = event["rank"]
    assert (event["after_id"], event["before_id"]) == (neighbours[at - 1], neighbours[at + 1])


async def change_at_random(ada: Person, draw: random.Random, titles: list[str]) -> None:
    """One change that anybody could make; now and then one that changes nothing."""
    items = await own_list(ada)
    ranked = {item["media"]["id"] for item in items}
    free = [title for title in titles if title not in ranked]
    choice = draw.random()
    if not items or (free and choice < 0.35):
        await rank(
            ada, draw.choice(free), draw.choice("SSA"), **draw.choice([{}, {"rank": 1}, {"note": "n"}])
        )
    elif choice < 0.85:
        place = draw.choice([{"rank": 1}, {"rank": 2}, {"tier": draw.choice("SA"), "rank": 1}, {"tier": "D"}])
        await move(ada, draw.choice(items), **place)
    elif choice < 0.93:
        body = {"note": draw.choice([None, "x", "y"])}
        assert (await ada.patch(f"/rankings/{draw.choice(items)['id']}", json=body)).status_code == 200
    else:
        assert (await ada.delete(f"/rankings/{draw.choice(items)['id']}")).status_code == 204


async def test_old_state_and_events_are_the_fresh_state(live: World) -> None:
    ada = await live.person()
    titles = films(live, 25)
    draw = random.Random(8)
    for _ in range(30):
        await change_at_random(ada, draw, titles)
    kinds: dict[str, int] = {}
    async with connected(ada) as socket:
        answer = await ada.get("/rankings/me?limit=1000")
        state = state_of(answer.json()["items"])
        since = int(answer.headers["room-seq"].rpartition(":")[2])
        for _ in range(10):
            for _ in range(25):
                await change_at_random(ada, draw, titles)
            answer = await ada.get("/rankings/me?limit=1000")
            seq = int(answer.headers["room-seq"].rpartition(":")[2])
            for event in await socket.events_up_to(seq, f"user:{ada.id}"):
                if event["seq"] > since:
                    kinds[event["type"]] = kinds.get(event["type"], 0) + 1
                    apply(state, event)
            since = seq
            assert state == state_of(answer.json()["items"])
    print(f"250 changes, old state + events = fresh state: {kinds}")
    assert set(kinds) == {
        "ranking_placed", "ranking_moved", "ranking_noted", "ranking_removed", "tier_rebalanced",
    }  # fmt: skip


async def test_nobody_else_hears_them(live: World) -> None:
    ada, ben = await live.person("ada"), await live.person("ben")
    async with connected(ben) as socket:
        answer = await socket.ask("subscribe", room=f"user:{ada.id}")
        assert (answer["type"], answer["code"]) == ("error", "forbidden")
        await rank(ada, films(live, 1)[0])
        assert await socket.settle() == []
