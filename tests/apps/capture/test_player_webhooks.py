"""Webhooks as their makers send them, and as nobody should."""

import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.apps.capture.playing import PLAYERS, listed, secret_of
from tests.travel import Traveller
from tests.world import World, new_title


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
