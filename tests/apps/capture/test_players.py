"""Players through the front door: webhooks move captures, progress folds."""

import asyncio
import json
from uuid import uuid4

import msgspec
import pytest
import structlog
from tests.apps.capture.capturing import events, milestone, reached, seek, start, until_reached
from tests.apps.capture.playing import LENGTH, PLAYERS, listed, secret_of, tell, until
from tests.clock import Stopwatch
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.travel import Traveller, moved, traveller
from tests.waiting import look_again
from tests.world import World, code_of, new_title

from quintet.apps.wigg.capture.actions import wake_due
from quintet.apps.wigg.players.folding import Folding, Waiting, folding_of, keep_flushing
from quintet.apps.wigg.players.model import Player, PlayerId
from quintet.apps.wigg.players.payloads import PlayerEvent
from quintet.kernel.actor import UserId
from quintet.kernel.background import running
from quintet.kernel.database import Database


async def test_a_player_is_registered_shown_once_and_removed(world: World, ada: Traveller) -> None:
    answer = await ada.post(PLAYERS, json={})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert len(made["secret"]) >= 32  # 192 bits in base64
    assert set(made["urls"]) == {"plex", "jellyfin", "trakt", "kodi", "generic"}
    assert made["urls"]["kodi"].endswith(f"/api/live-capture/players/kodi/{made['secret']}")
    shown = await ada.get(PLAYERS)
    assert [one["id"] for one in shown.json()["items"]] == [made["id"]]
    assert made["secret"] not in shown.text
    assert world.sql("select count(*) from wigg.players p where p::text like %s", f"%{made['secret']}%") == [
        (0,)
    ]
    ben = await world.person("ben")
    assert code_of(await ben.delete(f"{PLAYERS}/{made['id']}")) == (404, "not_found")
    assert (await ada.delete(f"{PLAYERS}/{made['id']}")).status_code == 204
    gone = await world.post(f"{PLAYERS}/generic/{made['secret']}", json={"event": "play", "title_id": "t"})
    assert code_of(gone) == (404, "not_found")


async def test_players_are_bounded(ada: Traveller) -> None:
    answers = await asyncio.gather(*(ada.post(PLAYERS, json={}) for _ in range(14)))
    assert sorted(a.status_code for a in answers) == [201] * 10 + [409] * 4
    assert {code_of(a) for a in answers if a.status_code == 409} == {(409, "too_many_players")}


async def test_a_secret_is_in_no_log(world: World, ada: Traveller) -> None:
    secret = await secret_of(ada)
    with structlog.testing.capture_logs() as lines:
        await tell(world, secret, event="play", title_id=await new_title(ada))
        await world.post(f"{PLAYERS}/generic/{secret}", content=b"{")
        await world.post(f"{PLAYERS}/plex/{secret}", content=b"{")
    text = json.dumps(lines, default=str)
    assert secret not in text
    assert "/api/live-capture/players/generic/{secret}" in text


async def test_a_player_is_limited_by_itself_and_guessing_by_its_address() -> None:
    name = "players_limits"
    strict = settings_for_tests(QUINTET_LIMIT_PLAYER="5/minute", QUINTET_LIMIT_ANONYMOUS="3/minute")
    try:
        async with serving(strict, clone_database(name)) as world:
            ada = await world.person()
            first, second = await secret_of(ada), await secret_of(ada)
            body = {"event": "unknown", "title_id": "t"}
            for secret in (first, second):
                codes = [
                    (await world.post(f"{PLAYERS}/generic/{secret}", json=body)).status_code for _ in range(6)
                ]
                assert codes == [200] * 5 + [429]
            guesses = [
                (await world.post(f"{PLAYERS}/generic/guess{n}", json=body)).status_code for n in range(4)
            ]
            assert set(guesses) <= {404, 429}
            assert guesses[-1] == 429
            still = await world.post(f"{PLAYERS}/generic/{await secret_of(ada)}", json=body)
            assert still.status_code == 200, "who guesses next door cuts no player off"
    finally:
        drop_database(name)


