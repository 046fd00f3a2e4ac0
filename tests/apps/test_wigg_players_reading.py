"""What each maker's payload means: tables of real ones, and any JSON at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.apps.wigg.capture.rules import WHOLE
from quintet.apps.wigg.players.payloads import READERS, PlayerEvent
from quintet.apps.wigg.players.payloads.event import Medium, media_key
from quintet.apps.wigg.players.rules import matching, spellings
from quintet.domains.catalogue import Work, WorkId
from quintet.kernel import json
from quintet.kernel.clock import SystemClock
from quintet.kernel.refusals import InvalidRequest, Unprocessable

EPISODE = Medium("Bushwhacked", "episode", 2002, "Firefly", 1, 3)
HEAT = Medium("Heat", "film", 1995)


def plex(event: str, **metadata: Any) -> dict[str, Any]:
    told = {"type": "movie", "title": "Heat", "year": 1995, **metadata}
    return {"event": event, "user": True, "owner": True, "Metadata": told}


PLEX_EPISODE = {
    "type": "episode", "title": "Bushwhacked", "grandparentTitle": "Firefly", "parentIndex": 1, "index": 3,
    "year": 2002,
}  # fmt: skip


def jellyfin(kind: str, **more: Any) -> dict[str, Any]:
    return {"NotificationType": kind, "ItemType": "Movie", "Name": "Heat", "Year": 1995, **more}


def kodi(method: str, item: dict[str, Any] | None = None, player: Any = None, **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"item": item or {"id": 5, "type": "movie", "title": "Heat", "year": 1995}}
    if player is not None:
        data["player"] = player
    return {"jsonrpc": "2.0", "method": method, "params": {"sender": "xbmc", "data": data}, **more}


KODI_EPISODE = {
    "type": "episode", "title": "Bushwhacked", "showtitle": "Firefly", "season": 1, "episode": 3, "year": 2002
}  # fmt: skip
TRAKT_FILM = {"movie": {"title": "Heat", "year": 1995, "ids": {"trakt": 28, "imdb": "tt0113277"}}}


@pytest.mark.parametrize(
    ("player", "payload", "event"),
    [
        ("plex", plex("media.play"), PlayerEvent("play", medium=HEAT)),
        (
            "plex",
            plex("media.pause", viewOffset=60_000, duration=10_200_000),
            PlayerEvent("pause", medium=HEAT, position_seconds=60, duration_seconds=10_200),
        ),
        ("plex", plex("media.resume"), PlayerEvent("resume", medium=HEAT)),
        ("plex", plex("media.stop", duration=0), PlayerEvent("stop", medium=HEAT)),
        ("plex", plex("media.play", **PLEX_EPISODE), PlayerEvent("play", medium=EPISODE)),
        ("plex", plex("media.scrobble"), None),
        (
            "plex",
            plex("media.scrobble", viewOffset=9_000),
            PlayerEvent("progress", medium=HEAT, position_seconds=9),
        ),
        ("plex", plex("media.rate"), None),
        ("plex", plex("library.new"), None),
        ("plex", plex("media.play", type="track"), None),
        ("plex", plex("media.play") | {"user": False}, None),
        ("plex", {"event": "admin.database.backup"}, None),
        ("jellyfin", jellyfin("PlaybackStart"), PlayerEvent("play", medium=HEAT)),
        (
            "jellyfin",
            jellyfin("PlaybackProgress", PlaybackPositionTicks=600_000_000, RunTimeTicks="102000000000",
                     IsPaused=False),
            PlayerEvent("progress", medium=HEAT, position_seconds=60, duration_seconds=10_200, plays=True),
        ),
        (
            "jellyfin",
            jellyfin("PlaybackProgress", IsPaused="True"),
            PlayerEvent("progress", medium=HEAT, plays=False),
        ),
        ("jellyfin", jellyfin("PlaybackStop", IsPaused="False"), PlayerEvent("stop", medium=HEAT)),
        (
            "jellyfin",
            jellyfin("PlaybackStart", ItemType="Episode", Name="Bushwhacked", SeriesName="Firefly",
                     SeasonNumber="1", EpisodeNumber="03", Year="2002"),
            PlayerEvent("play", medium=EPISODE),
        ),
        (
            "jellyfin",
            jellyfin("PlaybackStart", ItemType="", Year="", SeriesName="", RunTimeTicks=""),
            PlayerEvent("play", medium=Medium("Heat", "film")),
        ),
        ("jellyfin", jellyfin("PlaybackStart", ItemType="Audio"), None),
        ("jellyfin", jellyfin("UserDataSaved"), None),
        ("jellyfin", {"NotificationType": "PlaybackStart"}, None),
        ("trakt", {"action": "start", "progress": 1.25, **TRAKT_FILM},
         PlayerEvent("play", medium=HEAT, position_pct=1.25)),
        ("trakt", {"action": "pause", "progress": 50, **TRAKT_FILM},
         PlayerEvent("pause", medium=HEAT, position_pct=50)),
        ("trakt", {"action": "stop", "progress": 99.9, **TRAKT_FILM},
         PlayerEvent("stop", medium=HEAT, position_pct=99.9)),
        (
            "trakt",
            {"action": "start", "progress": 10, "show": {"title": "Firefly", "year": 2002},
             "episode": {"season": 1, "number": 3, "title": "Bushwhacked"}, "app_version": "1.0"},
            PlayerEvent("play", medium=EPISODE, position_pct=10),
        ),
        ("trakt", {"action": "checkin", "progress": 10, **TRAKT_FILM}, None),
        ("trakt", {"action": "start", "progress": 10}, None),
        ("kodi", kodi("Player.OnPlay", player={"playerid": 1, "speed": 1}), PlayerEvent("play", medium=HEAT)),
        ("kodi", kodi("Player.OnAVStart", position_seconds=3), PlayerEvent("play", medium=HEAT,
         position_seconds=3)),
        (
            "kodi",
            kodi("Player.OnPause", player={"playerid": 1, "speed": 0}, position_seconds=61.5),
            PlayerEvent("pause", medium=HEAT, position_seconds=61.5),
        ),
        ("kodi", kodi("Player.OnResume"), PlayerEvent("resume", medium=HEAT)),
        (
            "kodi",
            kodi("Player.OnSeek", player={"playerid": 1, "speed": 1, "seekoffset": {"hours": 0},
                 "time": {"hours": 1, "minutes": 2, "seconds": 3, "milliseconds": 500}}),
            PlayerEvent("seek", medium=HEAT, position_seconds=3723.5),
        ),
        ("kodi", kodi("Player.OnStop", KODI_EPISODE, end=False), PlayerEvent("stop", medium=EPISODE)),
        ("kodi", kodi("Player.OnSpeedChanged", player={"speed": 2}), PlayerEvent("rate", medium=HEAT,
         rate=2)),
        ("kodi", kodi("Player.OnSpeedChanged", player={"speed": 32}), PlayerEvent("rate", medium=HEAT,
         rate=16)),
        ("kodi", kodi("Player.OnSpeedChanged", player={"speed": 0}), PlayerEvent("pause", medium=HEAT)),
        ("kodi", kodi("Player.OnSpeedChanged", player={"speed": -4}), None),
        ("kodi", kodi("Player.OnPlay", {"id": 5, "type": "movie"}), PlayerEvent("play",
         medium=Medium("movie 5", "film"))),
        ("kodi", kodi("Player.OnPlay", {"type": "song", "title": "x"}), None),
        (
            "kodi",
            kodi("Player.OnPlay", {"type": "episode", "title": "x", "season": -1, "episode": -1}),
            PlayerEvent("play", medium=Medium("x", "episode")),
        ),
        ("kodi", kodi("VideoLibrary.OnUpdate"), None),
        ("generic", {"event": "play", "title_id": "t", "surprise": 1}, PlayerEvent("play", title_id="t")),
        (
            "generic",
            {"event": "progress", "title": 1917, "position_seconds": "90", "duration_seconds": 0},
            PlayerEvent("progress", medium=Medium("1917"), position_seconds=90),
        ),
        ("generic", {"event": "rate", "title_id": "t", "rate": 1.5}, PlayerEvent("rate", title_id="t",
         rate=1.5)),
        ("generic", {"event": "explode", "title_id": "t"}, None),
    ],
)  # fmt: skip
def test_what_a_payload_means(player: str, payload: dict[str, Any], event: PlayerEvent | None) -> None:
    assert READERS[player](payload) == event


@pytest.mark.parametrize("value", [-1, 1e300, 10**400, "NaN", "Infinity", "ten", True, [], {}, float("inf")])
@pytest.mark.parametrize(
    ("player", "wrong"),
    [
        ("plex", lambda v: plex("media.pause", viewOffset=v)),
        ("plex", lambda v: plex("media.pause", duration=v)),
        ("jellyfin", lambda v: jellyfin("PlaybackProgress", PlaybackPositionTicks=v)),
        ("jellyfin", lambda v: jellyfin("PlaybackProgress", RunTimeTicks=v)),
        ("trakt", lambda v: {"action": "start", "progress": v, **TRAKT_FILM}),
        ("kodi", lambda v: kodi("Player.OnPause", position_seconds=v)),
        ("kodi", lambda v: kodi("Player.OnSeek", player={"time": {"hours": v}})),
        ("generic", lambda v: {"event": "seek", "title": "x", "position_seconds": v}),
        ("generic", lambda v: {"event": "seek", "title": "x", "position_pct": v}),
        ("generic", lambda v: {"event": "rate", "title": "x", "rate": v}),
    ],
)
def test_numbers_that_are_none(player: str, wrong: Any, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        READERS[player](wrong(value))
    assert refused.value.errors[0].code in {"wrong_type", "out_of_range", "not_finite"}
    assert refused.value.errors[0].pointer


NAMES = [
    "event", "action", "method", "NotificationType", "Metadata", "type", "title", "Name", "SeriesName",
    "movie",
    "show", "episode", "season", "number", "params", "data", "item", "player", "time", "hours", "speed", "id",
    "position_seconds", "duration_seconds", "position_pct", "rate", "progress", "title_id", "year",
    "series", "user",
    "viewOffset", "duration", "RunTimeTicks", "PlaybackPositionTicks", "IsPaused", "kind", "grandparentTitle",
    "index", "parentIndex", "showtitle", "ItemType", "Year", "SeasonNumber", "EpisodeNumber",
]  # fmt: skip
WORDS = [
    "play", "pause", "seek", "rate", "progress", "stop", "media.play", "media.scrobble", "PlaybackProgress",
    "start", "Player.OnSeek", "Player.OnSpeedChanged", "movie", "episode", "Movie", "Episode", "True", "NaN",
    "1e9", "-1", "",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=20,
)
PAYLOADS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), VALUES, max_size=12)
# Payloads that name a medium rightly get past the first checks.
PROPER = st.sampled_from([
    plex("media.play"), plex("media.pause", **PLEX_EPISODE), jellyfin("PlaybackProgress"),
    {"action": "start", **TRAKT_FILM}, kodi("Player.OnSeek"), kodi("Player.OnSpeedChanged", KODI_EPISODE),
    {"event": "seek", "title": "x"}, {"event": "rate", "title_id": "t"},
])  # fmt: skip


@pytest.mark.parametrize("player", sorted(READERS))
@given(PROPER, PAYLOADS)
def test_any_json_is_an_event_or_nothing_or_refused(
    player: str, proper: dict[str, Any], payload: dict[str, Any]
) -> None:
    try:
        event = READERS[player]({**proper, **payload})
    except Unprocessable:
        return
    if event is None:
        return
    assert (event.title_id is None) <= (event.medium is not None)
    position = event.position(6000)
    assert position is None or 0 <= position <= WHOLE
    assert event.rate is None or 0 < event.rate <= 16
    if event.medium is not None:
        assert len(media_key(player, event.medium)) == 32
        assert event.medium.name
        assert all(spellings(event.medium))
    json.encode(event)


def work(id_: str, year: int | None) -> Work:
    now = SystemClock().now()
    return Work(WorkId(id_), "film", "Heat", None, year, [], {}, None, 1, now, now)


@pytest.mark.parametrize(
    ("year", "works", "found"),
    [
        (1995, [work("a", 1995), work("b", 1986)], "a"),
        (1995, [work("a", None), work("b", 1986)], "a"),
        (1995, [work("a", 1995), work("b", None)], "a"),
        (1995, [work("a", 1995), work("b", 1995)], None),
        (1995, [work("b", 1986)], None),
        (None, [work("a", 1995)], "a"),
        (None, [work("a", 1995), work("b", 1986)], None),
        (1995, [], None),
    ],
)
def test_which_work_it_must_be(year: int | None, works: list[Work], found: str | None) -> None:
    match = matching(Medium("Heat", "film", year), works)
    assert (match.id if match else None) == found


def test_a_medium_is_the_same_in_any_case_and_another_by_another_player() -> None:
    assert media_key("plex", HEAT) == media_key("plex", Medium("HEAT", "film", 1995))
    assert media_key("plex", HEAT) != media_key("kodi", HEAT)
    assert media_key("plex", HEAT) != media_key("plex", Medium("Heat", "film", 1986))
    assert media_key("plex", EPISODE) != media_key(
        "plex", Medium("Bushwhacked", "episode", 2002, "Firefly", 1, 4)
    )
