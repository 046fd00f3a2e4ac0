"""What players speak of: found by name, or waiting for its title."""

import asyncio
from uuid import uuid4

import pytest
from tests.apps.capture.playing import LENGTH, PLAYERS, listed, secret_of, tell
from tests.travel import Traveller
from tests.world import World, code_of, new_title


async def test_a_title_is_found_by_name_and_year(world: World, ada: Traveller) -> None:
    secret = await secret_of(ada)
    name = f"Amélie {uuid4().hex[:6]}"
    old = await new_title(ada, title=name, year=1950)
    new = await new_title(ada, title=name.upper().replace("É", "E"), year=2001)
    await new_title(ada, title=f"{name} again", year=2001)
    await new_title(ada, title=name, year=2001, kind="book")
    await tell(world, secret, event="play", title=name.lower(), year=2001, kind="film")
    assert (await listed(ada))["items"][0]["title_id"] == new
    await tell(world, secret, event="play", title=name, year=1950)
    assert (await listed(ada))["items"][0]["title_id"] == old
    unsure = await tell(world, secret, event="play", title=name, kind="film")
    assert unsure["outcome"] == "unmatched", "two films have that name"
    assert (await tell(world, secret, event="play", title=name, year=1999))["outcome"] == "unmatched"


async def test_an_episode_is_found_by_series_and_numbers(world: World, ada: Traveller) -> None:
    secret, series = await secret_of(ada), f"Firefly {uuid4().hex[:6]}"
    numbered = await new_title(ada, title=f"{series} S01E02", kind="episode")
    named = await new_title(ada, title=f"{series} 1x03: Our Mrs. Reynolds", kind="episode")
    await new_title(ada, title=series, kind="series")
    body = {"event": "play", "series": series, "season": 1, "year": 2002}
    await tell(world, secret, title="The Train Job", episode=2, **body)
    assert (await listed(ada))["items"][0]["title_id"] == numbered
    await tell(world, secret, title="Our Mrs. Reynolds", episode=3, **body)
    assert (await listed(ada))["items"][0]["title_id"] == named
    assert (await tell(world, secret, title="Safe", episode=5, **body))["outcome"] == "unmatched"


async def test_what_is_unknown_waits_for_its_title_and_is_remembered(world: World, ada: Traveller) -> None:
    secret, name = await secret_of(ada), f"Obscure {uuid4().hex[:6]}"
    title = await new_title(ada, title="A quite different name", total_length_seconds=LENGTH)
    medium = {"title": name, "year": 1970, "duration_seconds": LENGTH}
    for event in ("play", "seek"):
        heard = await tell(world, secret, event=event, position_pct=20, **medium)
        assert heard == {"outcome": "unmatched", "capture_id": None}
    (waiting,) = (await ada.get(f"{PLAYERS}/unmatched")).json()["items"]
    assert (waiting["title"], waiting["year"], waiting["player"]) == (name, 1970, "generic")
    path = f"{PLAYERS}/unmatched/{waiting['id']}"
    ben = await world.person("ben")
    assert (await ben.get(f"{PLAYERS}/unmatched")).json()["items"] == []
    assert code_of(await ben.post(path, json={"title_id": title})) == (404, "not_found")
    assert code_of(await ada.post(path, json={"title_id": "nowhere"})) == (404, "not_found")
    bound = await ada.post(path, json={"title_id": title})
    assert bound.status_code == 200, bound.text
    assert (await listed(ada))["current_pct"] == pytest.approx(20, abs=0.1), "it is being played right now"
    assert bound.json()["capture_id"] == (await listed(ada))["items"][0]["id"]
    assert (await ada.get(f"{PLAYERS}/unmatched")).json()["items"] == []
    await tell(world, secret, event="seek", position_pct=33, **medium | {"title": name.upper()})
    assert (await listed(ada))["current_pct"] == pytest.approx(33, abs=0.1)
    await tell(world, secret, event="stop", **medium)
    again = await tell(world, secret, event="play", position_pct=1, **medium)
    assert again["outcome"] == "started"


async def test_binding_what_is_over_starts_nothing(world: World, ada: Traveller) -> None:
    secret, title = await secret_of(ada), await new_title(ada)
    for name, go in (("stopped", {"seconds": 1}), ("long ago", {"hours": 2})):
        event = "stop" if name == "stopped" else "play"
        await tell(world, secret, event=event, title=f"{name} {uuid4().hex}")
        world.clock.go(**go)
        (waiting,) = (await ada.get(f"{PLAYERS}/unmatched")).json()["items"]
        bound = await ada.post(f"{PLAYERS}/unmatched/{waiting['id']}", json={"title_id": title})
        assert bound.json()["capture_id"] is None


async def test_what_waits_is_bounded(world: World, ada: Traveller) -> None:
    secret = await secret_of(ada)
    for n in range(105):
        await tell(world, secret, event="play", title=f"Nothing {n}")
    waiting = (await ada.get(f"{PLAYERS}/unmatched")).json()["items"]
    assert [one["title"] for one in waiting] == [f"Nothing {n}" for n in range(104, 4, -1)]


async def test_a_title_entered_later_is_found(world: World, ada: Traveller) -> None:
    secret, name = await secret_of(ada), f"Later {uuid4().hex[:6]}"
    assert (await tell(world, secret, event="play", title=name))["outcome"] == "unmatched"
    await new_title(ada, title=name)
    assert (await tell(world, secret, event="play", title=name))["outcome"] == "started"
    assert (await ada.get(f"{PLAYERS}/unmatched")).json()["items"] == []


async def test_many_events_at_once_make_one_capture(world: World, ada: Traveller) -> None:
    secret, title = await secret_of(ada), await new_title(ada)
    heard = await asyncio.gather(
        *(tell(world, secret, event="play", title_id=title, position_pct=n) for n in range(20))
    )
    assert len({one["capture_id"] for one in heard}) == 1
    assert [one["outcome"] for one in heard].count("started") == 1