async def test_the_life_of_a_film(world: World, ada: Traveller) -> None:
    secret = await secret_of(ada)
    title = await new_title(ada, total_length_seconds=LENGTH)
    played = await tell(world, secret, event="play", title_id=title)
    assert played["outcome"] == "started"
    top = (await listed(ada))["items"][0]
    assert (top["id"], top["mode"], top["title_id"], top["current_pct"]) == (
        played["capture_id"], "player", title, pytest.approx(0, abs=0.1),
    )  # fmt: skip
    world.clock.go(minutes=5)
    assert (await listed(ada))["current_pct"] == pytest.approx(5, abs=0.1), "it plays on between two events"
    await tell(world, secret, event="pause", title_id=title, position_seconds=306)
    assert (await listed(ada))["is_paused"]
    world.clock.go(hours=1)
    assert (await listed(ada))["current_pct"] == 5.1
    await tell(world, secret, event="resume", title_id=title)
    await tell(world, secret, event="rate", title_id=title, rate=2)
    world.clock.go(minutes=5)
    assert (await listed(ada))["current_pct"] == pytest.approx(15.1, abs=0.2)
    await tell(world, secret, event="seek", title_id=title, position_pct=50)
    assert (await listed(ada))["current_pct"] == pytest.approx(50, abs=0.1)
    await tell(world, secret, event="stop", title_id=title, position_seconds=3600)
    top = (await listed(ada))["items"][0]
    assert (top["is_active"], top["current_pct"], top["speed"]) == (False, 60, 2)
    late = await tell(world, secret, event="progress", title_id=title, position_seconds=3700)
    assert late["outcome"] == "ignored"


async def test_a_player_moves_only_its_owner(world: World, ada: Traveller) -> None:
    ben = await world.person("ben")
    title = await new_title(ada)
    await start(ben, title, "manual", start_pct=7)
    await tell(world, await secret_of(ada), event="play", title_id=title, position_pct=30)
    assert (await ben.get("/api/live-capture")).json()["current_pct"] == 7
    assert events(world, ben, "capture_changed")[-1]["current_pct"] == 7


async def test_a_player_takes_over_what_was_started_by_hand(world: World, ada: Traveller) -> None:
    title = await new_title(ada)
    capture = await start(ada, title, "manual", start_pct=7)
    heard = await tell(world, await secret_of(ada), event="progress", title_id=title, position_pct=30)
    assert heard == {"outcome": "moved", "capture_id": capture["id"]}
    assert (await listed(ada))["items"][0]["mode"] == "player"


async def test_a_percent_needs_no_length_and_seconds_take_the_players_own(
    world: World, ada: Traveller
) -> None:
    secret = await secret_of(ada)
    title = await new_title(ada, total_length_seconds=None)
    await tell(world, secret, event="play", title_id=title, position_seconds=500)
    assert (await listed(ada))["current_pct"] == 0
    await tell(world, secret, event="pause", title_id=title, position_seconds=500, duration_seconds=1000)
    assert (await listed(ada))["current_pct"] == 50
    await tell(world, secret, event="seek", title_id=title, position_seconds=5000, duration_seconds=1000)
    assert (await listed(ada))["current_pct"] == 100


async def test_a_flood_of_progress_is_few_writes_and_the_last_is_written(
    world: World, ada: Traveller
) -> None:
    secret = await secret_of(ada)
    title = await new_title(ada, total_length_seconds=None)
    await tell(world, secret, event="play", title_id=title)
    before = len(events(world, ada, "capture_changed"))
    outcomes: list[str] = []
    for part in range(20):
        heard = await asyncio.gather(
            *(
                tell(world, secret, event="progress", title_id=title, position_pct=part + n / 50)
                for n in range(50)
            )
        )
        outcomes += [one["outcome"] for one in heard]
    await tell(world, secret, event="progress", title_id=title, position_pct=42)
    assert outcomes.count("folded") >= 990
    world.clock.go(seconds=5)
    await until(ada, 42)
    writes = len(events(world, ada, "capture_changed")) - before
    print(f"1,001 progress events, {writes} writes, the last one written")
    assert writes <= 6


