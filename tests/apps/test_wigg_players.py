"""Players through the front door: webhooks move captures, progress folds, unknown media wait."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx2
import msgspec
import pytest
import structlog
from tests.apps.test_wigg_capture import events, milestone, reached, seek, start, until_reached
from tests.clock import Stopwatch
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.travel import Traveller, moved, traveller
from tests.waiting import look_again
from tests.world import Person, World, code_of, new_title

from quintet.apps.wigg.capture.actions import wake_due
from quintet.apps.wigg.players.folding import Folding, Waiting, folding_of, keep_flushing
from quintet.apps.wigg.players.model import Player, PlayerId
from quintet.apps.wigg.players.payloads import PlayerEvent
from quintet.kernel.actor import UserId
from quintet.kernel.background import running
from quintet.kernel.database import Database

PLAYERS = "/api/live-capture/players"
LENGTH = 6000  # a percent a minute


@pytest.fixture(scope="module")
async def world(worker_name: str) -> AsyncGenerator[World]:
    """A server of its own: these tests move the clock."""
    name = f"players_world_{worker_name}"
    async with serving(settings_for_tests(), clone_database(name)) as made:
        yield made
    drop_database(name)


@pytest.fixture
async def ada(world: World) -> Traveller:
    return await traveller(world)


async def secret_of(person: Person) -> str:
    answer = await person.post(PLAYERS, json={})
    assert answer.status_code == 201, answer.text
    return answer.json()["secret"]


async def tell(world: World, secret: str, player: str = "generic", **payload: Any) -> dict[str, Any]:
    answer = await world.post(f"{PLAYERS}/{player}/{secret}", json=payload)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(person: Person) -> dict[str, Any]:
    return (await person.get("/api/live-capture")).json()


async def until(person: Person, pct: float) -> None:
    """Until the newest capture stands there, give or take what time moves it."""
    for _ in range(500):
        if abs(((await listed(person))["current_pct"] or 0) - pct) < 0.1:
            return
        await look_again()
    raise AssertionError(f"not at {pct}: {await listed(person)}")


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


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"\xff\xfe", 400),
        (b'{"event": NaN}', 400), (b'{"event": 5, "title_id": "t"}', 200), (b'{"event": "play"}', 422),
        (b'{"event": "play", "title_id": "t\\u0000"}', 422), (b'{"event": "play", "title": "\\ud800"}', 422),
        (b'{"event": "play", "title_id": "' + b"t" * 400 + b'"}', 422),
        (b'{"event": "play", "title_id": "../x"}', 404), (b'{"event": "play", "title_id": "nowhere"}', 404),
        (b'{"event": "seek", "title": "x", "position_seconds": -1}', 422),
        (b'{"event": "seek", "title": "x", "position_seconds": 1e300}', 422),
        (b'{"event": "seek", "title": "x", "position_seconds": 1e999}', 422),
        (b'{"event": "seek", "title": "x", "position_seconds": ' + b"9" * 400 + b"}", 422),
        (b'{"event": "seek", "title": "x", "position_seconds": "NaN"}', 422),
        (b'{"event": "seek", "title": "x", "position_seconds": "-Infinity"}', 422),
        (b'{"event": "seek", "title": "x", "position_seconds": true}', 422),
        (b'{"event": "seek", "title": "x", "position_seconds": []}', 422),
        (b'{"event": "seek", "title": "x", "position_pct": 100.5}', 422),
        (b'{"event": "rate", "title": "x", "rate": 0}', 422), (b'{"event": "rate", "title": "x"}', 422),
        (b'{"event": "rate", "title": "x", "rate": 17}', 422),
        (b'{"event": "play", "title": {"a": 1}}', 422), (b'{"event": "play", "title": "x", "year": 1.5}',
         422),
        (b'{"event": "play", "title": "x", "kind": "song"}', 422),
        (b'{"event": "play", "title": "x", "a": ' + b"[" * 40 + b"]" * 40 + b"}", 400),
        (b'{"event": "play", "title": "x", "a": "' + b"y" * 300_000 + b'"}', 413),
    ],
)  # fmt: skip
async def test_malformed_webhooks(world: World, ada: Traveller, body: bytes, status: int) -> None:
    answer = await world.post(f"{PLAYERS}/generic/{await secret_of(ada)}", content=body)
    assert answer.status_code == status, answer.text


def form(payload: str | None, **more: Any) -> dict[str, Any]:
    fields = {} if payload is None else {"payload": (None, payload, "application/json")}
    return {"files": {**fields, **more}}


async def test_plex_sends_a_form_with_a_poster(world: World, ada: Traveller) -> None:
    secret, name = await secret_of(ada), f"Heat {uuid4().hex[:6]}"
    title = await new_title(ada, title=name, year=1995)
    payload: dict[str, Any] = {
        "event": "media.play", "user": True, "owner": True, "Account": {"id": 1, "title": "ada"},
        "Server": {"title": "Office"}, "Player": {"local": True, "uuid": "r6yfkdnfggbh2bdnvkffwbms"},
        "Metadata": {
            "librarySectionType": "movie", "ratingKey": "1936545", "type": "movie", "title": name,
            "year": 1995,
            "duration": 10_200_000, "viewOffset": 2_550_000, "guid": "plex://movie/5d77682ab3bd2b001f5d6c54",
        },
    }  # fmt: skip
    answer = await world.post(
        f"{PLAYERS}/plex/{secret}",
        **form(json.dumps(payload), thumb=("thumb.jpg", b"\xff\xd8\xff", "image/jpeg")),
    )
    assert answer.json()["outcome"] == "started", answer.text
    assert (await listed(ada))["items"][0]["title_id"] == title
    assert (await listed(ada))["current_pct"] == pytest.approx(25, abs=0.1)
    del payload["Metadata"]["viewOffset"], payload["Metadata"]["duration"]
    paused = await world.post(
        f"{PLAYERS}/plex/{secret}", **form(json.dumps(payload | {"event": "media.pause"}))
    )
    assert paused.json()["outcome"] == "moved"
    assert (await listed(ada))["current_pct"] == pytest.approx(25, abs=0.1)
    assert (await listed(ada))["is_paused"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (form(None, thumb=("t.jpg", b"x", "image/jpeg")), 422),
        (form("{"), 400),
        (form("[1]"), 422),
        (form('{"event": "media.play", "Metadata": 5}'), 422),
        (form('{"event": "library.new"}'), 200),
        (form("x" * 300_000), 413),
        ({"json": {"event": "media.play"}}, 415),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
        ({"content": b"y" * 3_000_000, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 413),
    ],
)
async def test_malformed_forms(world: World, ada: Traveller, request_: dict[str, Any], status: int) -> None:
    answer: httpx2.Response = await world.post(f"{PLAYERS}/plex/{await secret_of(ada)}", **request_)
    assert answer.status_code == status, answer.text


async def test_jellyfin_sends_text(world: World, ada: Traveller) -> None:
    """Its templates are sent as text/plain, with numbers and booleans as text; pausing is a progress."""
    secret, name = await secret_of(ada), f"Arrival {uuid4().hex[:6]}"
    await new_title(ada, title=name, year=2016)

    async def send(kind: str, paused: str, minutes: float) -> str:
        body = {
            "NotificationType": kind, "ItemType": "Movie", "Name": name, "Year": "2016",
            "RunTimeTicks": "60000000000", "PlaybackPositionTicks": str(round(minutes * 600_000_000)),
            "IsPaused": paused, "NotificationUsername": "ada",
        }  # fmt: skip
        answer = await world.post(
            f"{PLAYERS}/jellyfin/{secret}", content=json.dumps(body), headers={"Content-Type": "text/plain"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["outcome"]

    assert await send("PlaybackStart", "False", 0) == "started"
    assert await send("PlaybackProgress", "False", 10) == "moved"
    assert await send("PlaybackProgress", "False", 10.1) == "folded"
    assert await send("PlaybackProgress", "True", 20) == "moved", "a pause does not wait"
    assert ((await listed(ada))["current_pct"], (await listed(ada))["is_paused"]) == (20, True)
    assert await send("PlaybackProgress", "False", 20) == "moved"
    assert not (await listed(ada))["is_paused"]
    assert await send("PlaybackStop", "False", 30) == "moved"
    assert not (await listed(ada))["is_active"]
    assert await send("ItemAdded", "False", 0) == "ignored"