async def test_what_waits_is_written_before_the_event_that_follows(world: World, ada: Traveller) -> None:
    """A pause may not say where; the progress that waits does."""
    secret = await secret_of(ada)
    title = await new_title(ada, total_length_seconds=None)
    await tell(world, secret, event="play", title_id=title)
    await tell(world, secret, event="progress", title_id=title, position_pct=10)
    assert (await tell(world, secret, event="progress", title_id=title, position_pct=11))[
        "outcome"
    ] == "folded"
    await tell(world, secret, event="pause", title_id=title)
    assert ((await listed(ada))["current_pct"], (await listed(ada))["is_paused"]) == (11, True)
    assert folding_of(world.kernel).due(world.clock.now(), even_if_early=True) == []


async def test_a_stopping_server_writes_what_waits() -> None:
    name = "players_restart"
    dsn, clock = clone_database(name), Stopwatch()
    try:
        async with serving(settings_for_tests(), dsn, clock) as world:
            ada = await traveller(world)
            secret = await secret_of(ada)
            title = await new_title(ada, total_length_seconds=None)
            await tell(world, secret, event="play", title_id=title)
            for pct in (10, 20, 30):
                last = await tell(world, secret, event="progress", title_id=title, position_pct=pct)
            assert last["outcome"] == "folded"
            assert (await listed(ada))["current_pct"] == 10
        async with serving(settings_for_tests(), dsn, clock) as world:
            assert (await listed(moved(ada, world)))["current_pct"] == 30
            await tell(world, secret, event="pause", title_id=title, position_pct=31)
            assert (await listed(moved(ada, world)))["current_pct"] == 31
    finally:
        drop_database(name)


async def test_without_its_database_a_server_stops_all_the_same(world: World) -> None:
    """A job that swallowed its cancellation would be begun again, and the server would never end."""
    dead = Database("postgresql:///nowhere", connections=1, clock=world.clock)
    dead.away = True
    folding, player = Folding(), Player(PlayerId(uuid4()), UserId(uuid4()))
    for pct in (10, 20):
        event = PlayerEvent("progress", title_id="t", position_pct=pct)
        folding.take(Waiting(player, "generic", event, world.clock.now()))
    kernel = msgspec.structs.replace(world.kernel, database=dead, of_parts={Folding: folding})
    async with asyncio.timeout(15), running(kernel, [keep_flushing]):
        await look_again()
    world.clock.go(seconds=6)
    assert [told.event.position_pct for told in folding.due(world.clock.now())] == [20], "it still waits"


async def test_progress_that_waited_never_overrides_what_came_later(world: World, ada: Traveller) -> None:
    secret = await secret_of(ada)
    title = await new_title(ada, total_length_seconds=None)
    heard = await tell(world, secret, event="play", title_id=title)
    await tell(world, secret, event="progress", title_id=title, position_pct=10)
    await tell(world, secret, event="progress", title_id=title, position_pct=11)
    world.clock.go(seconds=1)
    await seek(ada, {"id": heard["capture_id"]}, 70)  # by hand, on the phone
    world.clock.go(seconds=5)
    for _ in range(50):
        await look_again()
    assert (await listed(ada))["current_pct"] == 70


async def test_playing_passes_milestones_and_jumping_does_not(world: World, ada: Traveller) -> None:
    secret = await secret_of(ada)
    title = await new_title(ada, total_length_seconds=LENGTH)
    first, second, third = (milestone(world, title, pct) for pct in (10, 40, 60))
    await tell(world, secret, event="play", title_id=title, position_pct=9.9)
    await tell(world, secret, event="pause", title_id=title, position_pct=10.05)
    assert reached(world, ada) == [first], "ten seconds ahead is imprecision, not a jump"
    await tell(world, secret, event="seek", title_id=title, position_pct=45)
    await tell(world, secret, event="resume", title_id=title)
    world.clock.go(minutes=16)
    assert await until_reached(world, ada, 2) == [first, third]
    await tell(world, secret, event="progress", title_id=title, position_pct=30)
    world.clock.go(minutes=1)
    await tell(world, secret, event="progress", title_id=title, position_pct=80)  # a jump nobody announced
    await wake_due(world.kernel.database)
    assert second not in reached(world, ada)
